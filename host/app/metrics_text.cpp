// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_text.hpp"

#include <charconv>

namespace sub0::app {
namespace {

template <typename Number>
void appendNumber(std::string& out, Number value) {
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

/// `quotes`: in the value of a label; a HELP text keeps them.
void appendEscaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
}

}  // namespace

std::string shortest(double value) {
  std::string text;
  appendNumber(text, value);
  return text;
}

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view text) {
  name_ = name;
  out_.append("# HELP ").append(name).append(" ");
  appendEscaped(out_, text, false);
  out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::sample(Labels labels, double value) { sample({}, labels, value); }

void MetricsText::sample(std::string_view suffix, Labels labels, std::uint64_t value) {
  appendSeries(suffix, labels);
  appendNumber(out_, value);
  out_ += '\n';
}

void MetricsText::sample(std::string_view suffix, Labels labels, double value) {
  appendSeries(suffix, labels);
  appendNumber(out_, value);
  out_ += '\n';
}

void MetricsText::appendSeries(std::string_view suffix, Labels labels) {
  out_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [label, value] : labels) {
    out_ += before;
    out_.append(label).append("=\"");
    appendEscaped(out_, value, true);
    out_ += '"';
    before = ',';
  }
  if (labels.size() > 0) out_ += '}';
  out_ += ' ';
}

}  // namespace sub0::app
