// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/arena.hpp"
#include "dialect/scope.hpp"
#include "dialect/template.hpp"
#include "json/value.hpp"

namespace sub0::call {

/// A name in the cache as a project writes it (S-93): a key, or what drops keys. Unlike in another
/// text, what is missing is not left out of a longer one, since that would be somebody else's name,
/// and no inserted value can stand for the text between two of them. Immutable, any thread.
class CacheName {
 public:
  /// `written` is a text; it need not live on. Warns of what is not read as it seems to be written.
  static CacheName compile(const json::Value& written, std::string_view pointer,
                           const dialect::CompileContext& context);

  /// A text; of one accessor alone whatever that yields. Null: no name. Borrows from scope, arena
  /// and this.
  json::Value evaluate(const dialect::Scope& scope, Arena& arena) const;

  const dialect::Needs& needs() const { return needs_; }
  bool isConstant() const { return parts_.size() == 1 && parts_.front().isConstant(); }
  /// Its value may be an array, which names several.
  bool mayBeSeveral() const { return parts_.size() == 1 && !isConstant(); }

 private:
  json::Value join(const dialect::Scope& scope, Arena& arena) const;

  std::vector<dialect::Template> parts_;  // each constant, or one accessor
  dialect::Needs needs_;
};

}  // namespace sub0::call
