// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

// PASETO v4.local: a text encrypted by XChaCha20 and authenticated, with its footer, by BLAKE2b
// under keys that are derived from the key and the nonce
// (https://github.com/paseto-standard/paseto-spec, version 4). The forms and the arithmetic alone,
// by libsodium: what the text means, and what time it is, others know. Pure; any thread;
// sodium_init() has been called before.
namespace sub0::auth {

inline constexpr std::string_view kV4LocalHeader = "v4.local.";
inline constexpr std::size_t kPasetoBytes = 32;  // of key, nonce and tag

using PasetoKeyBytes = std::array<unsigned char, kPasetoBytes>;
using PasetoNonce = std::array<unsigned char, kPasetoBytes>;

/// The token. A nonce that comes twice under one key shows what both texts have in common.
std::string sealV4Local(const PasetoKeyBytes& key, const PasetoNonce& nonce, std::string_view text,
                        std::string_view footer = {}, std::string_view implicit = {});

/// The text of the token; nullopt for anything but a token that was sealed with this key and
/// `implicit`, its parts spelled as sealV4Local() spells them. The footer, if there is one, is as
/// authentic as the text, and not looked at. The tag is compared in constant time.
std::optional<std::string> openV4Local(const PasetoKeyBytes& key, std::string_view token,
                                       std::string_view implicit = {});

}  // namespace sub0::auth
