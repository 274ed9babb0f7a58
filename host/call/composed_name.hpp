// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/scope.hpp"
#include "dialect/template.hpp"
#include "json/value.hpp"

namespace sub0::call {

/// A name that a project composes of accessors and the texts between them: a key of the cache
/// (S-93), or whose calls are counted together (S-94). No inserted value can stand for the text
/// between two of them. Immutable, any thread.
class ComposedName {
 public:
  /// What a part without a value makes of the whole.
  enum class Missing {
    kNoName,  // a key: without the part it would be somebody else's
    kEmpty,   // an identifier: what is left of it still tells callers apart
  };

  /// `written` is a text; it need not live on. Warns of what is not read as it seems to
  /// be written.
  static ComposedName compile(const json::Value& written, std::string_view pointer,
                              const dialect::CompileContext& context,
                              Missing missing = Missing::kNoName);

  /// A text; of one accessor alone whatever that yields. Null: no name. Borrows from scope, arena
  /// and this.
  json::Value evaluate(const dialect::Scope& scope, Arena& arena) const;

  const dialect::Needs& needs() const { return needs_; }
  bool isConstant() const { return parts_.size() == 1 && parts_.front().isConstant(); }
  /// It is one accessor, whose value may be an array, which names several.
  bool mayBeSeveral() const { return parts_.size() == 1 && !isConstant(); }

 private:
  json::Value join(const dialect::Scope& scope, Arena& arena) const;

  std::vector<dialect::Template> parts_;  // each constant, or one accessor
  dialect::Needs needs_;
  Missing missing_ = Missing::kNoName;
};

}  // namespace sub0::call
