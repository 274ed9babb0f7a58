// SPDX-License-Identifier: Apache-2.0
#include "net/http/query_string.hpp"

#include <gtest/gtest.h>

namespace sub0::net::http {
namespace {

TEST(QueryString, PairsAreDecodedOnceInOrder) {
  // spec S-50
  EXPECT_EQ(parseQuery(""), QueryParameters{});
  EXPECT_EQ(parseQuery("a=1&b=x%20y+z&a=2"),
            (QueryParameters{{"a", "1"}, {"b", "x y z"}, {"a", "2"}}));
  EXPECT_EQ(parseQuery("a&&b=&=c&d=e=f"),
            (QueryParameters{{"a", ""}, {"b", ""}, {"", "c"}, {"d", "e=f"}}));
  EXPECT_EQ(parseQuery("%61%3D=%2541%26"), (QueryParameters{{"a=", "%41&"}}));
  EXPECT_EQ(parseQuery("e=%E2%82%AC"), (QueryParameters{{"e", "\xE2\x82\xAC"}}));
}

TEST(QueryString, BadEscapesAndBytesAreRefused) {
  for (const char* query : {"a=%", "a=%4", "a=%zz", "%=a", "a=%00", "%00=a", "a=%FF", "a=%C0%AF"}) {
    EXPECT_FALSE(parseQuery(query)) << query;
  }
}

}  // namespace
}  // namespace sub0::net::http
