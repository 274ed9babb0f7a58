// SPDX-License-Identifier: Apache-2.0
#include "plugin/preparation.hpp"

#include <algorithm>
#include <charconv>
#include <exception>

#include "base/text.hpp"
#include "json/writer.hpp"
#include "plugin/faults.hpp"

namespace sub0::plugin {
namespace {

constexpr std::size_t kMaxInputs = 10'000;

/// The host's side of sub0_preparation: what the plugin's calls fill.
struct Collector : sub0_preparation {
  Handler* handler = nullptr;
  const json::Value* config = nullptr;
  PreparedAction* out = nullptr;
  std::vector<PrepareProblem>* problems = nullptr;
  bool has_error = false;

  void add(Severity severity, std::string pointer, std::string message) {
    has_error = has_error || severity == Severity::kError;
    problems->push_back({severity, std::move(pointer), std::move(message)});
  }
  void fault(const std::string& what) {
    add(Severity::kError, "", "internal fault in plugin " + handler->plugin->id + ": " + what);
  }
};

Collector& collector(sub0_preparation* p) { return *static_cast<Collector*>(p); }

bool isGoodText(const sub0_text_view* view) {
  return view != nullptr && (view->size == 0 || view->data != nullptr) && view->size <= INT32_MAX &&
         text::isUtf8(json::toText(*view));
}

std::string safeText(const sub0_text_view* view) {
  if (view == nullptr || (view->size != 0 && view->data == nullptr)) return {};
  return isGoodText(view) ? std::string(json::toText(*view))
                          : text::escapeControl(json::toText(*view));
}

int32_t declare(Collector& self, InputDeclaration declaration) {
  if (self.out->inputs.size() >= kMaxInputs) {
    self.fault("it declares more than 10,000 inputs");
    return -1;
  }
  self.out->inputs.push_back(std::move(declaration));
  // Input 0 of an effect is the action's result, which nobody declares.
  return static_cast<int32_t>(self.out->inputs.size()) - (self.handler->isEffect() ? 0 : 1);
}

int32_t onInput(sub0_preparation* p, const sub0_text_view* pointer, uint32_t rule) {
  Collector& self = collector(p);
  if (!isGoodText(pointer) || (rule != SUB0_RULE_TEMPLATE && rule != SUB0_RULE_PARAMETER)) {
    self.fault("input() was called with a bad pointer or rule");
    return -1;
  }
  const std::string place(json::toText(*pointer));
  const json::Value* value = valueAt(*self.config, place);
  if (value == nullptr) {
    self.add(Severity::kError, place, "is missing");
    return -1;
  }
  return declare(self, {false, place, static_cast<InputRule>(rule), value});
}

int32_t onInputOf(sub0_preparation* p, const sub0_text_view* template_text) {
  Collector& self = collector(p);
  if (!isGoodText(template_text)) {
    self.fault("input_of() was called with a bad text");
    return -1;
  }
  return declare(self,
                 {true, std::string(json::toText(*template_text)), InputRule::kTemplate, nullptr});
}

void onPlace(sub0_preparation* p, uint32_t placement) {
  Collector& self = collector(p);
  if (placement != SUB0_PLACE_LOOP && placement != SUB0_PLACE_POOL) {
    self.fault("place() was called with an unknown placement");
    return;
  }
  self.out->placement = static_cast<Placement>(placement);
}

bool readTexts(const json::Value& value, std::vector<std::string>& texts) {
  if (!json::isArray(value)) return false;
  for (std::uint32_t i = 0; i < value.count; ++i) {
    if (!json::isText(value.as.items[i])) return false;
    texts.emplace_back(json::chars(value.as.items[i]));
  }
  return true;
}

void onFact(sub0_preparation* p, const sub0_text_view* name, const sub0_value* value) {
  constexpr std::size_t kMaxFactBytes = std::size_t{1} << 20;
  Collector& self = collector(p);
  if (!isGoodText(name) || value == nullptr || !json::isWellFormed(*value, kMaxFactBytes)) {
    self.fault("fact() was called with a bad name or value");
    return;
  }
  const std::string_view key = json::toText(*name);
  if (key == "reads_only" || key == "only_locks" || key == "waits") {
    if (value->type != SUB0_BOOL) return self.fault("fact " + std::string(key) + " is no boolean");
    bool& truth = key == "waits"        ? self.out->waits
                  : key == "reads_only" ? self.out->reads_only
                                        : self.out->only_locks;
    truth = value->as.i != 0;
  } else if (key == "tables" || key == "unique" || key == "folded") {
    PreparedAction& out = *self.out;
    auto& texts = key == "tables" ? out.tables : key == "unique" ? out.unique : out.folded;
    if (!readTexts(*value, texts)) self.fault("fact " + std::string(key) + " is no array of texts");
  } else if (key == "unique_unwatched") {
    if (value->type != SUB0_TEXT) return self.fault("fact unique_unwatched is no text");
    self.out->unique_unwatched = json::chars(*value);
  } else if (key == "no_row") {
    if (value->type != SUB0_TEXT) return self.fault("fact no_row is no text");
    self.out->no_row = json::chars(*value);
  } else {
    self.out->other_facts.emplace_back(std::string(key), json::toString(*value));
  }
}

void onError(sub0_preparation* p, const sub0_text_view* pointer, const sub0_text_view* text) {
  collector(p).add(Severity::kError, safeText(pointer), safeText(text));
}

void onWarning(sub0_preparation* p, const sub0_text_view* pointer, const sub0_text_view* text) {
  collector(p).add(Severity::kWarning, safeText(pointer), safeText(text));
}

void fill(Collector& self, const json::Value& action, const json::Value& resource) {
  self.struct_size = sizeof(sub0_preparation);
  self.reserved = 0;
  self.action = &action;
  self.resource = &resource;
  self.input = onInput;
  self.input_of = onInputOf;
  self.place = onPlace;
  self.fact = onFact;
  self.error = onError;
  self.warning = onWarning;
}

/// The text of a pointer's next step, with ~1 and ~0 replaced; nullopt-like: `is_bad`.
std::string unescape(std::string_view token, bool& is_bad) {
  std::string step;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] != '~') {
      step += token[i];
      continue;
    }
    const char next = i + 1 < token.size() ? token[++i] : '\0';
    is_bad = is_bad || (next != '0' && next != '1');
    step += next == '1' ? '/' : '~';
  }
  return step;
}

const json::Value* child(const json::Value& parent, const std::string& step) {
  if (!json::isArray(parent)) return json::find(parent, step);
  std::size_t index = 0;
  const auto end = std::from_chars(step.data(), step.data() + step.size(), index);
  const bool is_index = end.ec == std::errc() && end.ptr == step.data() + step.size() &&
                        (step.size() == 1 || step[0] != '0');
  return is_index ? json::at(parent, index) : nullptr;
}

/// Without its `self` nothing of a plugin may be called; why there is none was reported.
bool isAlive(const Plugin& plugin) {
  const Life life = plugin.life.load(std::memory_order_acquire);
  return life >= Life::kCreated && life <= Life::kStarted;
}

}  // namespace

const json::Value* valueAt(const json::Value& root, std::string_view pointer) {
  const json::Value* value = &root;
  bool is_bad = !pointer.empty() && pointer[0] != '/';
  while (!pointer.empty() && value != nullptr && !is_bad) {
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string step = unescape(pointer.substr(1, end - 1), is_bad);
    value = child(*value, step);
    pointer.remove_prefix(end);
  }
  return is_bad ? nullptr : value;
}

PreparedAction& PreparedAction::operator=(PreparedAction&& other) noexcept {
  if (this == &other) return *this;
  release();
  handler = std::exchange(other.handler, nullptr);
  site = std::exchange(other.site, nullptr);
  action = std::exchange(other.action, nullptr);
  inputs = std::move(other.inputs);
  placement = other.placement;
  reads_only = other.reads_only;
  waits = other.waits;
  only_locks = other.only_locks;
  tables = std::move(other.tables);
  unique = std::move(other.unique);
  unique_unwatched = std::move(other.unique_unwatched);
  no_row = std::move(other.no_row);
  folded = std::move(other.folded);
  other_facts = std::move(other.other_facts);
  return *this;
}

void PreparedAction::release() {
  if (handler == nullptr) return;
  Handler& owner = *std::exchange(handler, nullptr);
  void* const released = std::exchange(action, nullptr);
  callPlugin(*std::exchange(site, nullptr), "release", 0, nullptr,
             [&] { owner.table->release(released); });
}

bool prepare(Handler& handler, const json::Value& config, const json::Value& action,
             const json::Value& resource, PreparedAction& out,
             std::vector<PrepareProblem>& problems) {
  out = PreparedAction();
  if (!isAlive(*handler.plugin)) return false;
  out.placement = static_cast<Placement>(handler.table->placement);
  Collector self;
  fill(self, action, resource);
  self.handler = &handler;
  self.config = &config;
  self.out = &out;
  self.problems = &problems;

  void* prepared = nullptr;
  int32_t code = SUB0_INTERNAL;
  const json::Value* id = json::find(resource, "id");
  const std::string_view resource_id =
      id != nullptr && json::isText(*id) ? json::chars(*id) : std::string_view();
  const CallSite& site = handler.siteOf(resource_id);
  const bool has_returned = callPlugin(site, "prepare", 0, nullptr, [&] {
    code = handler.table->prepare(handler.plugin->self, &self, &config, &prepared);
  });
  if (!has_returned) {
    self.fault("prepare threw an exception; the log says more");
    return false;
  }
  if (code != SUB0_OK) {
    if (!self.has_error) self.fault("prepare failed without saying why");
    return false;
  }
  out.handler = &handler;
  out.site = &site;
  out.action = prepared;
  if (!self.has_error) return true;
  out.release();  // it reported errors, and succeeded nevertheless
  return false;
}

}  // namespace sub0::plugin
