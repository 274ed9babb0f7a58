// SPDX-License-Identifier: Apache-2.0
// The part of Call that makes what leaves it: its result (S-23), the token (S-71), broadcasts
// (S-115).
#include <algorithm>
#include <utility>

#include "auth/token_issuer.hpp"
#include "base/log.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "dialect/results.hpp"
#include "json/writer.hpp"

namespace sub0::call {
namespace {

/// `object` with `name` set to `value`.
json::Value withMember(const json::Value& object, std::string_view name, const json::Value& value,
                       Arena& arena) {
  auto* members = arena.array<json::Member>(object.count + std::size_t{1});
  std::size_t count = 0;
  for (std::uint32_t index = 0; index < object.count; ++index) {
    if (json::toText(object.as.members[index].key) != name) {
      members[count++] = object.as.members[index];
    }
  }
  members[count++] = {json::toView(name), value};
  return json::object(members, count);
}

/// S-71: the claims that a row gives.
json::Value claimsOf(const dialect::Tokenize& tokenize, const json::Value& row, Arena& arena) {
  static const std::vector<std::string> kOnlyId{"id"};
  const auto& fields = tokenize.custom_claim_fields ? *tokenize.custom_claim_fields : kOnlyId;
  auto* members = arena.array<json::Member>(fields.size());
  std::size_t count = 0;
  for (const auto& field : fields) {
    const json::Value* value = json::find(row, field);
    if (value != nullptr) members[count++] = {json::toView(field), *value};
  }
  return json::object(members, count);
}

}  // namespace

/// S-23 and S-71; an error: the token cannot be issued.
Result<json::Value> Call::result() {
  const auto& resource = *plan_->resource;
  json::Value whole = json::null();    // before returnables: claims come from it
  json::Value trimmed = json::null();  // after those of the actions
  const auto trim = [this](std::size_t index, const json::Value& result) {
    const auto& own = plan_->actions[index].model->returnables;
    return own ? dialect::keepMembers(result, *own, arena_) : result;
  };
  if (resource.combine) {
    const std::size_t count = resource.combine->size();
    auto* parts = arena_.array<json::Value>(count * 2);
    for (std::size_t part = 0; part < count; ++part) {
      parts[part] = withoutHashes((*resource.combine)[part]);
      parts[count + part] = trim((*resource.combine)[part], parts[part]);
    }
    whole = dialect::combine(parts, count, arena_);
    trimmed = dialect::combine(parts + count, count, arena_);
  } else if (resource.result_action) {
    whole = withoutHashes(*resource.result_action);
    trimmed = trim(*resource.result_action, whole);
  }
  std::string_view token_name;
  if (resource.issuesToken() && json::isObject(whole)) {
    if (!plan_->key) return makeError(Code::kInternal, {}, "there is no key");
    const auto& tokenize = *resource.tokenize;
    const std::int64_t now_s = calls_.loop().io().wallMs() / 1000;
    const auto token = auth::issueToken(*plan_->key, claimsOf(tokenize, whole, arena_), now_s,
                                        now_s + tokenize.expiration_s, &calls_.loop().io(),
                                        followed->plans->revokesTokens());
    if (!token) return token.error();
    token_name = tokenize.property_name;
    trimmed = withMember(trimmed, token_name, json::text(arena_.copy(*token)), arena_);
  }
  if (resource.returnables) {
    trimmed = dialect::keepMembers(trimmed, *resource.returnables, arena_, token_name);
  }
  return trimmed;
}

/// JSON columns come as text: where somebody reads into them, or takes none, they become values.
json::Value Call::expandRaw(const json::Value& value) {
  if (value.type == SUB0_RAW) {
    const auto parsed = calls_.parser().parseCopy(json::chars(value), arena_);
    return parsed ? *parsed : value;
  }
  if (json::isArray(value)) {
    auto* items = arena_.array<json::Value>(value.count);
    for (std::uint32_t index = 0; index < value.count; ++index) {
      items[index] = expandRaw(value.as.items[index]);
    }
    return json::array(items, value.count);
  }
  if (!json::isObject(value)) return value;
  auto* members = arena_.array<json::Member>(value.count);
  for (std::uint32_t index = 0; index < value.count; ++index) {
    members[index] = {value.as.members[index].key, expandRaw(value.as.members[index].value)};
  }
  return json::object(members, value.count);
}

/// S-88: a uid compares as text.
bool Call::appendUid(const json::Value& value, std::string_view& uid) {
  switch (value.type) {
    case SUB0_TEXT:
    case SUB0_NUMBER:
      uid = arena_.copy(json::chars(value));
      return true;
    case SUB0_INT:
    case SUB0_DOUBLE:
      uid = arena_.copy(json::toString(value));
      return true;
    default:
      return false;
  }
}

/// S-115; Q-51. False: something in `to` is no uid.
bool Call::resolveRecipients(const sub0_broadcast_message& message, Broadcast& broadcast) {
  if (broadcast.audience == Audience::kAll) return true;
  if (broadcast.audience == Audience::kBulk) {
    if (message.to == nullptr || !json::isArray(*message.to)) return false;
    auto* uids = arena_.array<std::string_view>(message.to->count);
    std::size_t count = 0;
    for (std::uint32_t index = 0; index < message.to->count; ++index) {
      const json::Value& item = message.to->as.items[index];
      if (json::isNull(item)) continue;
      if (!appendUid(item, uids[count++])) return false;
    }
    broadcast.uids = {uids, count};
    return true;
  }
  auto* uid = arena_.make<std::string_view>();
  if (message.to != nullptr) {
    if (json::isNull(*message.to)) return true;
    if (!appendUid(*message.to, *uid)) return false;
  } else if (!uid_.empty()) {
    *uid = uid_;
  } else {
    const json::Value* id = scope_.claims == nullptr ? nullptr : json::find(*scope_.claims, "id");
    if (id == nullptr || !appendUid(*id, *uid)) {
      if (calls_.mayLog(*plan_)) {
        log::warning("broadcast_to_nobody",
                     "SINGLE without broadcast_to, and the caller has no uid",
                     {{"resource", plan_->resource->id}});
      }
      return true;
    }
  }
  broadcast.uids = {uid, 1};
  return true;
}

int32_t Call::broadcast(const sub0_broadcast_message& message, std::uint64_t* recipients) {
  Broadcast broadcast;
  broadcast.audience = static_cast<Audience>(message.type);
  broadcast.exclude_sender = (message.flags & SUB0_EXCLUDE_SENDER) != 0;
  if (message.type == SUB0_TO_BULK && message.to != nullptr &&
      message.to->count > calls_.options().max_bulk_uids) {
    return SUB0_LIMIT_EXCEEDED;
  }
  if (!resolveRecipients(message, broadcast)) return SUB0_INVALID_ARGUMENT;
  broadcast.action = json::toText(message.action);
  broadcast.data = message.data;
  if (recipients != nullptr) *recipients = calls_.broadcasts().count(broadcast, sender_);
  if (is_sending_) {
    send(broadcast);
    return SUB0_OK;
  }
  auto* data = arena_.make<json::Value>();
  if (message.data != nullptr) *data = json::copy(*message.data, arena_);
  broadcast.data = data;
  broadcast.action = arena_.copy(broadcast.action);
  auto* held = arena_.make<Held>();
  held->message = broadcast;
  (held_last_ != nullptr ? held_last_->next : held_first_) = held;
  held_last_ = held;
  return SUB0_OK;
}

Error Call::fault(const plugin::Outcome& outcome, const PlanAction& action) const {
  if (!outcome.log_message.empty() && calls_.mayLog(*plan_)) {
    const plugin::Handler& handler = *action.run.prepared.handler;
    log::warning("action_failed", outcome.log_message,
                 {{"code", codeInfo(outcome.code).name},
                  {"plugin", handler.plugin->id},
                  {"handler", handler.name},
                  {"resource", plan_->homeOf(action).id},
                  {"action", action.model->id}});
  }
  return makeError(outcome.code, std::string(outcome.client_message));
}

}  // namespace sub0::call
