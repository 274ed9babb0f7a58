// SPDX-License-Identifier: Apache-2.0
#include "net/ws/hub.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "net/connection_table.hpp"
#include "net/ws/close_codes.hpp"
#include "net/ws/envelope.hpp"
#include "net/ws/session.hpp"

namespace sub0::net::ws {
namespace {

/// Every uid once.
std::vector<std::string_view> distinct(std::span<const std::string_view> uids) {
  std::vector<std::string_view> result(uids.begin(), uids.end());
  if (result.size() > 1) {
    std::sort(result.begin(), result.end());
    result.erase(std::unique(result.begin(), result.end()), result.end());
  }
  return result;
}

}  // namespace

template <typename Visit>
void Hub::visitLocal(Part& part, call::Audience audience, std::span<const std::string_view> uids,
                     Visit visit) {
  // By index: a visit may close sessions, which leaves them listed, but never adds one.
  if (audience == call::Audience::kAll) {
    for (std::size_t i = 0; i < part.sessions.size(); ++i) visit(*part.sessions[i]);
    return;
  }
  for (const std::string_view uid : uids) {
    const auto found = part.by_uid.find(uid);
    if (found == part.by_uid.end()) continue;
    for (std::size_t i = 0; i < found->second.size(); ++i) visit(*found->second[i]);
  }
}

/// Carries a broadcast to another loop.
class Hub::BroadcastLetter final : public loop::Letter {
 public:
  BroadcastLetter(Hub& hub, Part& part, call::Audience audience, std::vector<std::string> uids,
                  SharedBytes frame, std::size_t reserved_bytes)
      : hub_(hub),
        part_(part),
        audience_(audience),
        uids_(std::move(uids)),
        frame_(std::move(frame)),
        reserved_bytes_(reserved_bytes) {}

  void run() override {
    const std::unique_ptr<BroadcastLetter> self(this);
    const Uids uids(uids_.begin(), uids_.end());
    hub_.visitLocal(part_, audience_, uids,
                    [this](Session& session) { session.sendFrame(frame_); });
    part_.loop->mailbox().releaseBulk(reserved_bytes_);
  }

 private:
  Hub& hub_;
  Part& part_;
  call::Audience audience_;
  std::vector<std::string> uids_;
  SharedBytes frame_;
  std::size_t reserved_bytes_;
};

/// Closes those that a broadcast could not be carried to.
class Hub::OverflowLetter final : public loop::Letter {
 public:
  OverflowLetter(Hub& hub, Part& part, call::Audience audience, std::vector<std::string> uids)
      : hub_(hub), part_(part), audience_(audience), uids_(std::move(uids)) {}

  void run() override {
    const std::unique_ptr<OverflowLetter> self(this);
    if (audience_ == call::Audience::kAll) part_.is_overflow_pending.store(false);
    const Uids uids(uids_.begin(), uids_.end());
    hub_.visitLocal(part_, audience_, uids, [](Session& session) {
      session.close(kTryLater, "broadcasts came faster than they could be passed on",
                    CloseReason::kOverflow);
    });
  }

 private:
  Hub& hub_;
  Part& part_;
  call::Audience audience_;
  std::vector<std::string> uids_;
};

/// Closes a uid's connections that are older than `claim`.
class Hub::ReplaceLetter final : public loop::Letter {
 public:
  ReplaceLetter(Hub& hub, Part& part, std::string_view uid, Directory::Claim claim)
      : hub_(hub), part_(part), uid_(uid), claim_(claim) {}

  void run() override {
    const std::unique_ptr<ReplaceLetter> self(this);
    hub_.closeOlder(part_, uid_, claim_);
  }

 private:
  Hub& hub_;
  Part& part_;
  std::string uid_;
  Directory::Claim claim_;
};

Hub::Hub(std::size_t loops, UidPolicy uid_policy) : uid_policy_(uid_policy), directory_(loops) {
  for (std::size_t i = 0; i < loops; ++i) parts_.push_back(std::make_unique<Part>());
}

Hub::~Hub() = default;

void Hub::attach(loop::Loop& loop, ConnectionTable& connections, Counters& counters) {
  Part& part = *parts_[loop.index()];
  part.loop = &loop;
  part.connections = &connections;
  part.counters = &counters;
}

bool Hub::join(std::uint32_t loop, Session& session) {
  if (!session.uid().empty()) {
    const auto claim = uid_policy_ == UidPolicy::kRefuse
                           ? directory_.addFirst(session.uid(), loop)
                           : std::optional(directory_.add(session.uid(), loop));
    if (!claim) return false;
    session.setUidClaim(*claim);
  }
  Part& part = *parts_[loop];
  session.hub_index = static_cast<std::uint32_t>(part.sessions.size());
  part.sessions.push_back(&session);
  part.counters->open_sockets.add();
  if (session.uid().empty()) return true;
  auto found = part.by_uid.find(session.uid());
  if (found == part.by_uid.end()) {
    found = part.by_uid.emplace(std::string(session.uid()), std::vector<Session*>()).first;
  }
  found->second.push_back(&session);
  if (uid_policy_ == UidPolicy::kReplace) replaceOthers(loop, session);
  return true;
}

void Hub::replaceOthers(std::uint32_t loop, const Session& session) {
  std::vector<std::uint32_t> others;
  directory_.forEach(session.uid(), [&](std::uint32_t index, std::uint32_t) {
    if (index != loop) others.push_back(index);
  });
  closeOlder(*parts_[loop], session.uid(), session.uidClaim());
  for (const std::uint32_t index : others) {
    Part& part = *parts_[index];
    part.loop->send(*new ReplaceLetter(*this, part, session.uid(), session.uidClaim()));
  }
}

void Hub::closeOlder(Part& part, std::string_view uid, Directory::Claim claim) {
  visitLocal(part, call::Audience::kSingle, {&uid, 1}, [claim](Session& session) {
    if (session.uidClaim() >= claim) return;
    session.close(kPolicyViolation,
                  "a newer connection has this uid (SUB0_UID_CONNECTIONS=replace)",
                  CloseReason::kReplaced);
  });
}

void Hub::leave(std::uint32_t loop, Session& session) {
  parts_[loop]->counters->open_sockets.subtract();
  if (!session.uid().empty()) directory_.remove(session.uid(), loop);
}

void Hub::forget(std::uint32_t loop, Session& session) {
  Part& part = *parts_[loop];
  assert(part.sessions[session.hub_index] == &session);
  part.sessions[session.hub_index] = part.sessions.back();
  part.sessions[session.hub_index]->hub_index = session.hub_index;
  part.sessions.pop_back();
  if (session.uid().empty()) return;
  const auto found = part.by_uid.find(session.uid());
  assert(found != part.by_uid.end());
  auto& list = found->second;
  list.erase(std::remove(list.begin(), list.end(), &session), list.end());
  if (list.empty()) part.by_uid.erase(found);
}

Session* Hub::senderSession(const call::Sender& sender) {
  if (!sender.is_socket || sender.connection == 0) return nullptr;
  assert(loop::Loop::current() == nullptr || loop::Loop::current()->index() == sender.loop);
  Connection* connection = parts_[sender.loop]->connections->find(sender.connection);
  if (connection == nullptr || !connection->isOpen()) return nullptr;
  auto* session = static_cast<Session*>(&connection->protocol());
  return session->isOpen() ? session : nullptr;
}

bool Hub::excludesSender(const call::Broadcast& broadcast, const call::Sender& sender,
                         const Uids& uids) {
  if (!broadcast.exclude_sender) return false;
  const Session* session = senderSession(sender);
  if (session == nullptr) return false;
  if (broadcast.audience == call::Audience::kAll) return true;
  return !session->uid().empty() &&
         std::find(uids.begin(), uids.end(), session->uid()) != uids.end();
}

std::uint64_t Hub::count(const call::Broadcast& broadcast, const call::Sender& sender) {
  std::uint64_t total = 0;
  const Uids uids = distinct(broadcast.uids);
  if (broadcast.audience == call::Audience::kAll) {
    for (const auto& part : parts_) total += part->counters->open_sockets.get();
  } else {
    for (const std::string_view uid : uids) {
      directory_.forEach(uid, [&total](std::uint32_t, std::uint32_t count) { total += count; });
    }
  }
  return excludesSender(broadcast, sender, uids) && total > 0 ? total - 1 : total;
}

void Hub::send(const call::Broadcast& broadcast, const call::Sender& sender) {
  parts_[sender.loop]->counters->traffic.broadcasts.add();
  const SharedBytes frame = makeBroadcastFrame(broadcast.action, broadcast.data);
  const Uids uids = distinct(broadcast.uids);
  sendLocal(broadcast, sender, uids, frame);
  if (parts_.size() == 1) return;
  if (broadcast.audience == call::Audience::kAll) {
    for (std::uint32_t loop = 0; loop < parts_.size(); ++loop) {
      if (loop != sender.loop && parts_[loop]->counters->open_sockets.get() > 0) {
        sendRemote(sender.loop, loop, broadcast.audience, {}, frame);
      }
    }
    return;
  }
  std::vector<std::vector<std::string>> uids_of(parts_.size());
  for (const std::string_view uid : uids) {
    directory_.forEach(uid, [&](std::uint32_t loop, std::uint32_t) {
      if (loop != sender.loop) uids_of[loop].emplace_back(uid);
    });
  }
  for (std::uint32_t loop = 0; loop < parts_.size(); ++loop) {
    if (!uids_of[loop].empty()) {
      sendRemote(sender.loop, loop, broadcast.audience, std::move(uids_of[loop]), frame);
    }
  }
}

void Hub::sendLocal(const call::Broadcast& broadcast, const call::Sender& sender, const Uids& uids,
                    const SharedBytes& frame) {
  const Session* own = senderSession(sender);
  visitLocal(*parts_[sender.loop], broadcast.audience, uids, [&](Session& session) {
    if (!session.isOpen()) return;
    if (&session != own) {
      session.sendFrame(frame);
    } else if (!broadcast.exclude_sender) {
      session.sendBehind(sender.reply_slot, frame);
    }
  });
}

void Hub::sendRemote(std::uint32_t from, std::uint32_t loop, call::Audience audience,
                     std::vector<std::string> uids, const SharedBytes& frame) {
  Part& part = *parts_[loop];
  std::size_t size_bytes = frame->size() + sizeof(BroadcastLetter);
  for (const std::string& uid : uids) size_bytes += sizeof(std::string) + uid.size();
  if (part.loop->mailbox().reserveBulk(size_bytes)) {
    part.loop->send(
        *new BroadcastLetter(*this, part, audience, std::move(uids), frame, size_bytes));
    return;
  }
  parts_[from]->counters->broadcast_overflows.add();
  const bool is_all = audience == call::Audience::kAll;
  if (is_all && part.is_overflow_pending.exchange(true)) return;
  part.loop->send(*new OverflowLetter(*this, part, audience, std::move(uids)));
}

}  // namespace sub0::net::ws
