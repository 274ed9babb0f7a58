// SPDX-License-Identifier: Apache-2.0
#include "call/form_data.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::call {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=B";

/// "name=value|…", or the name of the error and its message.
std::string read(std::string_view body, std::string_view type = kType) {
  Arena arena;
  const auto fields = parseFormData(type, body, arena);
  if (!fields)
    return std::string(codeInfo(fields.error().code).name) + ": " + fields.error().message;
  std::string out;
  for (const FormField& field : *fields) {
    out.append(field.name).append("=").append(field.value).append("|");
  }
  return out;
}

std::string part(const std::string& name, const std::string& value) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

// spec S-50, S-37: RFC 7578, RFC 2046 section 5.1.1
TEST(FormData, FieldsAreTextsInTheirOrder) {
  EXPECT_EQ(read(part("a", "1") + part("b", "x\r\ny") + "--B--\r\n"), "a=1|b=x\r\ny|");
  EXPECT_EQ(read(part("a", "") + "--B--"), "a=|");
  EXPECT_EQ(read("--B--"), "");
  EXPECT_EQ(read("a preamble\r\n" + part("a", "1") + "--B--\r\nan epilogue"), "a=1|");
  EXPECT_EQ(read(part("a", "x--B\n--B--\r--B") + "--B--"), "a=x--B\n--B--\r--B|");
  EXPECT_EQ(read("--B \t\r\ncontent-disposition:form-data ;name=a\r\nContent-Type: text/plain; "
                 "charset=utf-8\r\nX-More: 1\r\n\r\n1\r\n--B--"),
            "a=1|");
  EXPECT_EQ(read("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n--B--"), "a=|")
      << "an empty value may share the line's end with its head";
}

// spec S-50
TEST(FormData, NamesAreReadAsBrowsersWriteThem) {
  EXPECT_EQ(read(part("a%22b%0D%0Ac%41", "1") + "--B--"), "a\"b\r\nc%41=1|");
  EXPECT_EQ(read(part(R"(a\"b\\c\d)", "1") + "--B--"), "a\"b\\\\c\\d=1|");
  EXPECT_EQ(read(part(R"(C:\x\)", "1") + "--B--"), "C:\\x\\=1|");
  EXPECT_EQ(read(part("grüße", "1") + "--B--"), "grüße=1|");
  EXPECT_EQ(read(part("", "1") + "--B--"), "=1|");
}

// spec S-50
TEST(FormData, TheBoundaryIsThatOfTheType) {
  const std::string body =
      "--a b'()+_,-./:=?9\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
      "--a b'()+_,-./:=?9--";
  EXPECT_EQ(read(body, R"(Multipart/Form-Data; charset=utf-8; Boundary="a b'()+_,-./:=?9";)"),
            "a=1|");
  for (const std::string type :
       {"multipart/form-data", "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"a",
        "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=\"a;b\"",
        "multipart/form-data, boundary=a", "multipart/form-data; boundary=a b"}) {
    EXPECT_EQ(read(part("a", "1") + "--B--", type),
              "bad_request: malformed multipart/form-data: Content-Type has no good boundary")
        << type;
  }
  EXPECT_EQ(read("--a--", "multipart/form-data; boundary=a; boundary=b"),
            "bad_request: malformed multipart/form-data: Content-Type has two boundaries");
  EXPECT_EQ(read("", "multipart/form-data; boundary=" + std::string(71, 'x')),
            "bad_request: malformed multipart/form-data: Content-Type has no good boundary");
}

// Q-65: nothing is taken for what it is not
TEST(FormData, WhatIsMalformedIsRefused) {
  const std::string head = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n";
  const std::pair<std::string, std::string> cases[] = {
      {"", "no part begins"},
      {"--C--", "no part begins"},
      {"--BB--", "no part begins"},
      {"--B\n" + part("a", "1"), "no part begins"},
      {"--B\r\n", "a part's head does not end"},
      {head + "1", "does not end with the boundary"},
      {head + "1\n--B--", "does not end with the boundary"},
      {head + "1\r\n--B", "a boundary does not end its line"},
      {head + "1\r\n--Bx--", "a boundary does not end its line"},
      {"--B\r\n\r\n1\r\n--B--", "no Content-Disposition"},
      {"--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--", "no Content-Disposition"},
      {"--B\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--B--",
       "one Content-Disposition"},
      {"--B\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
       "name=b\r\n\r\n1\r\n--B--",
       "one Content-Disposition"},
      {"--B\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--B--", "two names"},
      {"--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\n1\r\n--B--", "cannot be read"},
      {"--B\r\nContent-Disposition: form-data; name\r\n\r\n1\r\n--B--", "cannot be read"},
      {"--B\r\nno header\r\n\r\n1\r\n--B--", "is no header"},
      {"--B\r\nA B: c\r\n\r\n1\r\n--B--", "is no header"},
      {"--B\r\n folded\r\n\r\n1\r\n--B--", "is no header"},
      {"--B\r\nX: a\nb\r\n\r\n1\r\n--B--", "is no header"},
      {"--B\r\nX: " + std::string(9000, 'x') + "\r\n\r\n1\r\n--B--", "head is too long"},
      {"--B\r\nContent-Transfer-Encoding: base64\r\n\r\n1\r\n--B--", "Content-Transfer-Encoding"},
  };
  for (const auto& [body, expected] : cases) {
    EXPECT_NE(read(body).find(expected), std::string::npos) << body << ": " << read(body);
    EXPECT_EQ(read(body).rfind("bad_request: malformed", 0), 0U) << body;
  }
}

// Q-64, Q-65
TEST(FormData, FilesBadTextAndTooManyFieldsAreRefused) {
  for (const char* const name : {"filename=\"x.png\"", "FileName=x", "filename*=UTF-8''x"}) {
    EXPECT_EQ(read("--B\r\nContent-Disposition: form-data; name=a; " + std::string(name) +
                   "\r\n\r\n1\r\n--B--"),
              "bad_request: this resource takes no files");
  }
  EXPECT_EQ(read(part("a", "\xff") + "--B--"), "bad_request: a field of the form is no UTF-8");
  EXPECT_EQ(read(part("\xc0\xaf", "1") + "--B--"), "bad_request: the name of a field is no UTF-8");
  std::string many;
  for (std::size_t i = 0; i < kMaxFormParts; ++i) many += part("a", "1");
  EXPECT_EQ(read(many + "--B--").size(), kMaxFormParts * 4);
  EXPECT_EQ(read(many + part("a", "1") + "--B--"),
            "limit_exceeded: a form may have 1000 fields at most");
}

// Q-61
TEST(FormData, EveryBeginningOfAFormIsNone) {
  const std::string body = "pre\r\n" + part("a", "12") + part("b", "") + "--B--";
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_NE(read(body.substr(0, size)).find("malformed"), std::string::npos) << size;
  }
  EXPECT_EQ(read(body), "a=12|b=|");
}

}  // namespace
}  // namespace sub0::call
