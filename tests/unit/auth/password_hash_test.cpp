// SPDX-License-Identifier: Apache-2.0
#include "auth/password_hash.hpp"

#include <gtest/gtest.h>

// Hashes of passwords, our own and other people's.
namespace sub0::auth {
namespace {

constexpr HashSalt kSalt{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

std::string hashed(HashAlgorithm algorithm, std::string_view password, std::uint32_t rounds = 4,
                   const HashSalt& salt = kSalt) {
  const auto made = hashPassword(costOfNew(algorithm, rounds), password, salt);
  EXPECT_TRUE(made);
  return made ? *made : "";
}

bool matches(HashAlgorithm algorithm, std::string_view stored, std::string_view password) {
  EXPECT_TRUE(costOfStored(algorithm, stored)) << stored;
  const auto result = matchesHash(algorithm, stored, password);
  EXPECT_TRUE(result);
  return result && *result;
}

// spec S-95
TEST(PasswordHash, WhatIsHashedMatchesItselfAndNothingElse) {
  for (const auto algorithm : {HashAlgorithm::kBcrypt, HashAlgorithm::kArgon2}) {
    for (const char* password : {"correct horse battery staple", "", "пароль", "🔑"}) {
      const std::string stored = hashed(algorithm, password);
      EXPECT_TRUE(matches(algorithm, stored, password));
      EXPECT_FALSE(matches(algorithm, stored, std::string(password) + "x"));
      EXPECT_FALSE(matches(algorithm, stored, "Correct horse battery staple"));
    }
  }
}

TEST(PasswordHash, TheFormIsTheOneThatAllLibrariesShare) {
  EXPECT_EQ(hashed(HashAlgorithm::kBcrypt, "p").substr(0, 7), "$2b$04$");
  EXPECT_EQ(hashed(HashAlgorithm::kBcrypt, "p").size(), 60u);
  EXPECT_EQ(hashed(HashAlgorithm::kArgon2, "p", 12).substr(0, 54),
            "$argon2id$v=19$m=19456,t=12,p=1$AQIDBAUGBwgJCgsMDQ4PEA");
  EXPECT_EQ(costOfStored(HashAlgorithm::kBcrypt, hashed(HashAlgorithm::kBcrypt, "p", 5))->rounds,
            5u);
  const auto cost = costOfStored(HashAlgorithm::kArgon2, hashed(HashAlgorithm::kArgon2, "p", 7));
  EXPECT_EQ(cost->rounds, 7u);
  EXPECT_EQ(cost->memory_kib, 19'456u);
}

TEST(PasswordHash, EverySaltGivesAnotherHash) {
  HashSalt other = kSalt;
  other[15] ^= 1;
  for (const auto algorithm : {HashAlgorithm::kBcrypt, HashAlgorithm::kArgon2}) {
    EXPECT_NE(hashed(algorithm, "p"), hashed(algorithm, "p", 4, other));
  }
  // A text of the project changes the salt, and never takes the place of what is random.
  EXPECT_NE(foldSalt(kSalt, "pepper"), foldSalt(kSalt, "salt"));
  EXPECT_NE(foldSalt(kSalt, "pepper"), foldSalt(other, "pepper"));
  EXPECT_NE(foldSalt(kSalt, ""), foldSalt(other, ""));
}

struct Foreign {
  HashAlgorithm algorithm;
  const char* stored;
  const char* password;
};

// Of crypt_blowfish's own tests, and made by Python's bcrypt and argon2-cffi.
const Foreign kForeign[] = {
    {HashAlgorithm::kBcrypt, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
    {HashAlgorithm::kBcrypt, "$2b$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
     "U*U*"},
    {HashAlgorithm::kBcrypt, "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a",
     "U*U*U"},
    {HashAlgorithm::kBcrypt, "$2a$04$.6G0OUK1oVoGwlxRNgA/aOiwF6x8.0pcFZCk4E9/wCm0eETXbCDf.",
     "пароль"},
    {HashAlgorithm::kBcrypt, "$2a$04$XHwzSeyVfAqxPAgaHOYh9OqU/pKIXM2Zk5Qsyp7wy/SE2spsuPI6m", ""},
    {HashAlgorithm::kArgon2,
     "$argon2id$v=19$m=65536,t=3,p=4$ZfTZSkDV3owtgVN4jJjIeQ$2YTG8VasjCpeHZ9DVMnqJw", "password"},
    {HashAlgorithm::kArgon2,
     "$argon2i$v=19$m=4096,t=3,p=2$vsyEgR1hlDec9UVMzn/hDw$plz2TRQN0uBjYcNe8nxqPw", "password"},
};

// spec S-95
TEST(PasswordHash, HashesOfOtherLibrariesMatch) {
  for (const Foreign& foreign : kForeign) {
    EXPECT_TRUE(matches(foreign.algorithm, foreign.stored, foreign.password)) << foreign.stored;
    EXPECT_FALSE(matches(foreign.algorithm, foreign.stored, "U*")) << foreign.stored;
    EXPECT_FALSE(costOfStored(foreign.algorithm == HashAlgorithm::kBcrypt ? HashAlgorithm::kArgon2
                                                                          : HashAlgorithm::kBcrypt,
                              foreign.stored));
  }
}

// spec S-95
TEST(PasswordHash, BcryptNeverHashesAPartOfAPassword) {
  const std::string longest(72, 'x');
  EXPECT_EQ(faultOf(HashAlgorithm::kBcrypt, longest), "");
  EXPECT_NE(faultOf(HashAlgorithm::kBcrypt, longest + "x"), "");
  EXPECT_NE(faultOf(HashAlgorithm::kBcrypt, std::string_view("a\0b", 3)), "");
  EXPECT_EQ(faultOf(HashAlgorithm::kArgon2, longest + "x"), "");
  EXPECT_EQ(faultOf(HashAlgorithm::kArgon2, std::string_view("a\0b", 3)), "");
  EXPECT_EQ(faultOf(HashAlgorithm::kArgon2, std::string(kMaxPasswordBytes, 'x')), "");
  EXPECT_NE(faultOf(HashAlgorithm::kArgon2, std::string(kMaxPasswordBytes + 1, 'x')), "");
  // What others hashed of a long password was its first 72 bytes: it goes on to match.
  const std::string stored = hashed(HashAlgorithm::kBcrypt, longest);
  EXPECT_TRUE(matches(HashAlgorithm::kBcrypt, stored, longest + " and more"));
  EXPECT_TRUE(matches(HashAlgorithm::kBcrypt, stored, std::string(600, 'x')));
  EXPECT_FALSE(matches(HashAlgorithm::kBcrypt, stored, longest.substr(1)));
  // What stands before a zero byte is not the password.
  const std::string a = hashed(HashAlgorithm::kBcrypt, "a");
  EXPECT_FALSE(matches(HashAlgorithm::kBcrypt, a, std::string_view("a\0b", 3)));
  EXPECT_FALSE(matches(HashAlgorithm::kArgon2, hashed(HashAlgorithm::kArgon2, "a"),
                       std::string_view("a\0b", 3)));
}

TEST(PasswordHash, WhatIsNoHashIsTakenForNone) {
  const std::string bcrypt = hashed(HashAlgorithm::kBcrypt, "p");
  for (std::string text :
       {std::string(), std::string("p"), bcrypt + " ", " " + bcrypt, bcrypt.substr(1),
        bcrypt.substr(0, 59), "$2x" + bcrypt.substr(3), "$2$" + bcrypt.substr(3),
        "$2b$03$" + bcrypt.substr(7), "$2b$32$" + bcrypt.substr(7), "$2b$4$" + bcrypt.substr(6),
        "$2b$-4$" + bcrypt.substr(7), bcrypt.substr(0, 30) + "$" + bcrypt.substr(31),
        bcrypt.substr(0, 30) + std::string(1, '\0') + bcrypt.substr(31),
        std::string("$6$somesalt$abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv"),
        std::string("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$X3DX6M94c7o.9agCG9G317fhZg9SqC")}) {
    EXPECT_FALSE(costOfStored(HashAlgorithm::kBcrypt, text)) << text;
  }
  const std::string end = "$AQIDBAUGBwgJCgsMDQ4PEA$2YTG8VasjCpeHZ9DVMnqJw";
  for (const char* begin : {"", "$argon2d$v=19$m=65536,t=3,p=4", "$argon2id$v=16$m=65536,t=3,p=4",
                            "$argon2id$m=65536,t=3,p=4", "$argon2id$v=19$m=065536,t=3,p=4",
                            "$argon2id$v=19$m=65536,t=0,p=4", "$argon2id$v=19$m=65536,t=3,p=0",
                            "$argon2id$v=19$m=65536,t=3", "$argon2id$v=19$t=3,m=65536,p=4",
                            "$argon2id$v=19$m=4294967296,t=3,p=4", "$argon2id$v=19$m=-1,t=3,p=4",
                            "$argon2id$v=19$m=65536,t=3,p=4,data=x",
                            "$argon2id$v=19$ m=65536,t=3,p=4", "$Argon2id$v=19$m=65536,t=3,p=4"}) {
    EXPECT_FALSE(costOfStored(HashAlgorithm::kArgon2, begin + end)) << begin;
  }
  EXPECT_FALSE(costOfStored(HashAlgorithm::kArgon2, "$argon2id$v=19$m=65536,t=3,p=4$$x"));
  EXPECT_FALSE(costOfStored(HashAlgorithm::kArgon2, "$argon2id$v=19$m=65536,t=3,p=4" + end + "$"));
  EXPECT_FALSE(costOfStored(HashAlgorithm::kArgon2,
                            "$argon2id$v=19$m=65536,t=3,p=4" + end + std::string(500, 'A')));
}

// spec S-95
TEST(PasswordHash, AStoredHashCannotKeepAThreadForHoursNorTakeAllMemory) {
  const auto bcrypt = [](std::uint32_t rounds) {
    return HashCost{HashAlgorithm::kBcrypt, rounds, 0};
  };
  EXPECT_TRUE(isAffordable(bcrypt(16), 16));
  EXPECT_FALSE(isAffordable(bcrypt(17), 16));
  EXPECT_TRUE(isAffordable(bcrypt(17), 17));
  const auto argon2 = [](std::uint32_t passes, std::uint32_t memory_kib) {
    return HashCost{HashAlgorithm::kArgon2, passes, memory_kib};
  };
  EXPECT_TRUE(isAffordable(argon2(31, 19'456), 4));
  EXPECT_TRUE(isAffordable(argon2(3, 262'144), 4));
  EXPECT_FALSE(isAffordable(argon2(1, 262'145), 4));
  EXPECT_FALSE(isAffordable(argon2(17, 262'144), 4));
  EXPECT_FALSE(isAffordable(argon2(4'294'967'295, 4'294'967'295), 4));
}

TEST(PasswordHash, AHashThatOnlyLooksLikeOneMatchesNothing) {
  // The form is right; what it says is not.
  for (const char* stored :
       {"$argon2id$v=19$m=7,t=1,p=1$AQIDBAUGBwgJCgsMDQ4PEA$2YTG8VasjCpeHZ9DVMnqJw",
        "$argon2id$v=19$m=64,t=1,p=9$AQIDBAUGBwgJCgsMDQ4PEA$2YTG8VasjCpeHZ9DVMnqJw",
        "$argon2id$v=19$m=64,t=1,p=1$AQ$2YTG8VasjCpeHZ9DVMnqJw",
        "$argon2id$v=19$m=64,t=1,p=1$AQIDBAUGBwgJCgsMDQ4PEA$2"}) {
    EXPECT_FALSE(matches(HashAlgorithm::kArgon2, stored, "password"));
  }
}

}  // namespace
}  // namespace sub0::auth
