// SPDX-License-Identifier: Apache-2.0
// Forms: the bytes are a body with boundary "B" (steer 0), or a Content-Type up to the first line's
// end and a body. What is read is UTF-8 and stands in the body, in order; written again with
// another boundary it is the same.
#include <string>

#include "base/text.hpp"
#include "call/form_data.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::call {
namespace {

std::string shown(std::span<const FormField> fields) {
  std::string out;
  for (const FormField& field : fields) {
    out += std::to_string(field.name.size()) + ":" + std::string(field.name) + "=" +
           std::to_string(field.value.size()) + ":" + std::string(field.value) + ";";
  }
  return out;
}

/// As browsers write a name.
std::string encoded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out;
}

void judgeAgain(std::span<const FormField> fields) {
  const std::string boundary = "-another boundary-that nobody writes";
  std::string body;
  for (const FormField& field : fields) {
    const bool has_escape = field.name.find('%') != std::string_view::npos ||
                            field.name.find('\\') != std::string_view::npos ||
                            field.name.find('\0') != std::string_view::npos;
    if (has_escape || field.value.find(boundary) != std::string_view::npos) return;
    body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + encoded(field.name) +
            "\"\r\n\r\n" + std::string(field.value) + "\r\n";
  }
  body += "--" + boundary + "--";
  Arena arena;
  const auto again =
      parseFormData("multipart/form-data; boundary=\"" + boundary + "\"", body, arena);
  FUZZ_CHECK(again);
  fuzz::checkEqual(shown(*again), shown(fields), "written again");
}

void judge(std::string_view type, std::string_view body) {
  Arena arena;
  const fuzz::Padded padded(body);
  const auto fields = parseFormData(type, padded.view(), arena);
  if (!fields) {
    FUZZ_CHECK(!fields.error().message.empty());
    return;
  }
  const char* at = padded.view().data();
  for (const FormField& field : *fields) {
    FUZZ_CHECK(text::isUtf8(field.name) && text::isUtf8(field.value));
    if (field.value.data() == nullptr) continue;
    FUZZ_CHECK(field.value.data() >= at);
    at = field.value.data() + field.value.size();
    FUZZ_CHECK(at <= padded.view().data() + padded.view().size());
  }
  judgeAgain(*fields);
}

}  // namespace
}  // namespace sub0::call

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const sub0::fuzz::Input input(data, size);
  if (input.steer % 2 == 0) {
    sub0::call::judge("multipart/form-data; boundary=B", input.bytes);
    return 0;
  }
  const std::size_t end = input.bytes.find('\n');
  if (end == std::string_view::npos) return 0;
  sub0::call::judge(input.bytes.substr(0, end), input.bytes.substr(end + 1));
  return 0;
}
