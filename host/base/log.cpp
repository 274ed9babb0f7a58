// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <atomic>

#include "base/text.hpp"

namespace sub0::log {
namespace {

std::atomic<Format> g_format{Format::kText};
std::atomic<Level> g_level{Level::kInfo};
std::atomic<void (*)(std::string_view)> g_sink{nullptr};

void writeToStderr(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
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

}  // namespace

void configure(Format format, Level most_detailed) {
  g_format = format;
  g_level = most_detailed;
}

bool enabled(Level level) { return level <= g_level.load(std::memory_order_relaxed); }

void write(Level level, std::string_view event, std::string_view message,
           std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const std::string line = g_format == Format::kJson ? asJson(level, event, message, fields)
                                                     : asText(level, event, message, fields);
  const auto sink = g_sink.load();
  if (sink != nullptr) {
    sink(line);
  } else {
    writeToStderr(line);
  }
}

void setSink(void (*sink)(std::string_view line)) { g_sink = sink; }

}  // namespace sub0::log
