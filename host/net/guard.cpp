// SPDX-License-Identifier: Apache-2.0
#include "net/guard.hpp"

#include "base/log.hpp"
#include "base/time_units.hpp"

namespace sub0::net {
namespace {

constexpr std::int64_t kQuietNs = kNsPerSecond;

/// What happened and what to change where it was not meant.
std::string_view refusalText(Refusal refusal) {
  switch (refusal) {
    case Refusal::kConnections:
      return "a connection was refused: the process has SUB0_CONNECTION_LIMIT";
    case Refusal::kAddressConnections:
      return "a connection was refused: its address has SUB0_CONNECTIONS_PER_ADDRESS";
    case Refusal::kPending:
      return "a connection was refused: SUB0_PENDING_LIMIT have not sent a request yet";
    case Refusal::kAddressPending:
      return "a connection was refused: SUB0_PENDING_PER_ADDRESS of its address have not sent a "
             "request yet";
    case Refusal::kOrigin:
      return "a handshake was refused: its Origin is not among ALLOWED_ORIGINS";
    case Refusal::kUidTaken:
      return "a handshake was refused: its uid is connected (SUB0_UID_CONNECTIONS=refuse)";
    case Refusal::kMessageRate:
      return "a connection was closed: it sent more than SUB0_MESSAGE_RATE";
    case Refusal::kBadTokens:
      return "an address sends bad tokens faster than SUB0_BAD_TOKENS_PER_SECOND";
    case Refusal::kSlowHead:
      return "a request or handshake did not come within SUB0_HEAD_DEADLINE_MS";
    case Refusal::kSlowBody:
      return "a body or message was slower than SUB0_BODY_MIN_RATE or SUB0_BODY_DEADLINE_MS";
    case Refusal::kUnsent:
      return "a slow reader was closed: over SUB0_UNSENT_LIMIT_BYTES or SUB0_STALL_DEADLINE_MS";
    case Refusal::kUnsentBudget:
      return "a large message was not sent: SUB0_UNSENT_BUDGET_BYTES are used up";
    case Refusal::kInputBudget:
      return "a large message or body was not taken: SUB0_INPUT_BUDGET_BYTES are used up";
  }
  return "";
}

}  // namespace

AddressKey Guard::countedKey(std::string_view address) const {
  const auto parsed = parseAddress(address);
  if (!parsed) return 0;
  if (options_.unlimited_addresses.contains(*parsed)) return 0;
  if (options_.trusted_proxies && options_.trusted_proxies->trusts(*parsed)) return 0;
  return addressKey(address);
}

bool Guard::maySay(Refusal refusal, std::int64_t now_ns) {
  auto& quiet_until_ns = quiet_until_ns_[static_cast<std::size_t>(refusal)];
  std::int64_t until_ns = quiet_until_ns.load(std::memory_order_relaxed);
  return now_ns >= until_ns && quiet_until_ns.compare_exchange_strong(until_ns, now_ns + kQuietNs);
}

void Guard::refused(Counters& counters, Refusal refusal, std::string_view address,
                    std::int64_t now_ns) {
  Count& count = counters.refused[static_cast<std::size_t>(refusal)];
  count.add();
  if (!maySay(refusal, now_ns)) return;
  log::warning("refused", refusalText(refusal),
               {{"reason", refusalName(refusal)}, {"address", address}, {"count", count.get()}});
}

}  // namespace sub0::net
