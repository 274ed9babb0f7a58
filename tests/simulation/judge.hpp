// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/scenario.hpp"
#include "tests/simulation/world.hpp"

namespace sub0::simulation {

/// One call that a client has sent.
struct CallRecord {
  std::uint64_t number = 0;
  std::uint64_t client = 0;
  const ResourceModel* resource = nullptr;
  Expected expected;
  std::int64_t sent_ns = 0;
  bool is_socket = false;
  bool is_prompt = false;
  bool is_replied = false;
  bool went_as_reckoned = false;  // the reply says what was reckoned
  std::vector<std::size_t> runs;  // actions, as the plugin saw them
  std::int64_t ended_ns = -1;     // the plugin's last end of a run
  std::uint32_t repeats = 0;      // how often its only run was tried again
};

/// One broadcast as it left the calls, told by the port between calls and network.
struct CastRecord {
  std::uint64_t call = 0;
  std::string label;
  Cast audience = Cast::kAll;
  std::vector<std::string> uids;
  bool excludes_sender = false;
  bool is_late = false;  // of an effect that ends after a while
  std::int64_t at_ns = 0;
  std::uint32_t loop = 0;
};

/// What a WebSocket client got to see, in order, and how it ended.
struct Heard {
  struct Item {
    bool is_reply = false;
    std::uint64_t call = 0;
    std::string label;  // of a broadcast
  };
  std::uint64_t client = 0;
  std::string uid;
  std::int64_t joined_ns = -1;   // it has read the 101
  std::int64_t leaving_ns = -1;  // it began to leave, or knew that it was left
  bool is_faithful = false;      // it behaves, and nothing happened to its connection
  std::vector<Item> items;
};

/// Knows what was sent, what the plugin did, what left the calls and what clients saw, and says
/// where these do not fit: the oracles of the simulation.
class Judge {
 public:
  Judge(World& world, const Scenario& scenario) : world_(world), scenario_(scenario) {}

  // Told by clients.
  /// `is_prompt`: nothing but the plugin may hold its reply back.
  void sent(std::uint64_t client, const Step& step, bool is_socket, bool is_prompt,
            const std::string& pad);
  /// `reply`: the members of S-51 and S-52, or of S-112.
  void replied(std::uint64_t client, std::uint64_t call, const Json& reply, int status);
  void heard(Heard heard) { heard_.push_back(std::move(heard)); }
  /// What must be said of a message that became no call.
  void refused(std::uint64_t client, const Json& reply, std::string_view error);
  /// The server ends a connection because it drains, and `call` is not answered: it was not under
  /// way, or its time was up.
  void leftUnanswered(std::uint64_t call);
  /// Any response or reply at all, before it is judged.
  void sawResponse() { ++responses_seen_; }
  /// Something was lost on the way, for a reason that was checked.
  void lost() { has_losses_ = true; }

  // Told by the plugin.
  void runStarted(std::uint64_t call, std::size_t action, std::int64_t deadline_ns);
  void runThrew(std::uint64_t call);
  /// Before the host is told.
  void runEnds(std::uint64_t call);
  void runEnded(std::uint64_t call, std::int32_t status, std::int64_t deadline_ns, bool is_first);

  // Told by the port of broadcasts.
  void cast(CastRecord record);

  // Told by the run.
  /// Plugins end what is under way: what was to time out may succeed.
  void stopping() { is_stopping_ = true; }
  void drained() { drained_ns_ = world_.nowNs(); }
  bool isDraining() const { return drained_ns_ >= 0; }
  void left(std::uint64_t client) { left_.insert(client); }
  bool hasLeft(std::uint64_t client) const { return left_.count(client) != 0; }
  std::int64_t drainedNs() const { return drained_ns_; }
  /// At the end: what must have come to whom.
  void finish();

  const CallRecord* find(std::uint64_t call) const {
    const auto found = calls_.find(call);
    return found == calls_.end() ? nullptr : &found->second;
  }
  std::uint64_t repliesSeen() const { return replies_seen_; }
  std::uint64_t responsesSeen() const { return responses_seen_; }
  bool hasLosses() const { return has_losses_; }
  std::uint64_t castsSeen() const;
  std::size_t casts() const { return casts_.size(); }

 private:
  void checkFailure(const CallRecord& call, const Json& reply, int status);
  std::int64_t slackNs() const;
  void runRepeated(CallRecord& call);
  void checkOwnCasts(const Heard& heard);
  void checkCasts(const Heard& heard);
  void checkCastsOfCalls();
  bool isMeantFor(const CastRecord& cast, const Heard& heard) const;
  bool wasThere(const CastRecord& cast, const Heard& heard) const;
  bool isOwn(const CastRecord& cast, const Heard& heard) const;
  std::string describe(const CallRecord& call) const;

  World& world_;
  const Scenario& scenario_;
  std::map<std::uint64_t, CallRecord> calls_;
  std::map<std::uint64_t, std::uint64_t> last_started_;                     // by client
  std::map<std::uint64_t, std::map<std::uint64_t, std::int64_t>> running_;  // by client: deadlines
  std::vector<CastRecord> casts_;
  std::vector<Heard> heard_;
  std::set<std::uint64_t> left_;  // clients
  std::int64_t drained_ns_ = -1;
  std::uint64_t replies_seen_ = 0;
  std::uint64_t responses_seen_ = 0;
  bool has_losses_ = false;
  bool is_stopping_ = false;
};

}  // namespace sub0::simulation
