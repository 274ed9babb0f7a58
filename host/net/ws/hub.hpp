// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/shared_bytes.hpp"
#include "call/request.hpp"
#include "loop/loop.hpp"
#include "net/counters.hpp"
#include "net/options.hpp"
#include "net/ws/directory.hpp"

namespace sub0::net {
class ConnectionTable;
}

namespace sub0::net::ws {

class Session;

/// Broadcasts to the sessions of all loops (S-115, S-116). A message is encoded once and shared;
/// the own loop's sessions get it at once, other loops' by a letter, only if they have a receiver.
/// A loop whose mailbox is full of broadcasts loses none silently: the connections concerned are
/// closed by 1013 and counted. THREAD: count and send any loop's; join, leave, forget the
/// session's.
class Hub final : public call::BroadcastPort {
 public:
  Hub(std::size_t loops, UidPolicy uid_policy);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Before the loops run.
  void attach(loop::Loop& loop, ConnectionTable& connections, Counters& counters);

  std::uint64_t count(const call::Broadcast& broadcast, const call::Sender& sender) override;
  void send(const call::Broadcast& broadcast, const call::Sender& sender) override;

  /// The session takes broadcasts from now on; until leave(). It stays listed until forget(),
  /// because closing happens in the middle of walks. False: its uid has a connection, and there may
  /// be one only; nothing is to be left then.
  bool join(std::uint32_t loop, Session& session);
  void leave(std::uint32_t loop, Session& session);
  void forget(std::uint32_t loop, Session& session);

 private:
  struct Part {
    loop::Loop* loop = nullptr;
    ConnectionTable* connections = nullptr;
    Counters* counters = nullptr;
    std::vector<Session*> sessions;
    std::unordered_map<std::string, std::vector<Session*>, TextHash, std::equal_to<>> by_uid;
    std::atomic<bool> is_overflow_pending{false};
  };
  class BroadcastLetter;
  class OverflowLetter;
  class ReplaceLetter;
  using Uids = std::vector<std::string_view>;

  void replaceOthers(std::uint32_t loop, const Session& session);
  void closeOlder(Part& part, std::string_view uid, Directory::Claim claim);
  Session* senderSession(const call::Sender& sender);
  bool excludesSender(const call::Broadcast& broadcast, const call::Sender& sender,
                      const Uids& uids);
  template <typename Visit>
  void visitLocal(Part& part, call::Audience audience, std::span<const std::string_view> uids,
                  Visit visit);
  void sendLocal(const call::Broadcast& broadcast, const call::Sender& sender, const Uids& uids,
                 const SharedBytes& frame);
  void sendRemote(std::uint32_t from, std::uint32_t loop, call::Audience audience,
                  std::vector<std::string> uids, const SharedBytes& frame);

  const UidPolicy uid_policy_;
  std::vector<std::unique_ptr<Part>> parts_;
  Directory directory_;
};

}  // namespace sub0::net::ws
