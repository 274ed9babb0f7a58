// SPDX-License-Identifier: Apache-2.0
#include "call/form_data.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace sub0::call {
namespace {

constexpr std::size_t kMaxPartHeadBytes = 8'192;
constexpr std::size_t kMaxBoundaryBytes = 70;

Error malformed(const char* what) {
  return makeError(Code::kBadRequest, std::string("malformed multipart/form-data: ") + what);
}

bool isTokenCharacter(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

/// RFC 2046 section 5.1.1.
bool isBoundaryCharacter(char c) {
  constexpr std::string_view kMarks = "'()+_,-./:=? ";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

struct Parameter {
  std::string_view name;
  std::string_view value;  // without its quotes, escapes as they stand
};

/// Reads the parameters `; name=value` and `; name="value"` (RFC 9110 section 5.6.6) of a header's
/// value.
class ParameterReader {
 public:
  explicit ParameterReader(std::string_view behind_type) : rest_(behind_type) {}

  /// Nullopt: no more, or malformed.
  std::optional<Parameter> next() {
    rest_ = text::trim(rest_);
    if (rest_.empty()) return std::nullopt;
    is_malformed_ = true;
    if (rest_.front() != ';') return std::nullopt;
    rest_ = text::trim(rest_.substr(1));
    if (rest_.empty()) {  // a semicolon at the end
      is_malformed_ = false;
      return std::nullopt;
    }
    Parameter parameter;
    parameter.name = takeToken();
    if (parameter.name.empty() || rest_.empty() || rest_.front() != '=') return std::nullopt;
    rest_.remove_prefix(1);
    const bool is_quoted = !rest_.empty() && rest_.front() == '"';
    const auto value = is_quoted ? takeQuoted() : std::optional(takeToken());
    if (!value || (!is_quoted && value->empty())) return std::nullopt;
    parameter.value = *value;
    is_malformed_ = false;
    return parameter;
  }
  bool isMalformed() const { return is_malformed_; }

 private:
  std::string_view takeToken() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), isTokenCharacter);
    const std::string_view token = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(token.size());
    return token;
  }

  /// Browsers write a backslash as it is, others put one before a quote: so a quote ends the value
  /// where nothing but another parameter is behind it.
  std::optional<std::string_view> takeQuoted() {
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      const std::string_view behind = rest_.substr(at + 1);
      const bool is_last = behind.empty() || behind.front() == ';' || behind.front() == ' ';
      if (rest_[at] != '"' || (rest_[at - 1] == '\\' && at > 1 && !is_last)) continue;
      const std::string_view value = rest_.substr(1, at - 1);
      rest_.remove_prefix(at + 1);
      return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
  bool is_malformed_ = false;
};

std::string_view typeOf(std::string_view value) {
  return text::trim(value.substr(0, value.find(';')));
}

ParameterReader parametersOf(std::string_view value) {
  const std::size_t semicolon = value.find(';');
  return ParameterReader(semicolon == std::string_view::npos ? std::string_view()
                                                             : value.substr(semicolon));
}

/// As browsers escape a name (%22, %0D, %0A), and as older clients do (\").
std::string_view decodeName(std::string_view name, Arena& arena) {
  if (name.find_first_of("%\\") == std::string_view::npos) return name;
  std::string decoded;
  for (std::size_t at = 0; at < name.size(); ++at) {
    const std::string_view three = name.substr(at, 3);
    const bool is_escaped = three == "%22" || three == "%0D" || three == "%0A";
    const bool is_quoted = name.substr(at, 2) == "\\\"";
    if (is_escaped) {
      decoded += three == "%22" ? '"' : three == "%0D" ? '\r' : '\n';
      at += 2;
    } else {
      decoded += is_quoted ? name[++at] : name[at];
    }
  }
  return arena.copy(decoded);
}

class FormReader {
 public:
  FormReader(std::string_view boundary, std::string_view body, Arena& arena)
      : delimiter_("\r\n--" + std::string(boundary)), body_(body), arena_(arena) {}

  Result<std::span<const FormField>> read() {
    if (!findFirst()) return malformed("no part begins with the boundary of Content-Type");
    while (!is_over_) {
      if (fields_.size() == kMaxFormParts) {
        return makeError(Code::kLimitExceeded,
                         "a form may have " + std::to_string(kMaxFormParts) + " fields at most");
      }
      auto part = readPart();
      if (!part) return std::move(part.error());
    }
    auto* copies = arena_.array<FormField>(fields_.size());
    std::copy(fields_.begin(), fields_.end(), copies);
    return std::span<const FormField>(copies, fields_.size());
  }

 private:
  /// The first delimiter may stand at the very beginning; what is before it is a preamble.
  bool findFirst() {
    const std::string_view opening = std::string_view(delimiter_).substr(2);
    if (body_.substr(0, opening.size()) == opening) {
      at_ = opening.size();
      return endDelimiter();
    }
    at_ = body_.find(delimiter_);
    if (at_ == std::string_view::npos) return false;
    at_ += delimiter_.size();
    return endDelimiter();
  }

  /// Behind the boundary: `--` ends the form, else blanks and CRLF begin a part.
  bool endDelimiter() {
    if (body_.substr(at_, 2) == "--") {
      is_over_ = true;
      return true;
    }
    while (at_ < body_.size() && (body_[at_] == ' ' || body_[at_] == '\t')) ++at_;
    if (body_.substr(at_, 2) != "\r\n") return false;
    at_ += 2;
    return true;
  }

  Result<Done> readPart() {
    name_.reset();
    auto head = readHead();
    if (!head) return std::move(head.error());
    if (!name_) return malformed("a part has no Content-Disposition: form-data; name=\"…\"");
    // The line's end before a delimiter belongs to it; an empty value has only that of its head.
    const std::size_t end = body_.find(delimiter_, at_ - 2);
    if (end == std::string_view::npos) return malformed("a part does not end with the boundary");
    const std::string_view value = end < at_ ? std::string_view() : body_.substr(at_, end - at_);
    if (!text::isUtf8(value))
      return makeError(Code::kBadRequest, "a field of the form is no UTF-8");
    fields_.push_back({*name_, value});
    at_ = end + delimiter_.size();
    if (!endDelimiter()) return malformed("a boundary does not end its line");
    return Done{};
  }

  Result<Done> readHead() {
    const std::size_t begin = at_;
    while (true) {
      const std::size_t end = body_.find("\r\n", at_);
      if (end == std::string_view::npos) return malformed("a part's head does not end");
      if (end - begin > kMaxPartHeadBytes) return malformed("a part's head is too long");
      const std::string_view line = body_.substr(at_, end - at_);
      at_ = end + 2;
      if (line.empty()) return Done{};
      auto taken = takeLine(line);
      if (!taken) return taken;
    }
  }

  Result<Done> takeLine(std::string_view line) {
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const bool is_name = colon != std::string_view::npos && !name.empty() &&
                         std::all_of(name.begin(), name.end(), isTokenCharacter);
    if (!is_name || line.find_first_of(std::string_view("\0\r\n", 3)) != std::string_view::npos) {
      return malformed("a line of a part's head is no header");
    }
    const std::string_view value = text::trim(line.substr(colon + 1));
    if (text::equalsIgnoreCase(name, "Content-Disposition")) return takeDisposition(value);
    const bool is_encoded = text::equalsIgnoreCase(name, "Content-Transfer-Encoding") &&
                            !text::equalsIgnoreCase(value, "8bit") &&
                            !text::equalsIgnoreCase(value, "7bit") &&
                            !text::equalsIgnoreCase(value, "binary");
    if (is_encoded) return malformed("a part has a Content-Transfer-Encoding (RFC 7578 4.7)");
    return Done{};
  }

  Result<Done> takeDisposition(std::string_view value) {
    if (name_ || !text::equalsIgnoreCase(typeOf(value), "form-data")) {
      return malformed("a part needs one Content-Disposition: form-data");
    }
    ParameterReader reader = parametersOf(value);
    while (const auto parameter = reader.next()) {
      if (text::equalsIgnoreCase(parameter->name, "filename") ||
          text::equalsIgnoreCase(parameter->name, "filename*")) {
        return makeError(Code::kBadRequest, "this resource takes no files");
      }
      if (!text::equalsIgnoreCase(parameter->name, "name")) continue;
      if (name_) return malformed("a part has two names");
      name_ = decodeName(parameter->value, arena_);
    }
    if (reader.isMalformed()) return malformed("a Content-Disposition cannot be read");
    if (name_ && !text::isUtf8(*name_)) {
      return makeError(Code::kBadRequest, "the name of a field is no UTF-8");
    }
    return Done{};
  }

  const std::string delimiter_;
  const std::string_view body_;
  Arena& arena_;
  std::size_t at_ = 0;
  bool is_over_ = false;
  std::optional<std::string_view> name_;  // of the part that is read
  std::vector<FormField> fields_;
};

}  // namespace

bool isFormData(std::string_view content_type) {
  return text::equalsIgnoreCase(typeOf(content_type), "multipart/form-data");
}

Result<std::span<const FormField>> parseFormData(std::string_view content_type,
                                                 std::string_view body, Arena& arena) {
  std::optional<std::string_view> boundary;
  ParameterReader reader = parametersOf(content_type);
  while (const auto parameter = reader.next()) {
    if (!text::equalsIgnoreCase(parameter->name, "boundary")) continue;
    if (boundary) return malformed("Content-Type has two boundaries");
    boundary = parameter->value;
  }
  const bool is_good = boundary && !boundary->empty() && boundary->size() <= kMaxBoundaryBytes &&
                       boundary->back() != ' ' &&
                       std::all_of(boundary->begin(), boundary->end(), isBoundaryCharacter);
  if (reader.isMalformed() || !is_good) return malformed("Content-Type has no good boundary");
  return FormReader(*boundary, body, arena).read();
}

}  // namespace sub0::call
