// SPDX-License-Identifier: Apache-2.0
#include "dialect/text_formats.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sub0::dialect {
namespace {

// spec S-81
TEST(TextFormats, AnEmailHasOneAtAndADottedDomain) {
  for (const char* const good : {"a@b.co", "first.last+tag@mail.example.com", "x@test.com",
                                 "x@localhost.org", "\xC3\xA9@b.co", "x@b-c.de"}) {
    EXPECT_TRUE(isEmail(good)) << good;
  }
  for (const char* const bad : {"", "a", "@b.co", "a@", "a@b", "a@@b.co", "a@b@c.co", "a@b..co",
                                "a@.co", "a@b.", "a b@c.co", "a@b c.co", "a@x.test", "a@x.TEST",
                                "a@x.localhost", "a@-b.co", "a@b_c.co", "a\n@b.co"}) {
    EXPECT_FALSE(isEmail(bad)) << bad;
  }
}

// spec S-80
TEST(TextFormats, ADateAndTimeIsARealDayATimeAndAZone) {
  for (const char* const good :
       {"2026-01-31T12:00:00Z", "2026-01-31t12:00:00z", "2026-12-31T23:59:59.999999999+14:00",
        "2024-02-29T00:00:00-00:00", "2000-02-29T00:00:00Z", "2026-06-30T23:59:60Z",
        "2026-04-30T00:00:00+23:59", "0000-01-01T00:00:00Z", "9999-12-31T00:00:00.0Z"}) {
    EXPECT_TRUE(isDateTime(good)) << good;
  }
  for (const char* const bad : {"",
                                "2026-01-31",
                                "2026-01-31T12:00:00",
                                "2026-01-31 12:00:00Z",
                                "2026-01-31T12:00Z",
                                "2026-00-10T00:00:00Z",
                                "2026-13-10T00:00:00Z",
                                "2026-01-00T00:00:00Z",
                                "2026-01-32T00:00:00Z",
                                "2026-04-31T00:00:00Z",
                                "2026-02-29T00:00:00Z",
                                "1900-02-29T00:00:00Z",
                                "2024-02-30T00:00:00Z",
                                "2026-01-31T24:00:00Z",
                                "2026-01-31T12:60:00Z",
                                "2026-01-31T12:00:61Z",
                                "2026-01-31T12:00:00.Z",
                                "2026-01-31T12:00:00,5Z",
                                "2026-01-31T12:00:00+24:00",
                                "2026-01-31T12:00:00+00:60",
                                "2026-01-31T12:00:00+0000",
                                "2026-01-31T12:00:00+00",
                                "2026-01-31T12:00:00ZZ",
                                "2026-01-31T12:00:00Z ",
                                " 2026-01-31T12:00:00Z",
                                "26-01-31T12:00:00Z",
                                "+2026-01-31T12:00:00Z",
                                "2026-1-31T12:00:00Z",
                                "20260131T120000Z",
                                "2026-W05-6T12:00:00Z",
                                "1767225600",
                                "2026-01-31T12:00:00 Z",
                                "2026-01-31T1a:00:00Z"}) {
    EXPECT_FALSE(isDateTime(bad)) << bad;
  }
}

// spec S-80: any cut of a good text is bad
TEST(TextFormats, ADateAndTimeThatIsCutOffIsNone) {
  const std::string whole = "2026-01-31T12:00:00.5+02:00";
  EXPECT_TRUE(isDateTime(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(isDateTime(whole.substr(0, size))) << size;
  }
}

// spec S-80
TEST(TextFormats, AUuidHasItsGroupsOfHexDigits) {
  for (const char* const good :
       {"01234567-89ab-cdef-0123-456789abcdef", "01234567-89AB-CDEF-0123-456789ABCDEF",
        "00000000-0000-0000-0000-000000000000", "ffffffff-FFFF-ffff-FFFF-ffffffffffff"}) {
    EXPECT_TRUE(isUuid(good)) << good;
  }
  for (const char* const bad :
       {"", "01234567-89ab-cdef-0123-456789abcde", "01234567-89ab-cdef-0123-456789abcdef0",
        "0123456789abcdef0123456789abcdef", "01234567089ab-cdef-0123-456789abcdef",
        "{01234567-89ab-cdef-0123-456789abcdef}", "0123456-789ab-cdef-0123-456789abcdef",
        "g1234567-89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcde-",
        "01234567-89ab-cdef-0123 456789abcdef"}) {
    EXPECT_FALSE(isUuid(bad)) << bad;
  }
}

}  // namespace
}  // namespace sub0::dialect
