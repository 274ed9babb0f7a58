// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

// The front of the log: one line per event, as text or JSON (SUB0_LOG), to stderr. Any thread.
// Values that came from outside are escaped here; secrets and tokens are never handed over
//
namespace sub0::log {

enum class Level : std::uint8_t { kError = 1, kWarning = 2, kInfo = 3, kDebug = 4 };
enum class Format : std::uint8_t { kText, kJson };

/// A named value of a line.
struct Field {
  std::string_view name;
  std::string value;
  bool is_json = false;  // stands in a JSON line as it is
  Field(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  Field(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> Field(std::string_view field_name, Number number)
      : name(field_name), value(std::to_string(number)), is_json(true) {}

  /// A value that is JSON text already.
  static Field json(std::string_view field_name, const std::string& text) {
    Field field(field_name, text);
    field.is_json = true;
    return field;
  }
};

/// Before threads start.
void configure(Format format, Level most_detailed);

bool enabled(Level level);

/// Writes one line: `event` is a short fixed name ("ready"), `message` a sentence.
void write(Level level, std::string_view event, std::string_view message,
           std::initializer_list<Field> fields = {});

inline void error(std::string_view event, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  write(Level::kError, event, message, fields);
}
inline void warning(std::string_view event, std::string_view message,
                    std::initializer_list<Field> fields = {}) {
  write(Level::kWarning, event, message, fields);
}
inline void info(std::string_view event, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
  write(Level::kInfo, event, message, fields);
}
inline void debug(std::string_view event, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, event, message, fields);
}

/// Replaces the sink (tests); null restores stderr.
void setSink(void (*sink)(std::string_view line));

}  // namespace sub0::log
