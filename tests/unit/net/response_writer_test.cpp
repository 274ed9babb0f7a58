// SPDX-License-Identifier: Apache-2.0
#include "net/http/response_writer.hpp"

#include <gtest/gtest.h>

namespace sub0::net::http {
namespace {

std::string write(const ResponseHead& head, std::string_view body) {
  std::string out;
  writeResponse(out, head, body);
  return out;
}

TEST(ResponseWriter, JsonWithItsLength) {
  EXPECT_EQ(write({}, "{}"),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(ResponseWriter, HeadHasTheHeadersOfGetAndNoBody) {
  // spec S-50
  ResponseHead head;
  head.is_head = true;
  EXPECT_EQ(write(head, "{\"a\":1}"),
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n");
}

TEST(ResponseWriter, MethodNotAllowedNamesTheAllowed) {
  //
  ResponseHead head;
  head.status = 405;
  head.allow = "POST, OPTIONS";
  head.close = true;
  head.date = "Thu, 01 Jan 1970 00:00:00 GMT";
  EXPECT_EQ(write(head, ""),
            "HTTP/1.1 405 Method Not Allowed\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
            "Content-Type: application/json\r\nContent-Length: 0\r\nAllow: POST, OPTIONS\r\n"
            "Connection: close\r\n\r\n");
}

TEST(ResponseWriter, NoContentHasNeitherLengthNorType) {
  ResponseHead head;
  head.status = 204;
  head.extra_lines = "Access-Control-Allow-Origin: *\r\n";
  EXPECT_EQ(write(head, "ignored"),
            "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: *\r\n\r\n");
}

TEST(ResponseWriter, UnauthorizedNamesItsScheme) {
  // RFC 9110 11.6.1
  ResponseHead head;
  head.status = 401;
  EXPECT_NE(write(head, "").find("\r\nWWW-Authenticate: Bearer\r\n"), std::string::npos);
  head.status = 403;
  EXPECT_EQ(write(head, "").find("WWW-Authenticate"), std::string::npos);
}

TEST(ResponseWriter, RetryAfter) {
  ResponseHead head;
  head.status = 429;
  head.retry_after_s = 7;
  EXPECT_NE(write(head, "").find("\r\nRetry-After: 7\r\n"), std::string::npos);
}

TEST(ResponseWriter, EveryStatusOfTheHostHasItsPhrase) {
  for (const int status : {100, 101, 200, 202, 204, 304, 400, 401, 403, 404, 405, 408,
                           413, 414, 415, 417, 426, 429, 431, 500, 502, 503, 504, 505}) {
    EXPECT_NE(statusText(status), "Unknown") << status;
  }
  EXPECT_EQ(statusText(299), "Unknown");
}

TEST(ResponseWriter, LineEndsInAValueAreRefused) {
  //
  std::string out;
  EXPECT_FALSE(appendHeader(out, "X", "a\r\nSet-Cookie: b"));
  EXPECT_FALSE(appendHeader(out, "X", "a\nb"));
  EXPECT_FALSE(appendHeader(out, "X", std::string_view("a\0b", 3)));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(appendHeader(out, "X", "a"));
  EXPECT_EQ(out, "X: a\r\n");
}

TEST(ResponseWriter, DatesAreImfFixdates) {
  EXPECT_EQ(formatDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(formatDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(formatDate(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(formatDate(4107542399), "Sun, 28 Feb 2100 23:59:59 GMT");
  EXPECT_EQ(formatDate(4107542400), "Mon, 01 Mar 2100 00:00:00 GMT");
}

}  // namespace
}  // namespace sub0::net::http
