// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dialect/problem.hpp"
#include "dialect/results.hpp"
#include "dialect/source_file.hpp"
#include "dialect/template.hpp"
#include "dialect/validation.hpp"
#include "json/value.hpp"

// The checked model of a project's resources: plain data, made by Project, immutable afterwards and
// readable by any thread. Pointers into files live as long as the Project.
namespace sub0::dialect {

enum class TokenAlgorithm : std::uint8_t { kHs256, kHs384, kHs512, kRs256, kEs256, kV4Local };

/// `tokenize` (S-70).
struct Tokenize {
  TokenAlgorithm algorithm = TokenAlgorithm::kHs256;
  std::int64_t expiration_s = 86400;
  std::string encryption_key;  // resolved; empty only where `$ENV` is not set and that is allowed
  std::optional<std::vector<std::string>> custom_claim_fields;
  std::string property_name = "token";
  bool has_property_name = false;
  Spot place;
};

/// `protected` (S-72).
struct Protected {
  std::string provide_as = "Authorization";
  std::vector<std::string> extract_claims;
  Spot place;
};

/// `invalidate_tokenize` (S-74).
struct Invalidation {
  const json::Value* tokens = nullptr;  // a template: a text, or an array of texts
  std::int64_t expires_after_s = 0;
  Spot place;
};

enum class HashAlgorithm : std::uint8_t { kBcrypt, kArgon2 };

/// An element of `hashables` or `verify_hashables` (S-95).
struct Hashable {
  std::string property;  // of the payload; what is compared is the column of that name
  HashAlgorithm algorithm = HashAlgorithm::kBcrypt;
  std::uint32_t rounds_cost = 12;  // of hashables
  std::string salt;                // of hashables: goes into the random one
};

/// A value of a file that the plan compiles, and where it stands.
struct PlacedValue {
  const json::Value* value = nullptr;
  std::string pointer;
};

/// `cacheable` (S-93).
struct Cacheable {
  PlacedValue key;  // none: the result is not kept
  std::int64_t duration_s = 0;
  bool reads = true;                       // read_from_cache
  std::vector<PlacedValue> invalidations;  // invalidate_cache_keys
};

/// `rate_limit` (S-94).
struct RateLimit {
  std::int64_t limit = 1;
  std::int64_t expires_after_s = 1;
  PlacedValue identifier;
};

struct Resource;

/// One action (S-20…S-25).
struct Actionable {
  std::int64_t id = 0;
  const Resource* home = nullptr;  // the other resource that it was taken from (S-86); null: none
  std::string mode;
  std::string config_key;                  // that of the mode
  const json::Value* config = nullptr;     // the value of config_key; null if it is missing
  const json::Value* source = nullptr;     // the whole action object
  std::string pointer;                     // of the action within its file
  Spot place;                              // of the action
  Spot mode_place;                         // of the value of `mode`
  bool is_sound = true;                    // false: an error was reported inside it
  Validation validation;                   // empty where there is none
  bool bypass_payload_validation = false;  // S-25
  std::vector<Dependency> depends_on;      // S-85
  bool no_op = false;                      // S-21
  bool must_return_value = false;          // S-25
  bool main_returnable = false;            // S-23
  bool run_in_background = false;          // S-91: behind the reply
  std::uint32_t retries = 0;               // S-90: attempts behind the first
  std::vector<Hashable> hashables;         // S-95
  std::vector<Hashable> verify_hashables;  // S-95
  std::optional<Cacheable> cacheable;      // S-93
  std::optional<std::vector<std::string>> returnables;
  /// Effects in the order of their keys: key and value.
  std::vector<std::pair<std::string, const json::Value*>> effects;
  /// Somebody reads into the result (extraction, returnables, combining, claims): it must not be
  /// SUB0_RAW.
  bool result_is_read = false;
  Names names;  // for compiling this action's inputs

  /// Whether the validation of this action is done before the call runs (S-10).
  bool validatesFirst() const {
    return !no_op && !bypass_payload_validation && !validation.empty();
  }
};

/// One resource (§2).
struct Resource {
  std::string id;
  std::string route;
  bool maintenance = false;
  bool run_in_background = false;  // S-53: the reply comes before its actions
  bool parallel = false;           // S-20: actions that need nothing of each other, side by side
  bool transaction = false;        // S-22: the actions of one plugin that can undo, all or none
  std::uint32_t retries = 0;       // S-90: of each action, or with `transaction` of all together
  std::optional<Tokenize> tokenize;
  std::optional<Protected> protection;
  std::optional<Invalidation> invalidation;
  std::optional<Cacheable> cacheable;
  std::optional<RateLimit> rate_limit;
  std::optional<std::vector<std::string>> returnables;
  std::optional<std::vector<std::size_t>> combine;  // indices into actionables, in order
  std::vector<Actionable> actionables;  // behind its own those of others, with a home (S-86)
  /// The action whose result is the call's, where nothing is combined: main_returnable, else the
  /// last that is not no_op (S-23); nullopt: the result is null.
  std::optional<std::size_t> result_action;
  Names names;  // for compiling values of the resource itself
  bool id_is_number =
      false;  // payload `id` is declared NUMBER: a uid is injected as number (S-113)

  const SourceFile* file = nullptr;
  const json::Value* source = nullptr;  // the whole resource object
  std::string pointer;                  // of the resource within its file
  Spot place;

  /// S-71: a token is issued by calls of this resource.
  bool issuesToken() const {
    return tokenize &&
           (!protection || tokenize->custom_claim_fields || tokenize->has_property_name);
  }
};

}  // namespace sub0::dialect
