// SPDX-License-Identifier: Apache-2.0
#include "net/http/refused_connection.hpp"

#include <string>

#include "net/http/reply_body.hpp"
#include "net/http/response_writer.hpp"

namespace sub0::net::http {

void RefusedConnection::answer(Connection& connection, Endpoint& endpoint, Refusal refusal) {
  LoopServices& services = endpoint.services();
  const bool is_its_address =
      refusal == Refusal::kAddressConnections || refusal == Refusal::kAddressPending;
  std::string body;
  appendFailure(body, is_its_address ? Code::kRateLimited : Code::kBusy,
                is_its_address ? "too many connections from this address"
                               : "the server has as many connections as it takes",
                {});
  ResponseHead head;
  head.status = is_its_address ? 429 : 503;
  head.retry_after_s = 1;
  head.close = true;
  head.date = services.date();
  head.extra_lines = endpoint.corsLines(nullptr);
  writeResponse(connection.output().tail(), head, body);
  connection.finish(CloseReason::kRefused, services.options.close_deadline_ms);
}

}  // namespace sub0::net::http
