// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "json/value.hpp"
#include "plugin/plugin.hpp"
#include "plugin/registry.hpp"

namespace sub0::plugin {

enum class InputRule : std::uint8_t {
  kTemplate = SUB0_RULE_TEMPLATE,   // S-60
  kParameter = SUB0_RULE_PARAMETER  // S-63
};

/// What the host must evaluate before each run, in the order of sub0_run.inputs.
struct InputDeclaration {
  bool is_text = false;  // true: `text` is a template that stands in no file
  std::string text;      // JSON pointer relative to the config value, or the template
  InputRule rule = InputRule::kTemplate;
  const json::Value* value = nullptr;  // at the pointer, within `config`; null: is_text
};

enum class Placement : std::uint8_t { kLoop = SUB0_PLACE_LOOP, kPool = SUB0_PLACE_POOL };

/// An error or warning of a plugin about one action. `pointer`: relative to the config value.
struct PrepareProblem {
  Severity severity;
  std::string pointer;
  std::string message;
};

/// One action as its plugin compiled it. Movable; releases itself. OWNERSHIP: it must live until
/// every run of it is over (onFreed, or close() was true), given-up runs included. THREAD: made and
/// released on control; read on any thread.
class PreparedAction {
 public:
  PreparedAction() = default;
  PreparedAction(PreparedAction&& other) noexcept { *this = std::move(other); }
  PreparedAction& operator=(PreparedAction&& other) noexcept;
  ~PreparedAction() { release(); }

  /// Gives the action back to its plugin; a second time does nothing.
  void release();

  Handler* handler = nullptr;
  const CallSite* site = nullptr;  // of the handler, with the resource of the action
  void* action = nullptr;
  std::vector<InputDeclaration> inputs;  // of an effect: behind input 0, the action's result
  Placement placement = Placement::kLoop;
  bool reads_only = false;
  bool waits = false;
  bool only_locks = false;  // no read that GET may do, and writes nothing
  std::vector<std::string> tables;
  std::vector<std::string> unique;  // a table, then columns of it that are unique
  std::string unique_unwatched;     // a warning, unless a model's index keeps them so
  std::string no_row;  // why it never has a row, and what to do; empty: it may have one
  std::vector<std::string> folded;  // names of columns, as written, that are read in lower case
  std::vector<std::pair<std::string, std::string>> other_facts;  // name, JSON text
};

/// Has `handler` compile one action: `config` is the value of its config key, `action` and
/// `resource` the whole objects. False: it failed, and `problems` has at least one error; nothing
/// to release. REQUIRES: `config` must live as long as `out` where InputDeclaration::value is used.
bool prepare(Handler& handler, const json::Value& config, const json::Value& action,
             const json::Value& resource, PreparedAction& out,
             std::vector<PrepareProblem>& problems);

/// The value at a JSON pointer (RFC 6901), or null pointer.
const json::Value* valueAt(const json::Value& root, std::string_view pointer);

}  // namespace sub0::plugin
