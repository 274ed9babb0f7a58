// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/random.hpp"
#include "tests/simulation/strict_json.hpp"

// The resources of a run, made by chance, as JSON for the host and as a model for the judge: what a
// call of them must do by S-20 … S-24, S-87 and S-115, reckoned here a second time.
namespace sub0::simulation {

enum class Mode : std::uint8_t { kValue, kScript, kPool, kFew, kBroadcast };
enum class Cast : std::uint8_t { kNone, kAll, kSingle, kBulk };

/// How the scripted plugin ends a run; the caller names it in its payload.
enum class Ending : std::uint8_t {
  kNow,
  kLater,   // by a timer of the loop
  kTurn,    // in the end-of-turn callback
  kThread,  // from another thread
  kPool,    // from a thread of the pool
  kPost,    // from another loop
  kLate,    // from another thread, after the deadline
  kNever,
  kTwice,
  kFail,
  kFailLater,
  kNull,
  kThrow,
  kBlob,
};

struct How {
  Ending ending = Ending::kNow;
  std::int64_t ms = 0;    // until it ends
  std::int32_t code = 0;  // of a failure
  /// How many attempts fail for now (S-90), before one succeeds; 0: it is no such failure.
  std::uint32_t failures() const;
  std::string toText() const;  // "later:30"
  static How parse(std::string_view text);
};

struct ActionModel {
  int id = 0;
  Mode mode = Mode::kValue;
  bool no_op = false;
  bool must_return = false;
  std::vector<std::size_t> depends;  // indexes, in the order of declaration
  Cast cast = Cast::kNone;           // effect broadcast_websocket_message, or of mode BROADCAST
  bool excludes_sender = false;
  std::uint32_t retries = 0;
  bool has_late_effect = false;  // effect of the scripted plugin, which ends after a while
  bool isScripted() const {
    return mode == Mode::kScript || mode == Mode::kPool || mode == Mode::kFew;
  }
};

struct ResourceModel {
  std::string id;
  std::vector<ActionModel> actions;
  std::optional<std::size_t> main;
  std::vector<std::size_t> combine;
  std::string toJson() const;
};

/// What must come of one call.
struct Expected {
  std::string error;               // name of the code; empty: success
  std::optional<Json> data;        // nullopt: not reckoned
  std::vector<std::size_t> runs;   // actions of the scripted plugin, in the order of their runs
  std::vector<std::size_t> casts;  // actions whose broadcasts go out, in order
  bool times_out = false;          // only by its deadline
  bool waits_for_others = false;   // for the pool, or for max_running
  std::uint32_t repeats = 0;       // how often its only run is tried again
};

/// The fixed resources and a few by chance.
std::vector<ResourceModel> makeResources(Random& random);
/// A circle in depends_on: S-24 refuses it.
ResourceModel makeCircle(Random& random);

Expected reckon(const ResourceModel& resource, const std::vector<How>& hows, std::uint64_t number,
                const std::string& pad);

/// `{"n":…,"h0":…,"pad":…,"to":…}`
std::string payloadOf(const std::vector<How>& hows, std::uint64_t number, const std::string& pad,
                      const std::vector<std::string>& to);

/// The `action` of the broadcasts of an action.
std::string castLabel(const ResourceModel& resource, std::size_t action);

}  // namespace sub0::simulation
