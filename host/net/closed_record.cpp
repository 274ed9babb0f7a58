// SPDX-License-Identifier: Apache-2.0
#include "net/closed_record.hpp"

#include "base/log.hpp"
#include "base/time_units.hpp"

namespace sub0::net {

std::unique_ptr<ClosedRecord> ClosedRecord::make(const Options& options, std::int64_t now_ns) {
  if (!options.log_closed && !log::enabled(log::Level::kDebug)) return nullptr;
  auto record = std::make_unique<ClosedRecord>();
  record->opened_ns = now_ns;
  return record;
}

void ClosedRecord::write(const Options& options, std::uint64_t number, std::string_view address,
                         std::string_view protocol, CloseReason reason, std::int64_t now_ns) const {
  const bool is_peers = reason == CloseReason::kPeer || reason == CloseReason::kReset;
  log::write(options.log_closed ? log::Level::kInfo : log::Level::kDebug, "closed",
             "a connection has ended",
             {{"connection", number},
              {"address", address},
              {"protocol", protocol},
              {"reason", closeReasonName(reason)},
              {"side", is_peers ? "peer" : "host"},
              {"code_sent", code_sent},
              {"code_received", code_received},
              {"bytes_in", bytes_in},
              {"bytes_out", bytes_out},
              {"lifetime_ms", (now_ns - opened_ns) / kNsPerMs},
              {"calls", calls}});
}

}  // namespace sub0::net
