// SPDX-License-Identifier: Apache-2.0
#include <iterator>

#include "dialect/keys.hpp"

// The table itself: one line per key, object by object, inner objects first.
namespace sub0::dialect {

namespace {

constexpr KeyDeclaration kTokenizeKeys[] = {
    {.name = "type",
     .types = kText,
     .rule = "S-70",
     .text = "form of the token",
     .values = "JWT",
     .later_values = "PASETO"},
    {.name = "algorithm",
     .types = kText,
     .rule = "S-70",
     .text = "signature; default HS256",
     .values = "HS256|HS384|HS512",
     .later_values = "RS256|ES256"},
    {.name = "expiration", .types = kWhole, .rule = "S-70", .text = "seconds; default 86400"},
    {.name = "encryption_key",
     .types = kText,
     .required = true,
     .rule = "S-70",
     .text = "the secret; usually $ENV.NAME"},
    {.name = "custom_claim_fields",
     .types = kArray,
     .item_types = kText,
     .rule = "S-70",
     .text = "members of the row that become claims"},
    {.name = "property_name",
     .types = kText,
     .rule = "S-70",
     .text = "member of the result that holds the token; default token"},
};
constexpr ObjectDeclaration kTokenize{"tokenize", kTokenizeKeys, std::size(kTokenizeKeys)};

constexpr KeyDeclaration kProtectedKeys[] = {
    {.name = "provide_as",
     .types = kText,
     .rule = "S-72",
     .text = "header or subprotocol that carries the token; default Authorization"},
    {.name = "extract_claims",
     .types = kArray,
     .item_types = kText,
     .rule = "S-72",
     .text = "claims that bare words may name"},
};
constexpr ObjectDeclaration kProtected{"protected", kProtectedKeys, std::size(kProtectedKeys)};

constexpr KeyDeclaration kTypeKeys[] = {
    {.name = "type",
     .types = kText,
     .required = true,
     .rule = "S-80",
     .text = "what the field must be",
     .values = "STRING|NUMBER|EMAIL",
     .later_values = "OBJECT|ARRAY|STRINGARRAY|BOOLEAN|DATETIME|UUID|ENUM"},
    {.name = "optional", .support = Support::kOffOnly, .rule = "S-80", .text = "may be missing"},
    {.name = "pattern", .support = Support::kNotYet, .rule = "S-80", .text = "a text's pattern"},
    {.name = "min", .support = Support::kNotYet, .rule = "S-80", .text = "the least number"},
    {.name = "max", .support = Support::kNotYet, .rule = "S-80", .text = "the greatest number"},
    {.name = "values", .support = Support::kNotYet, .rule = "S-80", .text = "those of an ENUM"},
    {.name = "fields", .support = Support::kNotYet, .rule = "S-80", .text = "nested members"},
    {.name = "min_length",
     .support = Support::kNotYet,
     .rule = "S-80",
     .text = "limit of a nested text; that of a top-level text stands beside \"field\""},
    {.name = "max_length",
     .support = Support::kNotYet,
     .rule = "S-80",
     .text = "limit of a nested text; that of a top-level text stands beside \"field\""},
    {.name = "arr_length", .support = Support::kNotYet, .rule = "S-80", .text = "most elements"},
    {.name = "items_min_length",
     .support = Support::kNotYet,
     .rule = "S-80",
     .text = "shortest element"},
    {.name = "items_max_length",
     .support = Support::kNotYet,
     .rule = "S-80",
     .text = "longest element"},
};
constexpr ObjectDeclaration kType{"type of a field", kTypeKeys, std::size(kTypeKeys)};
constexpr ObjectDeclaration kField{"field", nullptr, 0, &kType};

constexpr KeyDeclaration kPayloadValidationKeys[] = {
    {.name = "field",
     .types = kObject,
     .required = true,
     .rule = "S-80",
     .text = "the field's name and type",
     .members = &kField},
    {.name = "min_length", .types = kWhole, .rule = "S-80", .text = "least code points"},
    {.name = "max_length", .types = kWhole, .rule = "S-80", .text = "most code points"},
};
constexpr ObjectDeclaration kPayloadValidation{
    "element of payload_validation", kPayloadValidationKeys, std::size(kPayloadValidationKeys)};

constexpr KeyDeclaration kExtractKeys[] = {
    {.name = "extract",
     .types = kText,
     .required = true,
     .rule = "S-85",
     .text = "dotted path into the result, or self_"},
    {.name = "for",
     .types = kText,
     .required = true,
     .rule = "S-85",
     .text = "the name that the value gets"},
};
constexpr ObjectDeclaration kExtract{"element of extract_response_for", kExtractKeys,
                                     std::size(kExtractKeys)};

constexpr KeyDeclaration kDependsOnKeys[] = {
    {.name = "resource_id",
     .types = kText,
     .required = true,
     .rule = "S-85",
     .text = "self, or the id of a resource"},
    {.name = "action_ids",
     .types = kArray,
     .item_types = kWhole,
     .required = true,
     .rule = "S-85",
     .text = "actions that run first"},
    {.name = "extract_response_for",
     .types = kArray,
     .item_types = kObject,
     .rule = "S-85",
     .text = "values that are taken from their results",
     .members = &kExtract},
};
constexpr ObjectDeclaration kDependsOn{"element of depends_on", kDependsOnKeys,
                                       std::size(kDependsOnKeys)};

constexpr KeyDeclaration kSqlQueryKeys[] = {
    {.name = "query", .types = kText, .required = true, .rule = "S-30", .text = "one statement"},
    {.name = "parameters", .types = kArray, .rule = "S-63", .text = "values of $1, $2, ..."},
    {.name = "unique",
     .support = Support::kOffOnly,
     .rule = "S-33",
     .text = "columns that are unique"},
    {.name = "with_timestamps",
     .support = Support::kOffOnly,
     .rule = "S-34",
     .text = "created_at, updated_at"},
    {.name = "soft_delete", .support = Support::kOffOnly, .rule = "S-34", .text = "deleted_at"},
};
constexpr ObjectDeclaration kSqlQuery{"sql_query", kSqlQueryKeys, std::size(kSqlQueryKeys)};

constexpr KeyDeclaration kBroadcastKeys[] = {
    {.name = "broadcast_type",
     .types = kText,
     .required = true,
     .rule = "S-38",
     .text = "who receives",
     .values = "ALL|SINGLE|BULK"},
    {.name = "broadcast_to", .rule = "S-115", .text = "a uid, or an array of uids"},
    {.name = "action",
     .types = kText,
     .required = true,
     .rule = "S-38",
     .text = "label of the message"},
    {.name = "data", .rule = "S-38", .text = "template of the data; default: the payload"},
    {.name = "exclude_sender", .types = kBool, .rule = "S-38", .text = "all but the caller"},
};
constexpr ObjectDeclaration kBroadcast{"broadcast", kBroadcastKeys, std::size(kBroadcastKeys)};

constexpr KeyDeclaration kBroadcastMessageKeys[] = {
    {.name = "broadcast_type",
     .types = kText,
     .required = true,
     .rule = "S-115",
     .text = "who receives",
     .values = "ALL|SINGLE|BULK"},
    {.name = "broadcast_to", .rule = "S-115", .text = "a uid, or an array of uids"},
    {.name = "action",
     .types = kText,
     .required = true,
     .rule = "S-115",
     .text = "label of the message"},
    {.name = "exclude_sender", .types = kBool, .rule = "S-115", .text = "all but the caller"},
};
constexpr ObjectDeclaration kBroadcastMessage{"broadcast_websocket_message", kBroadcastMessageKeys,
                                              std::size(kBroadcastMessageKeys)};

constexpr KeyDeclaration kActionableKeys[] = {
    {.name = "id", .types = kWhole, .required = true, .rule = "S-24", .text = "number"},
    {.name = "mode", .types = kText, .required = true, .rule = "S-40", .text = "what it does"},
    {.name = "payload_validation",
     .types = kArray,
     .item_types = kObject,
     .rule = "S-80",
     .text = "fields that the payload must have",
     .members = &kPayloadValidation},
    {.name = "bypass_payload_validation",
     .types = kBool,
     .rule = "S-25",
     .text = "its validation is not done"},
    {.name = "depends_on",
     .types = kArray,
     .item_types = kObject,
     .rule = "S-85",
     .text = "actions that run before it",
     .members = &kDependsOn},
    {.name = "no_op", .types = kBool, .rule = "S-21", .text = "runs only for another action"},
    {.name = "must_return_value", .types = kBool, .rule = "S-25", .text = "no row ends the call"},
    {.name = "returnables",
     .types = kArray,
     .item_types = kText,
     .rule = "S-23",
     .text = "members that its result keeps"},
    {.name = "main_returnable", .types = kBool, .rule = "S-23", .text = "its result is the call's"},
    {.name = "sql_query",
     .types = kObject,
     .rule = "S-30",
     .text = "statement of mode QUERY",
     .members = &kSqlQuery},
    {.name = "http", .types = kObject, .rule = "S-36", .text = "request of mode HTTPREQUEST"},
    {.name = "uploads", .types = kObject, .rule = "S-37", .text = "rules of mode UPLOAD"},
    {.name = "broadcast",
     .types = kObject,
     .rule = "S-38",
     .text = "message of mode BROADCAST",
     .members = &kBroadcast},
    {.name = "value", .rule = "S-39", .text = "template of mode VALUE"},
    {.name = "broadcast_websocket_message",
     .types = kObject,
     .rule = "S-115",
     .text = "sends the action's result to sockets",
     .members = &kBroadcastMessage},
    {.name = "mongo_query", .support = Support::kNever, .rule = "S-40", .text = "MongoDB"},
    {.name = "hashables", .support = Support::kOffOnly, .rule = "S-95", .text = "hashes"},
    {.name = "verify_hashables", .support = Support::kOffOnly, .rule = "S-95", .text = "hashes"},
    {.name = "queue", .support = Support::kOffOnly, .rule = "S-90", .text = "durable queue"},
    {.name = "retries", .support = Support::kOffOnly, .rule = "S-90", .text = "attempts"},
    {.name = "run_in_background",
     .support = Support::kOffOnly,
     .rule = "S-91",
     .text = "the answer does not wait"},
    {.name = "cacheable", .support = Support::kOffOnly, .rule = "S-93", .text = "cache"},
    {.name = "read_from_cache", .support = Support::kOffOnly, .rule = "S-93", .text = "cache"},
    {.name = "cache_key", .support = Support::kOffOnly, .rule = "S-93", .text = "cache"},
    {.name = "duration", .support = Support::kOffOnly, .rule = "S-93", .text = "cache"},
    {.name = "invalidate_cache_keys",
     .support = Support::kOffOnly,
     .rule = "S-93",
     .text = "cache"},
    {.name = "cron_job", .support = Support::kOffOnly, .rule = "S-92", .text = "timetable"},
    {.name = "with_timestamps",
     .support = Support::kOffOnly,
     .rule = "S-34",
     .text = "created_at, updated_at"},
    {.name = "soft_delete", .support = Support::kOffOnly, .rule = "S-34", .text = "deleted_at"},
};
constexpr ObjectDeclaration kActionable{"actionable", kActionableKeys, std::size(kActionableKeys)};

constexpr KeyDeclaration kResourceKeys[] = {
    {.name = "id",
     .types = kText,
     .required = true,
     .rule = "S-11",
     .text = "unique name, a route"},
    {.name = "resource", .types = kText, .required = true, .rule = "S-50", .text = "its route"},
    {.name = "maintenance", .types = kBool, .rule = "S-10", .text = "answers 503"},
    {.name = "tokenize",
     .types = kObject,
     .rule = "S-70",
     .text = "how tokens are made and verified",
     .members = &kTokenize},
    {.name = "protected",
     .types = kObject,
     .rule = "S-72",
     .text = "needs a token",
     .members = &kProtected},
    {.name = "returnables",
     .types = kArray,
     .item_types = kText,
     .rule = "S-23",
     .text = "members that the result keeps"},
    {.name = "combine_returned_results_from",
     .types = kArray,
     .item_types = kWhole,
     .rule = "S-23",
     .text = "actions whose results form the result"},
    {.name = "actionables",
     .types = kArray,
     .item_types = kObject,
     .required = true,
     .rule = "S-20",
     .text = "its actions"},
    {.name = "invalidate_tokenize", .support = Support::kOffOnly, .rule = "S-74", .text = "logout"},
    {.name = "rate_limit", .support = Support::kOffOnly, .rule = "S-94", .text = "calls per time"},
    {.name = "cacheable", .support = Support::kOffOnly, .rule = "S-93", .text = "cache"},
    {.name = "queue", .support = Support::kOffOnly, .rule = "S-90", .text = "durable queue"},
    {.name = "retries", .support = Support::kOffOnly, .rule = "S-90", .text = "attempts"},
    {.name = "cron_job", .support = Support::kOffOnly, .rule = "S-92", .text = "timetable"},
    {.name = "run_in_background",
     .support = Support::kOffOnly,
     .rule = "S-91",
     .text = "the answer does not wait"},
    {.name = "parallel",
     .support = Support::kOffOnly,
     .rule = "S-20",
     .text = "actions run side by side"},
    {.name = "webhook", .support = Support::kOffOnly, .rule = "S-105", .text = "verified senders"},
    {.name = "transaction", .support = Support::kOffOnly, .rule = "S-22", .text = "all or nothing"},
};
constexpr ObjectDeclaration kResource{"resource", kResourceKeys, std::size(kResourceKeys)};

}  // namespace

const ObjectDeclaration& resourceDeclaration() { return kResource; }
const ObjectDeclaration& actionableDeclaration() { return kActionable; }

const std::vector<const ObjectDeclaration*>& allDeclarations() {
  static const std::vector<const ObjectDeclaration*> kAll{
      &kResource,  &kTokenize, &kProtected, &kActionable, &kPayloadValidation, &kType,
      &kDependsOn, &kExtract,  &kSqlQuery,  &kBroadcast,  &kBroadcastMessage};
  return kAll;
}

}  // namespace sub0::dialect
