// SPDX-License-Identifier: Apache-2.0
#pragma once

// A plugin in C++17, on top of plugin.h and nothing else. A handler is a class whose constructor
// compiles one action and whose run executes it:
//
//   struct Greeting final : sub0::Handler<Greeting> {
//     static constexpr auto mode = "GREETING", key = "greeting";
//     explicit Greeting(sub0::Preparation& p) : name_(p.input("/name")) {}
//     void run(sub0::Run run) { run.complete({{"text", "Hello " + run.text(name_)}}); }
//     sub0::Input name_;
//   };
//   SUB0_PLUGIN("org.example.greeting", "1.0.0", Greeting)
//
// What the handlers share is a State (SUB0_PLUGIN_WITH): made from (Host, Settings), (Host) or
// nothing; handlers then take (Preparation&, State&). It may have `static constexpr sub0_setting
// settings[]` (see sub0::setting), start(), stop(uint64_t deadline_ns), extension(const char*).
// Exceptions end a run as `internal`, fail a preparation at "", and fail create and start.

#include <array>

#include <sub0/plugin/run.hpp>
#include "card.h"

namespace sub0 {

// The base of a handler; what it declares by the same name replaces these.
template <class Derived>
struct Handler {
  static constexpr const char* mode = nullptr;    // of a mode: its name, "GREETING"
  static constexpr const char* key = nullptr;     // of a mode: the key of its configuration
  static constexpr const char* effect = nullptr;  // of an effect: its key
  static constexpr const char* schema = "";       // JSON Schema of the key's value
  static constexpr const char* description = "";  // one line
  static constexpr uint16_t placement = SUB0_PLACE_LOOP;
  static constexpr uint32_t flags = 0;
  static constexpr uint32_t max_running = 0;
  void cancel(sub0_ticket) noexcept {}  // [any] nobody waits for that run any more
};

// A setting of the plugin; the default is given as text.
constexpr sub0_setting setting(std::string_view name, std::string_view default_value,
                               std::string_view description, uint32_t type = SUB0_TEXT,
                               uint32_t flags = 0) {
  return {sizeof(sub0_setting), type, flags, 0, textView(name), textView(default_value),
          textView(description)};
}

struct NoState {};

namespace detail {

template <class State>
struct Instance {
  const sub0_host* host;
  State state;
};

template <class H>
struct Action {
  const sub0_host* host;
  H handler;
};

template <class State>
Instance<State>* makeInstance(const sub0_host* host, const sub0_value* settings) {
  if constexpr (std::is_constructible_v<State, Host, Settings>)
    return new Instance<State>{host, State(Host(host), Settings(Value(settings)))};
  else if constexpr (std::is_constructible_v<State, Host>)
    return new Instance<State>{host, State(Host(host))};
  else
    return new Instance<State>{host, State()};
}

template <class H, class State>
Action<H>* makeAction(Preparation& p, Instance<State>& instance) {
  if constexpr (std::is_constructible_v<H, Preparation&, State&>)
    return new Action<H>{instance.host, H(p, instance.state)};
  else
    return new Action<H>{instance.host, H(p)};
}

template <class H, class State>
int32_t prepare(void* self, sub0_preparation* raw, const sub0_value* config,
                void** action) noexcept {
  auto& instance = *static_cast<Instance<State>*>(self);
  Preparation p(raw, config, instance.host);
  try {
    std::unique_ptr<Action<H>> made(makeAction<H>(p, instance));
    if (p.failed()) return SUB0_VALIDATION_FAILED;
    *action = made.release();
    return SUB0_OK;
  } catch (const std::exception& exception) {
    p.error("", exception.what());
  } catch (...) {
    p.error("", "the handler threw something unknown");
  }
  return SUB0_INTERNAL;
}

// After an exception: ends the run, whether the exception took the Run along or not.
inline void failThrown(const sub0_host* host, sub0_ticket ticket, std::string_view what) noexcept {
  running().is_dropped = false;
  const sub0_error error = errorOf(SUB0_INTERNAL, {}, what);
  host->fail(host, ticket, &error);
}

template <class H>
void run(void* action, const sub0_run* run) noexcept {
  auto& self = *static_cast<Action<H>*>(action);
  const sub0_ticket ticket = run->ticket;
  const sub0_ticket outer = std::exchange(running().ticket, ticket);
  try {
    self.handler.run(Run(self.host, run));
    if (running().is_dropped) {  // it caught the exception itself
      failThrown(self.host, ticket, "the handler dropped the run without an end");
    }
  } catch (const std::exception& exception) {
    failThrown(self.host, ticket, exception.what());
  } catch (...) {
    failThrown(self.host, ticket, "the handler threw something unknown");
  }
  running().ticket = outer;
}

template <class H>
void cancel(void* action, sub0_ticket ticket) noexcept {
  static_cast<Action<H>*>(action)->handler.cancel(ticket);
}

template <class H>
void release(void* action) noexcept {
  delete static_cast<Action<H>*>(action);
}

constexpr sub0_text_view view(const char* text) {
  return textView(text ? std::string_view(text) : std::string_view());
}
constexpr sub0_text_view view(std::string_view text) { return textView(text); }

template <class H, class State>
constexpr sub0_handler describeHandler() {
  constexpr bool is_mode = view(H::mode).size > 0;
  static_assert(is_mode != (view(H::effect).size > 0), "a handler has a `mode` or an `effect`");
  static_assert(!is_mode || view(H::key).size > 0, "a mode has a `key`");
  return {sizeof(sub0_handler),
          is_mode ? SUB0_MODE : SUB0_EFFECT,
          H::placement,
          H::max_running,
          H::flags,
          is_mode ? view(H::mode) : view(H::effect),
          is_mode ? view(H::key) : view(H::effect),
          view(H::schema),
          view(H::description),
          &prepare<H, State>,
          &run<H>,
          &cancel<H>,
          &release<H>};
}

template <class State>
int32_t create(const sub0_host* host, const sub0_value* settings, void** self) noexcept {
  try {
    *self = makeInstance<State>(host, settings);
    return SUB0_OK;
  } catch (const std::exception& exception) {
    Host(host).log(SUB0_LOG_ERROR, exception.what());
  } catch (...) {
    Host(host).log(SUB0_LOG_ERROR, "the plugin threw something unknown at its creation");
  }
  return SUB0_INTERNAL;
}

template <class State, class = void>
constexpr bool has_start = false;
template <class State>
constexpr bool has_start<State, std::void_t<decltype(std::declval<State&>().start())>> = true;
template <class State, class = void>
constexpr bool has_stop = false;
template <class State>
constexpr bool has_stop<State, std::void_t<decltype(std::declval<State&>().stop(0))>> = true;
template <class State, class = void>
constexpr bool has_extension = false;
template <class State>
constexpr bool has_extension<State, std::void_t<decltype(std::declval<State&>().extension(""))>> =
    true;
template <class State, class = void>
constexpr size_t setting_count = 0;
template <class State>
constexpr size_t setting_count<State, std::void_t<decltype(State::settings)>> =
    std::size(State::settings);

template <class State>
int32_t start(void* self) noexcept {
  auto& instance = *static_cast<Instance<State>*>(self);
  try {
    if constexpr (has_start<State>) instance.state.start();
    return SUB0_OK;
  } catch (const std::exception& exception) {
    Host(instance.host).log(SUB0_LOG_ERROR, exception.what());
  } catch (...) {
    Host(instance.host).log(SUB0_LOG_ERROR, "the plugin threw something unknown at its start");
  }
  return SUB0_INTERNAL;
}

template <class State>
void stop(void* self, uint64_t deadline_ns) noexcept {
  if constexpr (has_stop<State>) static_cast<Instance<State>*>(self)->state.stop(deadline_ns);
  static_cast<void>(self);
  static_cast<void>(deadline_ns);
}

template <class State>
void destroy(void* self) noexcept {
  delete static_cast<Instance<State>*>(self);
}

template <class State>
const void* extension(void* self, const char* name) noexcept {
  if constexpr (has_extension<State>)
    return static_cast<Instance<State>*>(self)->state.extension(name);
  static_cast<void>(self);
  static_cast<void>(name);
  return nullptr;
}

template <class H, class State>
inline constexpr sub0_handler handler_of = describeHandler<H, State>();

template <class State, size_t... Index>
constexpr std::array<const sub0_setting*, sizeof...(Index) + 1> listSettings(
    std::index_sequence<Index...>) {
  return {&State::settings[Index]..., nullptr};
}
template <class State>
inline constexpr auto settings_of =
    listSettings<State>(std::make_index_sequence<setting_count<State>>());
template <class State, class... Hs>
inline constexpr const sub0_handler* handlers_of[] = {&handler_of<Hs, State>...};

template <class State, class... Hs>
constexpr sub0_plugin describe(std::string_view id, std::string_view version) {
  return {
      sizeof(sub0_plugin),       SUB0_ABI_MAJOR,       SUB0_ABI_MINOR, textView(id),
      textView(version),         setting_count<State>, sizeof...(Hs),  settings_of<State>.data(),
      handlers_of<State, Hs...>, &create<State>,       &start<State>,  &stop<State>,
      &destroy<State>,           &extension<State>};
}

}  // namespace detail
}  // namespace sub0

// The entry, the descriptor and the card of a plugin: SUB0_PLUGIN(id, version, Handlers...)
#define SUB0_PLUGIN(id, version, ...) SUB0_PLUGIN_WITH(::sub0::NoState, id, version, __VA_ARGS__)

// The same with a State that the handlers share: SUB0_PLUGIN_WITH(State, id, version, Handlers...)
#define SUB0_PLUGIN_WITH(State, id, version, ...)                  \
  SUB0_PLUGIN_CARD(id, version)                                    \
  SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void);             \
  SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {            \
    static constexpr sub0_plugin descriptor =                      \
        ::sub0::detail::describe<State, __VA_ARGS__>(id, version); \
    return &descriptor;                                            \
  }
