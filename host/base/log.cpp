// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <atomic>

#include "base/log_output.hpp"
#include "base/text.hpp"

namespace sub0::log {
namespace {

std::atomic<Format> g_format{Format::kText};
std::atomic<Level> g_level{Level::kInfo};
std::atomic<void (*)(std::string_view)> g_sink{nullptr};

Output& stderrOutput() {
  static Output output(STDERR_FILENO);
  return output;
}

std::string_view levelName(Level level) {
  switch (level) {
    case Level::kError:
      return "error";
    case Level::kWarning:
      return "warning";
    case Level::kInfo:
      return "info";
    case Level::kDebug:
      return "debug";
  }
  return "error";
}

std::string asText(Level level, std::string_view event, std::string_view message,
                   std::initializer_list<Field> fields) {
  std::string line = "sub0: ";
  if (level != Level::kInfo) line.append(levelName(level)).append(": ");
  line.append(text::escapeControl(message.empty() ? event : message));
  bool first = true;
  for (const auto& field : fields) {
    line.append(first ? " (" : ", ").append(field.name).append("=");
    line.append(text::escapeControl(field.value));
    first = false;
  }
  if (!first) line.push_back(')');
  line.push_back('\n');
  return line;
}

std::string asJson(Level level, std::string_view event, std::string_view message,
                   std::initializer_list<Field> fields) {
  std::string line = "{\"event\":";
  text::appendJsonString(line, event);
  line.append(",\"level\":");
  text::appendJsonString(line, levelName(level));
  if (!message.empty()) {
    line.append(",\"message\":");
    text::appendJsonString(line, message);
  }
  for (const auto& field : fields) {
    line.push_back(',');
    text::appendJsonString(line, field.name);
    line.push_back(':');
    if (field.is_json) {
      line.append(field.value);
    } else {
      text::appendJsonString(line, field.value);
    }
  }
  line.append("}\n");
  return line;
}

std::string lineOf(Level level, std::string_view event, std::string_view message,
                   std::initializer_list<Field> fields) {
  return g_format == Format::kJson ? asJson(level, event, message, fields)
                                   : asText(level, event, message, fields);
}

}  // namespace

void configure(Format format, Level most_detailed) {
  g_format = format;
  g_level = most_detailed;
}

bool enabled(Level level) { return level <= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::string_view message,
           std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const std::string line = lineOf(level, event, message, fields);
  const auto sink = g_sink.load();
  if (sink != nullptr) {
    sink(line);
    return;
  }
  Output& output = stderrOutput();
  if (const std::size_t lost = output.takeLost()) {
    output.write(lineOf(Level::kWarning, "log_lost",
                        "nobody read the log: lines of it are left out", {{"lines", lost}}));
  }
  output.write(line);
}

void setSink(void (*sink)(std::string_view line)) { g_sink = sink; }

}  // namespace sub0::log
