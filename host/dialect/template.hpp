// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/dotenv.hpp"
#include "dialect/problem.hpp"
#include "dialect/scope.hpp"
#include "dialect/source_file.hpp"
#include "json/value.hpp"

// Templates (S-60, S-61, S-62): any JSON value in whose strings accessors are replaced. They are
// compiled at load, `$ENV` included, and evaluated on the path of a message without parsing and
// without allocation but in the call's arena. What an accessor yields is never scanned again
//
namespace sub0::dialect {

/// The names that one action may use, from its resource (S-63). Owned by the model.
struct Names {
  std::vector<std::string> declared_payload;   // by payload_validation, whole resource
  std::vector<std::string> declared_numbers;   // NUMBER, so that a text of one may be bound as it
  std::vector<std::string> declared_booleans;  // the same of BOOLEAN
  std::vector<std::string> extracted;          // `for` of this action's depends_on
  std::vector<std::string> generated;          // `for` of generators that may have run before
  std::vector<std::string> extracted_claims;   // protected.extract_claims
  std::vector<std::string> claims_of_home;     // S-86: claims there that are none of the caller's
  std::string taken_by;                        // whose call it is then
  bool has_no_claims = false;      // resource not protected: reading $PROTECTED warns (S-61)
  bool payload_id_is_uid = false;  // reachable over a socket: reading payload `id` warns (S-113)
};

/// What compiling needs beside the value; must outlive the compilation only.
struct CompileContext {
  const SourceFile* file = nullptr;  // null: problems have no place
  std::string action_pointer;        // where problems of text that stands in no file are reported
  const Names* names = nullptr;      // null: no names
  const EnvironmentLookup* environment = nullptr;  // null: nothing is set
  const EnvironmentValues* dot_env = nullptr;      // names to suggest; null: none
  Problems* problems = nullptr;                    // null: problems are dropped
  bool strict = false;
};

/// What an evaluation reads of its scope, so that a call fetches nothing else.
struct Needs {
  bool payload_fields = false;  // Scope::payload must be parsed
  bool payload_whole = false;   // `$PAYLOAD`: payload_json where raw is allowed, else payload
  bool payload_id = false;      // reads payload member `id` (S-113)
  bool claims = false;
  bool ip = false;
  bool connection = false;
  bool datetime = false;
  bool generators = false;
  std::vector<std::string> headers;  // lower case, without "ip"

  /// Whether Scope::payload has to be there.
  bool payloadParsed(bool allow_raw) const {
    return payload_fields || (payload_whole && !allow_raw);
  }
  void merge(const Needs& other);
};

namespace detail {
struct Node;
}

/// One compiled template. Immutable after compile(): any thread evaluates. Owns all it points to.
class Template {
 public:
  /// The constant null.
  Template();
  ~Template();
  Template(Template&&) noexcept;
  Template& operator=(Template&&) noexcept;

  /// Compiles `source`, which need not live on; `pointer` is its place in context.file.
  static Template compile(const json::Value& source, std::string_view pointer,
                          const CompileContext& context);
  /// The same for text that stands in no file, such as "$PAYLOAD".
  static Template compileText(std::string_view text, const CompileContext& context);

  /// `value` as it is, whatever looks like an accessor inside it.
  static Template constant(const json::Value& value);

  /// The value; borrows from scope, arena and this. `allow_raw`: a whole `$PAYLOAD` is SUB0_RAW
  /// text and needs no parsed payload.
  json::Value evaluate(const Scope& scope, Arena& arena, bool allow_raw = false) const;

  const Needs& needs() const { return needs_; }
  /// Reads nothing of the call.
  bool isConstant() const;
  /// A text that is exactly one accessor.
  bool isOneAccessor() const;
  /// Exactly `$PAYLOAD`.
  bool isWholePayload() const;
  /// The member of the payload that it is, `$PAYLOAD.name`; empty: it is something else.
  std::string_view payloadField() const;

 private:
  static Template compile(const json::Value& source, std::string_view pointer, bool stands_in_file,
                          const CompileContext& context);

  std::unique_ptr<Arena> memory_;
  const detail::Node* root_ = nullptr;
  Needs needs_;
};

}  // namespace sub0::dialect
