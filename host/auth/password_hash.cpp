// SPDX-License-Identifier: Apache-2.0
#include "auth/password_hash.hpp"

#include <crypt.h>
#include <sodium/core.h>
#include <sodium/crypto_generichash.h>
#include <sodium/crypto_pwhash_argon2i.h>
#include <sodium/crypto_pwhash_argon2id.h>
#include <sodium/utils.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <tuple>
#include <vector>

#include "base/text.hpp"

namespace sub0::auth {
namespace {

// What is recommended at least for 2 passes of Argon2id (OWASP); hashes here take 4 to 31 passes.
constexpr std::uint32_t kNewMemoryKib = 19'456;
// Of stored hashes: the largest defaults of other people's libraries are 256 MiB and 3 passes.
constexpr std::uint32_t kMaxMemoryKib = 262'144;
constexpr std::uint64_t kMaxFilledKib = std::uint64_t{4} << 20;  // memory times passes: seconds

constexpr std::size_t kBcryptBytes = 60;  // "$2b$12$", 22 characters of salt, 31 of the hash
constexpr std::size_t kBcryptPrefixBytes = 7;
constexpr std::size_t kMaxStoredBytes = 512;
constexpr std::size_t kDigestBytes = 32;

bool isLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool isMadeOf(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [marks](char c) {
    return isLetterOrDigit(c) || marks.find(c) != std::string_view::npos;
  });
}

/// "m=19456" with `name` "m=": the number, as it is written in one way only.
std::optional<std::uint32_t> numberOf(std::string_view field, std::string_view name) {
  if (field.substr(0, name.size()) != name) return std::nullopt;
  field.remove_prefix(name.size());
  if (field.empty() || (field.front() == '0' && field.size() > 1)) return std::nullopt;
  std::uint32_t number = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::optional<HashCost> costOfBcrypt(std::string_view stored) {
  if (stored.size() != kBcryptBytes || stored.substr(0, 2) != "$2" || stored[3] != '$' ||
      stored[6] != '$' || (stored[2] != 'a' && stored[2] != 'b' && stored[2] != 'y') ||
      !isMadeOf(stored.substr(kBcryptPrefixBytes), "./")) {
    return std::nullopt;
  }
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!is_digit(stored[4]) || !is_digit(stored[5])) return std::nullopt;
  const auto rounds = static_cast<std::uint32_t>((stored[4] - '0') * 10 + (stored[5] - '0'));
  if (rounds < 4 || rounds > 31) return std::nullopt;
  return HashCost{HashAlgorithm::kBcrypt, rounds, 0};
}

std::optional<HashCost> costOfArgon2(std::string_view stored) {
  if (stored.size() > kMaxStoredBytes || !isMadeOf(stored, "$=,+/")) return std::nullopt;
  const auto parts = text::split(stored, "$");
  if (parts.size() != 6 || !parts[0].empty()) return std::nullopt;
  if (parts[1] != "argon2id" && parts[1] != "argon2i") return std::nullopt;
  if (parts[2] != "v=19" || parts[4].empty() || parts[5].empty()) return std::nullopt;
  const auto costs = text::split(parts[3], ",");
  if (costs.size() != 3) return std::nullopt;
  const auto memory_kib = numberOf(costs[0], "m=");
  const auto passes = numberOf(costs[1], "t=");
  const auto lanes = numberOf(costs[2], "p=");
  if (!memory_kib || !passes || *passes == 0 || !lanes || *lanes == 0) return std::nullopt;
  return HashCost{HashAlgorithm::kArgon2, *passes, *memory_kib};
}

/// All that bcrypt looks at; libxcrypt refuses texts of 512 bytes.
constexpr std::size_t kBcryptPasswordBytes = 72;

/// libxcrypt, with a memory of its own that is wiped.
class Bcrypt {
 public:
  Bcrypt() : data_(std::make_unique<crypt_data>()) {}
  ~Bcrypt() { sodium_memzero(data_.get(), sizeof(crypt_data)); }
  Bcrypt(const Bcrypt&) = delete;
  Bcrypt& operator=(const Bcrypt&) = delete;

  /// Empty: it failed. Lives as long as this.
  std::string_view hash(std::string_view password, const std::string& setting) {
    std::string ended(password.substr(0, kBcryptPasswordBytes));  // zero-terminated
    const char* made = crypt_r(ended.c_str(), setting.c_str(), data_.get());
    sodium_memzero(ended.data(), ended.size());
    const std::string_view text = made == nullptr ? std::string_view() : std::string_view(made);
    return text.size() == kBcryptBytes ? text : std::string_view();
  }

 private:
  std::unique_ptr<crypt_data> data_;
};

std::string settingOf(std::uint32_t rounds, const HashSalt& salt) {
  char setting[CRYPT_GENSALT_OUTPUT_SIZE];
  const char* made =
      crypt_gensalt_rn("$2b$", rounds, reinterpret_cast<const char*>(salt.data()),
                       static_cast<int>(salt.size()), setting, static_cast<int>(sizeof setting));
  return made == nullptr ? std::string() : std::string(made);
}

Result<std::string> makeBcrypt(std::uint32_t rounds, std::string_view password,
                               const HashSalt& salt) {
  const std::string setting = settingOf(rounds, salt);
  Bcrypt bcrypt;
  const std::string_view hash =
      setting.empty() ? std::string_view() : bcrypt.hash(password, setting);
  if (hash.empty()) return makeError(Code::kInternal, {}, "libxcrypt made no hash");
  return std::string(hash);
}

bool matchesBcrypt(std::string_view stored, std::string_view password) {
  // The letters name mistakes of old libraries that text in UTF-8 does not meet; who wrote $2a$ or
  // $2y$ computed the same.
  std::string setting(stored);
  setting[2] = 'b';
  Bcrypt bcrypt;
  const std::string_view hash = bcrypt.hash(password, setting);
  const bool is_same =
      hash.size() == setting.size() && sodium_memcmp(hash.data(), setting.data(), hash.size()) == 0;
  // What stands before a zero byte is not the password.
  return is_same && password.find('\0') == std::string_view::npos;
}

std::string base64Of(const unsigned char* bytes, std::size_t size) {
  std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_ORIGINAL_NO_PADDING),
                   '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size,
                    sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
  text.pop_back();  // its zero
  return text;
}

Result<std::string> makeArgon2(const HashCost& cost, std::string_view password,
                               const HashSalt& salt) {
  static_assert(std::tuple_size_v<HashSalt> == crypto_pwhash_argon2id_SALTBYTES);
  std::array<unsigned char, kDigestBytes> digest{};
  const int result = crypto_pwhash_argon2id(
      digest.data(), digest.size(), password.data(), password.size(), salt.data(), cost.rounds,
      std::size_t{cost.memory_kib} * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  if (result != 0) return makeError(Code::kBusy, {}, "no memory for a hash of Argon2");
  return "$argon2id$v=19$m=" + std::to_string(cost.memory_kib) +
         ",t=" + std::to_string(cost.rounds) + ",p=1$" + base64Of(salt.data(), salt.size()) + "$" +
         base64Of(digest.data(), digest.size());
}

Result<bool> matchesArgon2(std::string_view stored, std::string_view password) {
  const std::string ended(stored);
  const bool is_id = stored.substr(0, 10) == "$argon2id$";
  errno = 0;
  const int result =
      is_id ? crypto_pwhash_argon2id_str_verify(ended.c_str(), password.data(), password.size())
            : crypto_pwhash_argon2i_str_verify(ended.c_str(), password.data(), password.size());
  if (result != 0 && errno == ENOMEM) {
    return makeError(Code::kBusy, {}, "no memory for a hash of Argon2");
  }
  return result == 0;
}

}  // namespace

HashCost costOfNew(HashAlgorithm algorithm, std::uint32_t rounds_cost) {
  return {algorithm, rounds_cost, algorithm == HashAlgorithm::kArgon2 ? kNewMemoryKib : 0};
}

HashSalt foldSalt(const HashSalt& random, std::string_view text) {
  HashSalt folded{};
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, folded.size());
  crypto_generichash_update(&state, random.data(), random.size());
  crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                            text.size());
  crypto_generichash_final(&state, folded.data(), folded.size());
  return folded;
}

std::string_view faultOf(HashAlgorithm algorithm, std::string_view password) {
  if (password.size() > kMaxPasswordBytes) return "must have at most 4096 bytes";
  if (algorithm != HashAlgorithm::kBcrypt) return {};
  if (password.size() > kMaxBcryptBytes) return "must have at most 72 bytes";
  if (password.find('\0') != std::string_view::npos) return "must not hold a zero byte";
  return {};
}

Result<std::string> hashPassword(const HashCost& cost, std::string_view password,
                                 const HashSalt& salt) {
  if (sodium_init() < 0) return makeError(Code::kInternal, {}, "libsodium cannot be initialised");
  return cost.algorithm == HashAlgorithm::kBcrypt ? makeBcrypt(cost.rounds, password, salt)
                                                  : makeArgon2(cost, password, salt);
}

std::optional<HashCost> costOfStored(HashAlgorithm algorithm, std::string_view stored) {
  return algorithm == HashAlgorithm::kBcrypt ? costOfBcrypt(stored) : costOfArgon2(stored);
}

bool isAffordable(const HashCost& cost, std::uint32_t max_bcrypt_cost) {
  if (cost.algorithm == HashAlgorithm::kBcrypt) return cost.rounds <= max_bcrypt_cost;
  return cost.memory_kib <= kMaxMemoryKib &&
         std::uint64_t{cost.memory_kib} * cost.rounds <= kMaxFilledKib;
}

Result<bool> matchesHash(HashAlgorithm algorithm, std::string_view stored,
                         std::string_view password) {
  if (sodium_init() < 0) return makeError(Code::kInternal, {}, "libsodium cannot be initialised");
  if (algorithm == HashAlgorithm::kBcrypt) return matchesBcrypt(stored, password);
  return matchesArgon2(stored, password);
}

void spendLike(const HashCost& cost, std::string_view password) {
  (void)hashPassword(cost, password, HashSalt{});
}

}  // namespace sub0::auth
