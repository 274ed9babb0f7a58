// SPDX-License-Identifier: Apache-2.0
#include "auth/date_time.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::auth {
namespace {

TEST(DateTime, TimesAreReadWithTheirZone) {
  const std::pair<const char*, std::int64_t> rows[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59Z", -1},
      {"2022-01-01T00:00:00+00:00", 1'640'995'200},
      {"2022-01-01T00:00:00-00:00", 1'640'995'200},
      {"2022-01-01t00:00:00z", 1'640'995'200},
      {"2022-01-01T02:00:00+02:00", 1'640'995'200},
      {"2021-12-31T18:30:00-05:30", 1'640'995'200},
      {"2022-01-01T00:00:00.000000Z", 1'640'995'200},
      {"2021-12-31T23:59:59.0000001Z", 1'640'995'200},
      {"2021-12-31T23:59:60Z", 1'640'995'200},
      {"2024-02-29T12:00:00Z", 1'709'208'000},
      {"2000-02-29T00:00:00Z", 951'782'400},
      {"0000-01-01T00:00:00Z", -62'167'219'200},
      {"9999-12-31T23:59:59Z", 253'402'300'799}};
  for (const auto& [text, seconds] : rows) EXPECT_EQ(parseDateTime(text), seconds) << text;
}

TEST(DateTime, EverythingElseIsNone) {
  for (const char* text : {"",
                           "2022",
                           "2022-01-01",
                           "2022-01-01T00:00:00",
                           "2022-01-01 00:00:00Z",
                           "2022-01-01T00:00Z",
                           "2022-01-01T00:00:00.Z",
                           "2022-01-01T00:00:00,5Z",
                           "2022-01-01T00:00:00Zx",
                           " 2022-01-01T00:00:00Z",
                           "2022-01-01T00:00:00Z ",
                           "2022-1-01T00:00:00Z",
                           "22-01-01T00:00:00Z",
                           "02022-01-01T00:00:00Z",
                           "-2022-01-01T00:00:00Z",
                           "+022-01-01T00:00:00Z",
                           "2022-00-01T00:00:00Z",
                           "2022-13-01T00:00:00Z",
                           "2022-01-00T00:00:00Z",
                           "2022-01-32T00:00:00Z",
                           "2022-02-29T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2022-04-31T00:00:00Z",
                           "2022-01-01T24:00:00Z",
                           "2022-01-01T00:60:00Z",
                           "2022-01-01T00:00:61Z",
                           "2022-01-01T00:00:00+24:00",
                           "2022-01-01T00:00:00+00:60",
                           "2022-01-01T00:00:00+0000",
                           "2022-01-01T00:00:00+00",
                           "2022-01-01T00:00:00+",
                           "2022-01-01T00:00:00UTC",
                           "1640995200"}) {
    EXPECT_EQ(parseDateTime(text), std::nullopt) << text;
  }
}

TEST(DateTime, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(formatDateTime(0), "1970-01-01T00:00:00+00:00");
  EXPECT_EQ(formatDateTime(1'640'995'199), "2021-12-31T23:59:59+00:00");
  EXPECT_EQ(formatDateTime(1'709'208'000), "2024-02-29T12:00:00+00:00");
  EXPECT_EQ(formatDateTime(-62'167'219'200), "0000-01-01T00:00:00+00:00");
  EXPECT_EQ(formatDateTime(253'402'300'799), "9999-12-31T23:59:59+00:00");
  for (const std::int64_t beyond :
       {std::int64_t{253'402'300'800}, std::int64_t{-62'167'219'201}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(formatDateTime(beyond), std::nullopt);
  }
  for (std::int64_t seconds = -62'167'219'200; seconds < 253'402'300'799;
       seconds += 9'999'991'111) {
    EXPECT_EQ(parseDateTime(formatDateTime(seconds).value()), seconds);
  }
}

}  // namespace
}  // namespace sub0::auth
