// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/arena.hpp"
#include "dialect/generators.hpp"
#include "json/value.hpp"

namespace sub0::dialect {

/// A value that a call knows by a name: extracted by depends_on (`for`), or generated.
struct NamedValue {
  std::string_view name;
  json::Value value{};
};

/// The values that `{"generate":…, "for": name}` made in this call, newest first; lives in the
/// call's arena and serves all its actions (S-62).
class GeneratedValues {
 public:
  const json::Value* find(std::string_view name) const {
    for (const Node* node = newest_; node != nullptr; node = node->older) {
      if (node->named.name == name) return &node->named.value;
    }
    return nullptr;
  }
  /// OWNERSHIP: `name` and `value` must live as long as `arena`.
  void add(std::string_view name, const json::Value& value, Arena& arena) {
    Node* node = arena.make<Node>();
    *node = {{name, value}, newest_};
    newest_ = node;
  }

 private:
  struct Node {
    NamedValue named;
    const Node* older = nullptr;
  };
  const Node* newest_ = nullptr;
};

/// Everything that an evaluation may read: pointers only, filled by the call, cheap to copy. What a
/// template does not need (Template::needs) may stay empty. Results of evaluations borrow from what
/// a scope points to.
struct Scope {
  /// The client's payload as a tree; null while nobody has needed it parsed.
  const json::Value* payload = nullptr;
  /// The same as text, for `$PAYLOAD` as SUB0_RAW; empty counts as `{}`.
  std::string_view payload_json;

  /// Values extracted by this action's depends_on.
  const NamedValue* extracted = nullptr;
  std::size_t extracted_count = 0;
  /// Shared by all actions of the call; null: `for` of generators is not kept.
  GeneratedValues* generated = nullptr;

  /// The verified claims, an object; null without a token.
  const json::Value* claims = nullptr;

  /// A header by its lower-case name; nullopt if it was not sent.
  std::optional<std::string_view> (*header)(void* context, std::string_view name) = nullptr;
  void* header_context = nullptr;
  /// `$HEADER.ip`: the peer's address by S-61; empty: null.
  std::string_view ip;

  /// `$CONNECTION.uid`, `$CONNECTION.id`; empty: null.
  std::string_view connection_uid;
  std::string_view connection_id;

  /// The one instant of the call: `$DATETIME`, time-ordered identifiers.
  std::int64_t wall_ms = 0;
  /// Fills `out` with random bytes; null: generators give null.
  void (*random)(void* context, std::uint8_t* out, std::size_t size) = nullptr;
  void* random_context = nullptr;
  /// Of the loop, seeded by its first use; null: generators give null.
  GeneratorState* generator_state = nullptr;
};

}  // namespace sub0::dialect
