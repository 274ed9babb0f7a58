// SPDX-License-Identifier: Apache-2.0
#include "dialect/resource_reader.hpp"

#include <algorithm>
#include <utility>

#include "dialect/accessor.hpp"
#include "dialect/keys.hpp"

namespace sub0::dialect {

bool boolOf(const json::Value& object, std::string_view key) {
  const json::Value* value = json::find(object, key);
  return value != nullptr && value->type == SUB0_BOOL && value->as.i != 0;
}

std::string textOf(const json::Value& object, std::string_view key) {
  const json::Value* value = json::find(object, key);
  return value != nullptr && json::isText(*value) ? std::string(json::chars(*value)) : "";
}

std::optional<std::vector<std::string>> textsOf(const json::Value& object, std::string_view key) {
  const json::Value* value = json::find(object, key);
  if (value == nullptr || !json::isArray(*value)) return std::nullopt;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < value->count; ++i) {
    const json::Value& item = value->as.items[i];
    if (json::isText(item)) texts.emplace_back(json::chars(item));
  }
  return texts;
}

namespace {

constexpr std::size_t hashBytes(TokenAlgorithm algorithm) {
  return algorithm == TokenAlgorithm::kHs512 ? 64 : algorithm == TokenAlgorithm::kHs384 ? 48 : 32;
}

TokenAlgorithm algorithmOf(const std::string& name) {
  if (name == "HS384") return TokenAlgorithm::kHs384;
  if (name == "HS512") return TokenAlgorithm::kHs512;
  return TokenAlgorithm::kHs256;
}

// The text of a secret with `$ENV` resolved; nullopt, and reported, where that cannot be (S-3).
std::optional<std::string> readSecret(const json::Value& value, const std::string& pointer,
                                      const SourceFile& file, const ReadContext& context) {
  const std::string_view written = json::chars(value);
  std::string secret;
  std::size_t at = 0;
  for (const WrittenAccessor& accessor : findAccessors(written, nullptr)) {
    if (accessor.root != AccessorRoot::kEnv) {
      context.problems.error(file.at(pointer), "S-70",
                             "a secret is a text or $ENV.NAME, it cannot come from a call");
      return std::nullopt;
    }
    const auto found = context.environment ? context.environment(accessor.segments[0])
                                           : std::optional<std::string>();
    if (!found) {
      const std::string name(accessor.segments[0]);
      context.problems.strictWarning(context.options.starting || context.options.strict,
                                     file.at(pointer), "S-3",
                                     std::string("$ENV.")
                                         .append(name)
                                         .append(" is not set; set ")
                                         .append(name)
                                         .append(" in the environment or in .env"));
      return std::nullopt;
    }
    secret += written.substr(at, accessor.begin - at);
    secret += *found;
    at = accessor.end;
  }
  secret += written.substr(at);
  return secret;
}

void checkSecret(Tokenize& tokenize, const std::string& pointer, const Resource& resource,
                 const ReadContext& context) {
  const Spot place{resource.file, pointer};
  const std::string& key = tokenize.encryption_key;
  if (key.empty()) {
    context.problems.error(place, "S-70", "encryption_key is empty");
  } else if (key.find("-----BEGIN ") != std::string::npos) {
    context.problems.error(place, "Q-41", "a PEM key cannot be the secret of an HS algorithm");
    tokenize.encryption_key.clear();
  } else if (key.size() < hashBytes(tokenize.algorithm)) {
    context.problems.strictWarning(context.options.strict, place, "Q-45",
                                   "the key of resource \"" + resource.id + "\" has " +
                                       std::to_string(key.size()) +
                                       " bytes; its algorithm wants at least " +
                                       std::to_string(hashBytes(tokenize.algorithm)));
  }
}

void readTokenize(Resource& resource, const ReadContext& context) {
  const json::Value* source = json::find(*resource.source, "tokenize");
  if (source == nullptr || !json::isObject(*source)) return;
  const std::string pointer = resource.pointer + "/tokenize";
  Tokenize tokenize;
  tokenize.place = {resource.file, pointer};
  tokenize.algorithm = algorithmOf(textOf(*source, "algorithm"));
  const json::Value* expiration = json::find(*source, "expiration");
  if (expiration != nullptr && expiration->type == SUB0_INT) {
    tokenize.expiration_s = expiration->as.i;
    // Beyond this `exp` would leave what clocks and other people's libraries can hold.
    constexpr std::int64_t kMaxExpirationSeconds = 100LL * 366 * 86400;
    if (expiration->as.i <= 0 || expiration->as.i > kMaxExpirationSeconds) {
      context.problems.error(resource.file->at(pointer + "/expiration"), "S-70",
                             "expiration is in seconds, above 0 and at most 100 years");
    }
  }
  tokenize.custom_claim_fields = textsOf(*source, "custom_claim_fields");
  const std::string property_name = textOf(*source, "property_name");
  if (json::find(*source, "property_name") != nullptr) {
    tokenize.has_property_name = true;
    if (property_name.empty()) {
      context.problems.error(resource.file->at(pointer + "/property_name"), "S-70",
                             "property_name is empty");
    } else {
      tokenize.property_name = property_name;
    }
  }
  const json::Value* key = json::find(*source, "encryption_key");
  if (key != nullptr && json::isText(*key)) {
    const std::string key_pointer = pointer + "/encryption_key";
    auto secret = readSecret(*key, key_pointer, *resource.file, context);
    if (secret) {
      tokenize.encryption_key = std::move(*secret);
      checkSecret(tokenize, key_pointer, resource, context);
    }
  }
  resource.tokenize = std::move(tokenize);
}

void readProtected(Resource& resource, const ReadContext& context) {
  const json::Value* source = json::find(*resource.source, "protected");
  if (source == nullptr || !json::isObject(*source)) return;
  const std::string pointer = resource.pointer + "/protected";
  Protected protection;
  protection.place = {resource.file, pointer};
  if (json::find(*source, "provide_as") != nullptr) {
    protection.provide_as = textOf(*source, "provide_as");
    if (protection.provide_as.empty()) {
      context.problems.error(resource.file->at(pointer + "/provide_as"), "S-72",
                             "provide_as is the name of a header; it is empty");
    }
  }
  protection.extract_claims =
      textsOf(*source, "extract_claims").value_or(protection.extract_claims);
  if (json::find(*resource.source, "tokenize") == nullptr) {
    context.problems.error(resource.file->atKey(pointer), "S-72",
                           "\"protected\" needs \"tokenize\" in the same resource: it says how the "
                           "token is verified");
  }
  resource.protection = std::move(protection);
}

}  // namespace

Resource readResource(const json::Value& source, const std::string& pointer, const SourceFile& file,
                      const ReadContext& context) {
  Resource resource;
  resource.file = &file;
  resource.source = &source;
  resource.pointer = pointer;
  resource.place = {&file, pointer};
  const KeyCheck check{file, context.problems, context.options.strict, nullptr};
  (void)checkObject(source, resourceDeclaration(), pointer, check);
  resource.id = textOf(source, "id");
  resource.route = textOf(source, "resource");
  resource.maintenance = boolOf(source, "maintenance");
  resource.returnables = textsOf(source, "returnables");
  readTokenize(resource, context);
  readProtected(resource, context);
  const json::Value* actions = json::find(source, "actionables");
  for (std::size_t i = 0; actions != nullptr && json::isArray(*actions) && i < actions->count;
       ++i) {
    const json::Value& action = actions->as.items[i];
    if (!json::isObject(action)) continue;
    resource.actionables.push_back(
        readActionable(action, pointer + "/actionables/" + std::to_string(i), resource, context));
    const FieldRule* id = resource.actionables.back().validation.find("id");
    if (id != nullptr && id->type == FieldType::kNumber) resource.id_is_number = true;
  }
  return resource;
}

}  // namespace sub0::dialect
