// SPDX-License-Identifier: Apache-2.0
// Throws in every callback but create, prepare and run: hooks, timer, post, end of turn, pool work,
// cancel, release of a result, release, extension, stop, destroy. Outcome: each is caught, counted
// and named; everything goes on.
#include <sub0/loop.h>
#include <sub0/pool.h>

#include <cstring>
#include <stdexcept>
#include <string>

#include "bad.h"

namespace {

[[noreturn]] void boom(const char* place) {
  throw std::runtime_error(std::string("boom in ") + place);
}

const sub0_loop* loops() {
  return static_cast<const sub0_loop*>(bad_host->extension(bad_host, SUB0_LOOP_EXTENSION));
}

void onLoopStart(void*, uint32_t) {
  uint64_t timer = 0;
  loops()->start_timer(
      bad_host, 1, [](void*) { boom("timer"); }, nullptr, &timer);
  loops()->post(
      bad_host, 0, [](void*) { boom("post"); }, nullptr);
  loops()->request_end_of_turn(bad_host);
  const auto* pool =
      static_cast<const sub0_pool*>(bad_host->extension(bad_host, SUB0_POOL_EXTENSION));
  pool->submit(
      bad_host, [](void*) { boom("pool"); }, nullptr);
  boom("loop_start");
}
const sub0_loop_hooks kHooks = {sizeof(sub0_loop_hooks), 0, onLoopStart,
                                [](void*, uint32_t) { boom("loop_stop"); },
                                [](void*, uint32_t) { boom("end_of_turn"); }};

int32_t create(const sub0_host* host, const sub0_value* settings, void** self) {
  bad_create(host, settings, self);
  return loops()->set_hooks(host, &kHooks, nullptr);
}
void run(void*, const sub0_run* run_) {
  static const sub0_value value{};
  const sub0_blob blob = {&value, [](void*) { boom("release of a result"); }, nullptr};
  // The first run is cancelled; the others hand over a result whose release throws.
  static int runs = 0;
  if (runs++ > 0) bad_host->complete_blob(bad_host, run_->ticket, &blob);
}

const sub0_handler kHandler = {sizeof(sub0_handler),
                               SUB0_MODE,
                               SUB0_PLACE_LOOP,
                               0,
                               0,
                               BAD_TEXT("THROWS"),
                               BAD_TEXT("throws"),
                               BAD_TEXT(""),
                               BAD_TEXT("a mode that is bad on purpose"),
                               bad_prepare,
                               run,
                               [](void*, sub0_ticket) { boom("cancel"); },
                               [](void*) { boom("release"); }};
const sub0_handler* const kHandlers[] = {&kHandler};
const sub0_plugin kPlugin = {sizeof(sub0_plugin),
                             SUB0_ABI_MAJOR,
                             SUB0_ABI_MINOR,
                             BAD_TEXT("test.throws-in-callbacks"),
                             BAD_TEXT("1.0.0"),
                             0,
                             1,
                             nullptr,
                             kHandlers,
                             create,
                             bad_start,
                             [](void*, uint64_t) { boom("stop"); },
                             [](void*) { boom("destroy"); },
                             [](void*, const char*) -> const void* { boom("extension"); }};

}  // namespace

SUB0_PLUGIN_CARD("test.throws-in-callbacks", "1.0.0")
SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void) {
  bad_use_all();
  return &kPlugin;
}
