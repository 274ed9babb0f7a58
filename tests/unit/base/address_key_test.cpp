// SPDX-License-Identifier: Apache-2.0
#include "base/address_key.hpp"

#include <gtest/gtest.h>

namespace sub0 {
namespace {

TEST(AddressKey, EveryIpv4AddressIsItsOwn) {
  //
  EXPECT_NE(addressKey("192.0.2.1"), addressKey("192.0.2.2"));
  EXPECT_EQ(addressKey("192.0.2.1"), addressKey("::ffff:192.0.2.1"));
  EXPECT_EQ(addressKeyText(addressKey("192.0.2.1")), "192.0.2.1");
}

TEST(AddressKey, AllOfAnIpv6NetworkOf64BitsIsOne) {
  //
  EXPECT_EQ(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(addressKey("2001:db8:1:2::1"), addressKey("2001:db8:1:3::1"));
  EXPECT_EQ(addressKeyText(addressKey("2001:db8:1:2::1")), "2001:db8:1:2::/64");
  EXPECT_NE(addressKey("::1"), 0U);
  EXPECT_EQ(addressKeyText(addressKey("::1")), "::/64");
}

TEST(AddressKey, WhatIsNoAddressHasNone) {
  for (const char* text : {"", "x", "10.1", "0x7f.0.0.1", "fe80::1%eth0", "1.2.3.4.5",
                           "11111:2222:3333:4444:5555:6666:7777:8888:9999:0"}) {
    EXPECT_EQ(addressKey(text), 0U) << text;
  }
}

}  // namespace
}  // namespace sub0
