// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sub0::simulation {

std::size_t Pipe::arrived(std::int64_t now_ns) const {
  std::uint64_t end = taken_;
  for (const Mark& mark : marks_) {
    if (mark.at_ns > now_ns) break;
    end = mark.end;
  }
  return static_cast<std::size_t>(end - taken_);
}

void Pipe::put(std::string_view bytes, std::int64_t arrival_ns) {
  last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
  bytes_.append(bytes);
  const std::uint64_t end = taken_ + unread();
  if (!marks_.empty() && marks_.back().at_ns == last_arrival_ns_) {
    marks_.back().end = end;
  } else {
    marks_.push_back({last_arrival_ns_, end});
  }
}

void Pipe::end(std::int64_t arrival_ns) {
  last_arrival_ns_ = std::max(last_arrival_ns_, arrival_ns);
  if (fin_at_ns < 0) fin_at_ns = last_arrival_ns_;
}

void Pipe::take(char* buffer, std::size_t size) {
  std::memcpy(buffer, bytes_.data() + head_, size);
  head_ += size;
  taken_ += size;
  while (!marks_.empty() && marks_.front().end <= taken_) marks_.pop_front();
  if (head_ == bytes_.size() || head_ > 65'536) {
    bytes_.erase(0, head_);
    head_ = 0;
  }
}

void Pipe::lose(std::int64_t now_ns, bool also_arrived) {
  const std::size_t kept = also_arrived ? 0 : arrived(now_ns);
  bytes_.resize(head_ + kept);
  const std::uint64_t end = taken_ + kept;
  while (!marks_.empty() && marks_.back().end > end) marks_.pop_back();
  if (kept > 0 && (marks_.empty() || marks_.back().end < end)) marks_.push_back({now_ns, end});
  fin_at_ns = -1;
}

std::int64_t Network::arrival(const Link& link) {
  const std::int64_t now_ns = world_.nowNs();
  if (link.max_delay_ns == 0 || world_.random().oneIn(3)) return now_ns;
  const std::int64_t when_ns = now_ns + static_cast<std::int64_t>(world_.random().below(
                                            static_cast<std::uint64_t>(link.max_delay_ns)));
  world_.stopAt(when_ns);
  return when_ns;
}

// ---- the clients' side

std::shared_ptr<Link> Network::connect(std::size_t up_bytes, std::size_t down_bytes,
                                       std::int64_t max_delay_ns, std::string address) {
  auto link = std::make_shared<Link>();
  link->number = next_link_++;
  link->up.capacity_bytes = up_bytes;
  link->down.capacity_bytes = down_bytes;
  link->max_delay_ns = max_delay_ns;
  link->address = std::move(address);
  const std::int64_t earliest_ns = backlog_.empty() ? 0 : backlog_.back().first;
  backlog_.emplace_back(std::max(earliest_ns, arrival(*link)), link);
  return link;
}

std::size_t Network::clientSend(Link& link, std::string_view bytes) {
  if (link.is_client_finished || link.is_client_gone) return 0;
  const std::size_t size = std::min(bytes.size(), link.up.room());
  if (link.is_server_gone) {  // whoever sends to a closed socket is reset
    resetClient(link);
    return bytes.size();
  }
  if (size > 0) link.up.put(bytes.substr(0, size), arrival(link));
  return size;
}

bool Network::clientHasInput(const Link& link) const {
  const std::int64_t now_ns = world_.nowNs();
  return link.down.arrived(now_ns) > 0 || link.down.hasEnded(now_ns) ||
         (link.reset_client_at_ns >= 0 && link.reset_client_at_ns <= now_ns);
}

Received Network::clientReceive(Link& link, std::size_t max_bytes, std::string& out) {
  const std::int64_t now_ns = world_.nowNs();
  const std::size_t size = std::min(max_bytes, link.down.arrived(now_ns));
  if (size > 0) {
    const std::size_t before = out.size();
    out.resize(before + size);
    link.down.take(out.data() + before, size);
    return Received::kSome;
  }
  if (link.reset_client_at_ns >= 0 && link.reset_client_at_ns <= now_ns) return Received::kReset;
  return link.down.hasEnded(now_ns) ? Received::kEnd : Received::kNothing;
}

void Network::clientFinish(Link& link) {
  if (link.is_client_finished) return;
  link.is_client_finished = true;
  link.up.end(arrival(link));
}

void Network::clientClose(Link& link) {
  if (link.is_client_gone) return;
  if (link.down.unread() > 0) {
    clientReset(link);
    return;
  }
  clientFinish(link);
  link.is_client_gone = true;
}

void Network::clientReset(Link& link) {
  if (link.is_client_gone) return;
  link.is_client_gone = true;
  link.is_client_finished = true;
  const std::int64_t when_ns = arrival(link);
  if (world_.random().oneIn(2)) link.up.lose(world_.nowNs(), world_.random().oneIn(2));
  link.reset_server_at_ns = when_ns;
}

// ---- the server's side

Link* Network::find(int descriptor) const {
  const auto index = static_cast<std::size_t>(descriptor);
  return descriptor >= 0 && index < open_.size() ? open_[index].get() : nullptr;
}

std::size_t Network::openDescriptors() const {
  return static_cast<std::size_t>(
      std::count_if(open_.begin(), open_.end(), [](const auto& link) { return link != nullptr; }));
}

bool Network::hasBacklog() const {
  return !backlog_.empty() && backlog_.front().first <= world_.nowNs();
}

std::uint32_t Network::readiness(int descriptor) const {
  if (descriptor == kListener) return hasBacklog() ? loop::kReadable : 0;
  const Link* link = find(descriptor);
  if (link == nullptr) return 0;
  const std::int64_t now_ns = world_.nowNs();
  const bool is_reset = link->reset_server_at_ns >= 0 && link->reset_server_at_ns <= now_ns;
  if (is_reset) return loop::kReadable | loop::kWritable | loop::kHangup;
  std::uint32_t flags = 0;
  const bool has_ended = link->up.fin_at_ns >= 0 && link->up.fin_at_ns <= now_ns;
  if (link->up.arrived(now_ns) > 0 || has_ended) flags |= loop::kReadable;
  // Linux tells of room when a third of the buffer is free.
  if (link->is_server_finished || link->down.room() * 3 >= link->down.capacity_bytes) {
    flags |= loop::kWritable;
  }
  if (has_ended && link->is_server_finished) flags |= loop::kHangup;
  return flags;
}

bool Network::refusesAccept() {
  if (!world_.has(kRefusedAccepts)) return false;
  if (world_.nowNs() < exhausted_until_ns_) return true;
  if (!world_.random().oneIn(8)) return false;
  exhausted_until_ns_ = world_.nowNs() + world_.random().between(0, 150) * kMs;
  return true;
}

std::shared_ptr<Link> Network::accept() {
  if (!hasBacklog()) return nullptr;
  std::shared_ptr<Link> link = backlog_.front().second;
  backlog_.pop_front();
  std::size_t descriptor = kListener + 1;  // the lowest that is free
  while (descriptor < open_.size() && open_[descriptor] != nullptr) ++descriptor;
  if (descriptor >= open_.size()) open_.resize(descriptor + 1);
  open_[descriptor] = link;
  link->descriptor = static_cast<int>(descriptor);
  ++accepted_;
  return link;
}

loop::IoResult Network::receive(int descriptor, char* buffer, std::size_t size) {
  Link& link = *find(descriptor);
  const std::int64_t now_ns = world_.nowNs();
  const std::size_t arrived = link.up.arrived(now_ns);
  if (arrived > 0) {
    std::size_t taken = std::min(size, arrived);
    if (world_.has(kShortReads) && world_.random().oneIn(2)) {
      taken = 1 + world_.random().below(world_.random().oneIn(2) ? std::min<std::size_t>(taken, 8)
                                                                 : taken);
    }
    link.up.take(buffer, taken);
    return {loop::IoStatus::kOk, taken, 0};
  }
  if (link.reset_server_at_ns >= 0 && link.reset_server_at_ns <= now_ns) {
    const bool is_told = std::exchange(link.is_reset_told, true);
    return is_told ? loop::IoResult{loop::IoStatus::kClosed, 0, 0}
                   : loop::IoResult{loop::IoStatus::kFailed, 0, ECONNRESET};
  }
  if (link.up.hasEnded(now_ns)) return {loop::IoStatus::kClosed, 0, 0};
  return {loop::IoStatus::kWouldBlock, 0, EAGAIN};
}

loop::IoResult Network::send(int descriptor, const iovec* parts, int count) {
  Link& link = *find(descriptor);
  const std::int64_t now_ns = world_.nowNs();
  if (link.is_server_finished) return {loop::IoStatus::kFailed, 0, EPIPE};
  if (link.reset_server_at_ns >= 0 && link.reset_server_at_ns <= now_ns) {
    link.is_reset_told = true;
    return {loop::IoStatus::kFailed, 0, EPIPE};
  }
  std::size_t room = link.down.room();
  if (room == 0) return {loop::IoStatus::kWouldBlock, 0, EAGAIN};
  if (world_.has(kShortWrites) && world_.random().oneIn(3)) {
    room = 1 +
           world_.random().below(world_.random().oneIn(2) ? std::min<std::size_t>(room, 12) : room);
  }
  const std::int64_t when_ns = arrival(link);
  std::size_t sent = 0;
  for (int i = 0; i < count && room > 0; ++i) {
    const std::size_t size = std::min(parts[i].iov_len, room);
    if (!link.is_client_gone) {
      link.down.put({static_cast<const char*>(parts[i].iov_base), size}, when_ns);
    }
    room -= size;
    sent += size;
  }
  if (link.is_client_gone && link.reset_server_at_ns < 0) {  // nobody is there any more
    link.reset_server_at_ns = std::max(when_ns, arrival(link));
  }
  return {loop::IoStatus::kOk, sent, 0};
}

void Network::finish(int descriptor) {
  Link& link = *find(descriptor);
  if (link.is_server_finished) return;
  link.is_server_finished = true;
  link.down.end(arrival(link));
}

void Network::resetClient(Link& link) {
  if (link.reset_client_at_ns >= 0) return;
  const std::int64_t when_ns = arrival(link);
  if (world_.random().oneIn(2)) link.down.lose(world_.nowNs(), world_.random().oneIn(4));
  link.reset_client_at_ns = when_ns;
}

void Network::close(int descriptor) {
  Link& link = *find(descriptor);
  if (link.up.unread() > 0) {
    resetClient(link);
  } else {
    finish(descriptor);
  }
  link.is_server_gone = true;
  open_[static_cast<std::size_t>(descriptor)].reset();
}

}  // namespace sub0::simulation
