// SPDX-License-Identifier: Apache-2.0

// Mode BROADCAST (spec S-38) and effect broadcast_websocket_message (spec S-115).

#include "message.hpp"

namespace sub0::broadcast {
namespace {

struct Port {
  explicit Port(sub0::Host host)
      : table(host.extension<sub0_broadcast>(SUB0_BROADCAST_EXTENSION)) {}
  const sub0_broadcast* table;
};

// REQUIRES: the preparation fails if this is null.
const sub0_broadcast* requirePort(sub0::Preparation& p, const Port& port) {
  if (port.table == nullptr) p.error("", "this host does not offer " SUB0_BROADCAST_EXTENSION);
  return port.table;
}

struct BroadcastMode final : sub0::Handler<BroadcastMode> {
  static constexpr auto mode = "BROADCAST", key = "broadcast";
  static constexpr auto description = "Sends a message to open WebSocket connections.";
  static constexpr auto schema = R"({
    "type": "object",
    "required": ["broadcast_type", "action"],
    "properties": {
      "broadcast_type": {"enum": ["ALL", "SINGLE", "BULK"],
        "description": "every connection, those of one uid, or those of several"},
      "broadcast_to": {"description": "SINGLE: a uid, default the caller's; BULK: an array of uids"},
      "action": {"type": "string", "description": "the event's name"},
      "data": {"description": "a template; default: the payload"},
      "exclude_sender": {"type": "boolean", "description": "not to the caller's own connection"}
    },
    "if": {"properties": {"broadcast_type": {"const": "BULK"}}},
    "then": {"required": ["broadcast_to"]}
  })";
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW;

  BroadcastMode(sub0::Preparation& p, Port& port)
      : port_(requirePort(p, port)),
        message_(p, false),
        data_(p.config().find("data") ? p.input("/data") : p.inputOf("$PAYLOAD")) {
    p.readsOnly(false);  // it writes nothing, but a GET must not reach other people
  }

  void run(sub0::Run run) {
    uint64_t recipients = 0;
    if (!message_.send(run, port_, run.input(data_), &recipients)) return;
    run.complete({{"recipients", recipients}});
  }

  const sub0_broadcast* port_;
  Message message_;
  sub0::Input data_;
};

struct BroadcastEffect final : sub0::Handler<BroadcastEffect> {
  static constexpr auto effect = "broadcast_websocket_message";
  static constexpr auto description = "Sends the action's result to open WebSocket connections.";
  static constexpr auto schema = R"({
    "type": "object",
    "required": ["broadcast_type", "action"],
    "properties": {
      "broadcast_type": {"enum": ["ALL", "SINGLE", "BULK"],
        "description": "every connection, those of one uid, or those of several"},
      "broadcast_to": {"description": "SINGLE: a uid, default the caller's; BULK: an array of uids"},
      "action": {"type": "string", "description": "the event's name"},
      "exclude_sender": {"type": "boolean", "description": "not to the caller's own connection"}
    },
    "if": {"properties": {"broadcast_type": {"const": "BULK"}}},
    "then": {"required": ["broadcast_to"]}
  })";
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW;

  BroadcastEffect(sub0::Preparation& p, Port& port)
      : port_(requirePort(p, port)), message_(p, true) {
    p.readsOnly(false);
  }

  void run(sub0::Run run) {
    uint64_t recipients = 0;
    if (message_.send(run, port_, run.input(sub0::Preparation::result()), &recipients)) {
      run.complete();
    }
  }

  const sub0_broadcast* port_;
  Message message_;
};

}  // namespace
}  // namespace sub0::broadcast

SUB0_PLUGIN_WITH(sub0::broadcast::Port, "dev.sub0.broadcast", "0.1.0",
                 sub0::broadcast::BroadcastMode, sub0::broadcast::BroadcastEffect)
