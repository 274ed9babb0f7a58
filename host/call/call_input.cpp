// SPDX-License-Identifier: Apache-2.0
// The part of Call that takes in a request: gates (S-10), token, payload, validation.
#include <algorithm>
#include <charconv>
#include <utility>

#include "auth/token_verifier.hpp"
#include "base/address_key.hpp"
#include "base/text.hpp"
#include "call/call.hpp"
#include "call/calls.hpp"
#include "call/form_data.hpp"
#include "call/request_token.hpp"
#include "json/unique_keys.hpp"
#include "json/writer.hpp"

namespace sub0::call {
namespace {

bool isJson(std::string_view content_type) {
  return text::equalsIgnoreCase(text::trim(content_type.substr(0, content_type.find(';'))),
                                "application/json");
}

bool isWholeDecimal(std::string_view uid) {
  const std::string_view digits = uid.substr(!uid.empty() && uid.front() == '-' ? 1 : 0);
  const bool is_decimal =
      !digits.empty() && digits.size() <= 400 &&
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_decimal && (digits == "0" ? digits.size() == uid.size() : digits.front() != '0');
}

/// The inside of a JSON string; nothing of nothing.
std::string_view withoutQuotes(std::string_view json) {
  return json.empty() ? json : json.substr(1, json.size() - 2);
}

}  // namespace

Call::Call(Calls& calls)
    : calls_(calls), trace_(calls.options().trace ? std::make_unique<Trace>() : nullptr) {
  scope_.generated = &generated_;
  scope_.random = [](void* context, std::uint8_t* out, std::size_t size) {
    auto* bytes = static_cast<void*>(out);
    static_cast<Call*>(context)->calls_.loop().io().random(static_cast<char*>(bytes), size);
  };
  scope_.random_context = this;
  scope_.generator_state = &calls.generatorState();
  scope_.header = [](void* context, std::string_view name) {
    auto& call = *static_cast<Call*>(context);
    std::optional<std::string_view> value = headerOf(call.headers_, name);
    // RFC 9110 section 5.5 lets any bytes through; a reply is UTF-8.
    if (value && !text::isUtf8(*value)) value = call.arena_.copy(text::wellFormed(*value));
    return value;
  };
  scope_.header_context = this;
}

void Call::takeIn(const Request& request) {
  sender_ = request.sender;
  reply_port_ = request.reply_port;
  const auto keep = [this](std::string_view text) {
    return plan_->borrows ? text : arena_.copy(text);
  };
  action_json_ = keep(request.action_json);
  id_json_ = keep(request.id_json);
  uid_ = keep(request.uid);
  label_ = request.action_is_plain ? withoutQuotes(action_json_) : actionLabel(action_json_);
  headers_ = request.headers;
  if (!plan_->borrows) copyHeaders(request.headers);

  const auto& needs = plan_->needs;
  if (plan_->has_hashes) peer_ = addressKey(request.peer_address);
  if (needs.ip) scope_.ip = keep(request.peer_address);
  if (needs.connection) {
    scope_.connection_uid = uid_;
    scope_.connection_id = arena_.copy(std::to_string(request.connection_number));
  }
  if (needs.datetime || needs.generators) scope_.wall_ms = calls_.loop().io().wallMs();
}

/// Only what the plan reads.
void Call::copyHeaders(std::span<const HeaderField> headers) {
  const auto& needed = plan_->needs.headers;
  auto* kept = arena_.array<HeaderField>(needed.empty() ? 0 : headers.size());
  std::size_t count = 0;
  for (const auto& header : headers) {
    const bool is_needed = std::any_of(needed.begin(), needed.end(), [&](const std::string& name) {
      return text::equalsIgnoreCase(name, header.name);
    });
    if (is_needed) kept[count++] = {arena_.copy(header.name), arena_.copy(header.value)};
  }
  headers_ = {kept, count};
}

/// The label without its quotes; escapes are decoded.
std::string_view Call::actionLabel(std::string_view action_json) {
  if (action_json.empty() || action_json.front() != '"') return {};
  const std::string_view inside = withoutQuotes(action_json);
  if (inside.find('\\') == std::string_view::npos) return inside;
  const auto decoded = calls_.parser().parseCopy(action_json, arena_);
  return decoded && json::isText(*decoded) ? json::chars(*decoded) : std::string_view();
}

bool Call::refuse(Error error) {
  refusal_ = std::move(error);
  return false;
}

/// What the payload has become is kept until the call's end, however long that waits.
bool Call::reserveInput() {
  Budget* const budget = calls_.options().input_budget;
  if (budget == nullptr) return true;
  const std::size_t size_bytes = arena_.capacity();
  if (!budget->reserve(size_bytes)) {
    constexpr const char* kWhy =
        "payloads of other calls take the memory that SUB0_INPUT_BUDGET_BYTES allows; try again";
    return refuse(makeError(Code::kBusy, kWhy));
  }
  reserved_bytes_ = size_bytes;
  return true;
}

void Call::releaseInput() {
  if (reserved_bytes_ == 0) return;
  calls_.options().input_budget->release(std::exchange(reserved_bytes_, 0));
}

/// S-10, in that order; the size was checked by the transport.
bool Call::passGates(const Request& request) {
  if (plan_->resource->maintenance) return refuse(makeError(Code::kMaintenance));
  if (!request.method.empty()) {
    is_read_only_ = request.method == "GET" || request.method == "HEAD";
    if (is_read_only_ && !plan_->reads_only) {
      return refuse(makeError(Code::kMethodNotAllowed,
                              std::string(request.method) +
                                  " is not allowed: the resource does more than read; use POST"));
    }
    if (!request.payload_json.empty() && !isJson(request.content_type) &&
        !isFormData(request.content_type)) {
      return refuse(makeError(Code::kUnsupportedMediaType,
                              "unsupported media type: send Content-Type: application/json, or "
                              "multipart/form-data"));
    }
  }
  if (plan_->is_guarded) return passGuarded(request);
  return takePayload(request) && (!plan_->validates_first || validateAll());
}

bool Call::verifyToken(const Request& request) {
  const std::string_view token = tokenOf(request, plan_->resource->protection->provide_as);
  if (token.empty()) {
    const auto header = headerOf(request.headers, plan_->resource->protection->provide_as);
    const bool is_other =
        header && !header->empty();  // Authorization of another scheme, or of none
    return refuse(
        makeError(Code::kUnauthorized, is_other ? "send Authorization: Bearer TOKEN" : ""));
  }
  if (!plan_->key) return refuse(makeError(Code::kUnavailable, {}, "no encryption_key"));
  const std::int64_t now_s = calls_.loop().io().wallMs() / 1000;
  auto claims = auth::verifyRemembered(
      *plan_->key, token, now_s, {request.verified_tokens, request.tokens_last}, arena_,
      calls_.options().token_leeway_s, calls_.options().revoked_tokens);
  if (!claims) return refuse(std::move(claims.error()));
  // The connection may be gone, and its memory, before the call has ended.
  claims_ = plan_->borrows ? *claims : json::copy(*claims, arena_);
  scope_.claims = &claims_;
  return true;
}

[[gnu::always_inline]] inline bool Call::takePayload(const Request& request) {
  const bool has_type = !request.content_type.empty();  // over HTTP
  if (has_type && !request.payload_json.empty() && isFormData(request.content_type)) {
    return takeForm(request);
  }
  const std::string_view json = request.payload_json.empty() ? "{}" : request.payload_json;
  const bool injects = plan_->reads_payload && request.sender.is_socket && !uid_.empty();
  const bool adds = plan_->reads_payload && !request.query.empty();
  raw_payload_ = !injects && !adds;
  if (!plan_->parses_payload && raw_payload_) {
    if (!request.payload_is_valid && !request.payload_json.empty()) {
      auto valid = calls_.parser().validate(json);
      if (!valid) return refuse(std::move(valid.error()));
    }
    const bool is_copied = plan_->needs.payload_whole && !plan_->borrows;
    scope_.payload_json = is_copied ? arena_.copy(json) : json;
    return true;
  }
  if (request.payload_json.empty()) {
    payload_ = json::object(nullptr, 0);
  } else {
    auto parsed = calls_.parser().parse(json, arena_);
    if (!parsed) return refuse(std::move(parsed.error()));
    payload_ = *parsed;
    // What counts of equal keys is the last; who reads the text might take another.
    raw_payload_ = raw_payload_ && !calls_.parser().metEqualKeys();
  }
  if (injects) payload_ = withUid(payload_);
  if (adds) payload_ = withQuery(payload_, request.query);
  scope_.payload = &payload_;
  if (raw_payload_) scope_.payload_json = plan_->borrows ? json : arena_.copy(json);
  return true;
}

/// S-50: the text fields of a form are texts of the payload; of equal names the last counts, as in
/// JSON.
bool Call::takeForm(const Request& request) {
  auto fields = parseFormData(request.content_type, request.payload_json, arena_);
  if (!fields) return refuse(std::move(fields.error()));
  auto* members = arena_.array<json::Member>(fields->size());
  for (std::size_t i = 0; i < fields->size(); ++i) {
    const FormField& field = (*fields)[i];
    members[i] = {json::toView(arena_.copy(field.name)), json::text(arena_.copy(field.value))};
  }
  std::size_t count = json::keepLastOfEqualKeys(members, fields->size());
  auto* names = arena_.array<std::string_view>(count + request.query.size());
  std::transform(members, members + count, names,
                 [](const json::Member& member) { return json::toText(member.key); });
  payload_ = json::object(members, count);
  raw_payload_ = false;
  if (!request.query.empty()) {
    payload_ = withQuery(payload_, request.query);
    std::copy(from_text_.begin(), from_text_.end(), names + count);
    count += from_text_.size();
  }
  from_text_ = {names, count};
  scope_.payload = &payload_;
  return true;
}

/// A copy for the others, so that the way of an open resource stays short.
bool Call::takeGuardedPayload(const Request& request) { return takePayload(request); }

/// S-10: the rate limit is before the token, but right behind it where its identifier needs
/// a claim. The payload is read before it only where the identifier reads that.
bool Call::passGuarded(const Request& request) {
  const auto& rate = plan_->rate;
  const bool counts_first = rate && !rate->needs_claims;
  const bool reads_first = counts_first && rate->needs_payload;
  const bool counts_next = rate && rate->needs_claims && !rate->needs_payload;
  if (reads_first && !takeGuardedPayload(request)) return false;
  if (counts_first && !passRateLimit()) return false;
  if (plan_->resource->protection && !verifyToken(request)) return false;
  if (counts_next && !passRateLimit()) return false;
  if (!reads_first && !takeGuardedPayload(request)) return false;
  if (rate && !counts_first && !counts_next && !passRateLimit()) return false;
  if (plan_->validates_first && !validateAll()) return false;
  return !plan_->revocation || takeTokens();
}

/// S-113: the caller's uid replaces every `id` of an object.
json::Value Call::withUid(const json::Value& payload) {
  if (!json::isObject(payload)) return payload;
  auto* members = arena_.array<json::Member>(payload.count + std::size_t{1});
  std::size_t count = 0;
  for (std::uint32_t index = 0; index < payload.count; ++index) {
    if (json::toText(payload.as.members[index].key) != "id") {
      members[count++] = payload.as.members[index];
    }
  }
  const bool as_number = plan_->resource->id_is_number && isWholeDecimal(uid_);
  json::Value id = json::text(uid_);
  if (as_number) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(uid_.data(), uid_.data() + uid_.size(), number);
    id = parsed.ec == std::errc() ? json::integer(number) : json::number(uid_);
  }
  members[count++] = {json::toView("id"), id};
  return json::object(members, count);
}

/// S-50: query parameters are text fields of an object that has none of that name; of equal ones
/// the first counts.
json::Value Call::withQuery(const json::Value& payload, std::span<const HeaderField> query) {
  if (!json::isObject(payload)) return payload;
  const std::size_t all = payload.count + query.size();
  auto* members = arena_.array<json::Member>(all);
  json::Member* end = std::copy_n(payload.as.members, payload.count, members);
  for (const auto& parameter : query) {
    *end++ = {json::toView(arena_.copy(parameter.name)), json::text(arena_.copy(parameter.value))};
  }
  const auto known = json::findDuplicateKeys(members, all);
  auto is_known = known.begin();
  std::size_t count = payload.count;
  for (std::size_t i = payload.count; i < all; ++i) {
    if (is_known != known.end() && is_known->later == i) {
      ++is_known;
    } else {
      members[count++] = members[i];
    }
  }
  auto* names = arena_.array<std::string_view>(query.size());
  std::transform(members + payload.count, members + count, names,
                 [](const json::Member& member) { return json::toText(member.key); });
  from_text_ = {names, count - payload.count};
  return json::object(members, count);
}

/// All actions that are not `no_op`, all failures at once.
bool Call::validateAll() {
  Error error = makeError(Code::kValidationFailed);
  for (const auto& action : plan_->actions) {
    if (!action.model->validatesFirst()) continue;
    action.model->validation.validate(payload_, from_text_, error.details);
  }
  if (error.details.empty()) return true;
  error.message = error.details.front();
  return refuse(std::move(error));
}

}  // namespace sub0::call
