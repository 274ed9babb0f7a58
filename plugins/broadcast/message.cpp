// SPDX-License-Identifier: Apache-2.0
#include "message.hpp"

#include "uids.hpp"

namespace sub0::broadcast {
namespace {

bool isUid(sub0::Value value) { return value.isText() || value.isNumber(); }

}  // namespace

Message::Message(sub0::Preparation& p, bool is_effect) : is_effect_(is_effect) {
  if (!p.config().isObject()) {
    p.error("", "expected an object with broadcast_type and action");
    return;
  }
  compileType(p);
  compileRecipients(p);
  compileFlags(p);
  if (!p.config().find("action").isText()) {
    p.error(p.config().find("action") ? "/action" : "",
            "action must be a text: the name of the event");
  }
  action_ = p.config().find("action").asText();
}

void Message::compileType(sub0::Preparation& p) {
  const sub0::Value type = p.config().find("broadcast_type");
  if (type.asText() == "ALL") type_ = SUB0_TO_ALL;
  if (type.asText() == "SINGLE") type_ = SUB0_TO_SINGLE;
  if (type.asText() == "BULK") type_ = SUB0_TO_BULK;
  if (type_ == 0) {
    p.error(type ? "/broadcast_type" : "",
            "broadcast_type must be \"ALL\", \"SINGLE\" or \"BULK\"");
  }
}

void Message::compileRecipients(sub0::Preparation& p) {
  const sub0::Value to = p.config().find("broadcast_to");
  if (type_ == SUB0_TO_BULK) {
    if (!to) {
      p.error("", "BULK needs broadcast_to: an array of uids, or an accessor of one");
    } else if (!to.isArray() && !to.isText()) {
      p.error("/broadcast_to", "for BULK broadcast_to is an array of uids, or an accessor of one");
    } else if (to.isText() && to.asText().substr(0, 1) != "$") {
      p.error("/broadcast_to",
              "for BULK broadcast_to is an array of uids, or an accessor of one: this text can "
              "never be an array");
    }
  }
  if (type_ == SUB0_TO_SINGLE && to && !to.isText() && !to.isInt() && !to.isNull()) {
    p.error("/broadcast_to", "for SINGLE broadcast_to is one uid, or an accessor of one");
  }
  if (type_ == SUB0_TO_ALL && to && !to.isNull()) {
    p.warning("/broadcast_to", "ignored: broadcast_type ALL reaches every connection");
  } else if (to && !to.isNull() && !p.failed()) {
    to_ = p.input("/broadcast_to");
  }
}

void Message::compileFlags(sub0::Preparation& p) {
  const sub0::Value exclude = p.config().find("exclude_sender");
  if (exclude && !exclude.isBool()) p.error("/exclude_sender", "expected true or false");
  if (exclude.asBool()) flags_ = SUB0_EXCLUDE_SENDER;
}

bool Message::findRecipients(const sub0::Run& run, sub0_broadcast_message& message,
                             sub0::Tree& parsed) const {
  // A recipient that evaluates to null reaches nobody: only a missing key means the caller.
  static constexpr sub0_value kNobody = {SUB0_ARRAY, 0, {0}};
  if (to_.index < 0) return true;
  sub0::Value to = run.input(to_);
  if (to.isRaw()) {
    if (!parseUids(to.asText(), parsed)) return false;
    to = parsed.view();
  }
  if (to.isNull()) {
    message.type = SUB0_TO_BULK;
    message.to = &kNobody;
    return true;
  }
  message.to = to.raw();
  if (type_ != SUB0_TO_BULK) return isUid(to);
  if (!to.isArray()) return false;
  for (sub0::Value uid : to.items()) {
    if (!uid.isNull() && !isUid(uid)) return false;
  }
  return true;
}

bool Message::send(sub0::Run& run, const sub0_broadcast* broadcast, sub0::Value data,
                   uint64_t* recipients) const {
  sub0_broadcast_message message = {};
  sub0::Tree parsed;
  message.struct_size = sizeof message;
  message.type = type_;
  message.flags = flags_;
  message.action = sub0::textView(action_);
  message.data = data.raw();
  if (!findRecipients(run, message, parsed)) {
    fail(run, SUB0_BAD_REQUEST, "broadcast_to is not a uid, or not a list of uids");
    return false;
  }
  const int32_t code = broadcast->send(run.host().raw(), run.ticket(), &message, recipients);
  if (code == SUB0_OK) return true;
  if (code == SUB0_LIMIT_EXCEEDED) {
    fail(run, code, "too many uids in one broadcast (setting SUB0_BULK_LIMIT)");
  } else {
    run.fail(code < SUB0_STALE_TICKET ? code : SUB0_INTERNAL, {},
             "the host refused the message (sub0.broadcast/1, code " + std::to_string(code) + ")");
  }
  return false;
}

// What a mode says is the reply, and of a limit the operator hears; an effect has the log alone.
void Message::fail(sub0::Run& run, int32_t code, std::string_view reason) const {
  const bool is_logged = is_effect_ || code == SUB0_LIMIT_EXCEEDED;
  run.fail(code, reason, is_logged ? "nothing was sent: " + std::string(reason) : std::string());
}

}  // namespace sub0::broadcast
