// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "net/options.hpp"
#include "tests/simulation/resources.hpp"
#include "tests/simulation/world.hpp"

namespace sub0::simulation {

/// One thing that a client does.
struct Step {
  enum class Kind : std::uint8_t {
    kCall,
    kBadJson,   // a message that is no JSON
    kNoObject,  // valid JSON, but no object
    kUnknown,   // a resource that is not there
    kPing,
    kUnaskedPong,
    kPause,
  };
  std::uint64_t number = 0;  // of all steps of the run; of a call also its number
  Kind kind = Kind::kCall;
  std::int64_t gap_ms = 0;  // since the step before
  std::size_t resource = 0;
  std::vector<How> hows;
  std::vector<std::string> to;
  std::size_t pad_bytes = 0;
  bool has_id = false;
  bool is_fragmented = false;
};

/// How a client behaves.
enum class Style : std::uint8_t {
  kGood,
  kResets,        // in the middle of what it does
  kVanishes,      // FIN in the middle
  kNeverReads,    // asks, and leaves what comes where it is
  kNoPong,        // reads, but answers no ping
  kBreaksFrames,  // sends what no client may
  kIgnoresClose,  // never answers a close
  kHalfHead,      // HTTP and handshake alike
  kSilent,
  kHalfBody,
  kGarbage,
};

struct ClientPlan {
  std::uint64_t number = 0;
  bool is_socket = false;
  Style style = Style::kGood;
  std::string uid;  // empty: none
  std::int64_t connect_ms = 0;
  std::uint64_t after = 0;                   // not before this client has left; 0: nobody
  std::size_t up_bytes = 0, down_bytes = 0;  // of the kernels' buffers
  std::int64_t max_delay_ms = 0;
  std::size_t write_bytes = 0;  // at most at a time; 0: no limit
  std::size_t read_bytes = 0;
  bool pipelines = false;      // HTTP: does not wait for the response
  std::int64_t stay_ms = 0;    // after its last step, to hear broadcasts
  std::int64_t reset_ms = -1;  // the network breaks then
  std::uint64_t breakage = 0;  // which bad frame, which garbage
  std::vector<Step> steps;
  bool isGood() const { return style == Style::kGood; }
};

/// A run before it is run: everything but the schedule, which is the seed's.
struct Scenario {
  std::uint64_t seed = 0;
  std::uint32_t faults = 0;
  std::size_t loops = 1;
  std::int64_t drain_ms = -1;  // in the middle; negative: at the end
  std::int64_t drain_window_ms = 1000;
  std::vector<std::int64_t> reloads_ms;
  std::int64_t call_deadline_ms = 1000;
  net::Options options;
  std::vector<ResourceModel> resources;
  std::vector<ClientPlan> clients;
  std::size_t steps() const;
  /// Whether less may be unsent than usual, so that who is slow may be refused or closed.
  bool isShortOfMemory() const;
};

Scenario makeScenario(std::uint64_t seed);

/// What is left out of a scenario, so that a failing one gets smaller.
struct Omissions {
  std::set<std::uint64_t> clients;
  std::set<std::uint64_t> steps;
  std::uint32_t faults = 0;
  bool drain = false;
  bool reload = false;
  bool is_single_loop = false;
  /// As arguments of the command: "--without-clients 1,2 …".
  std::string toArguments() const;
  void apply(Scenario& scenario) const;
};

}  // namespace sub0::simulation
