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

std::uint32_t smallNumberOf(const json::Value& object, std::string_view key) {
  const json::Value* value = json::find(object, key);
  const bool is_one = value != nullptr && value->type == SUB0_INT && value->as.i >= 0;
  return is_one ? static_cast<std::uint32_t>(std::min<std::int64_t>(value->as.i, UINT32_MAX)) : 0;
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

/// Any text is a secret; other keys have a form, which whoever makes the key judges.
constexpr bool isHmac(TokenAlgorithm algorithm) {
  return algorithm == TokenAlgorithm::kHs256 || algorithm == TokenAlgorithm::kHs384 ||
         algorithm == TokenAlgorithm::kHs512;
}

TokenAlgorithm algorithmOf(const std::string& name) {
  if (name == "HS384") return TokenAlgorithm::kHs384;
  if (name == "HS512") return TokenAlgorithm::kHs512;
  if (name == "RS256") return TokenAlgorithm::kRs256;
  if (name == "ES256") return TokenAlgorithm::kEs256;
  return TokenAlgorithm::kHs256;
}

// Reads the text of a secret, with `$ENV` resolved, and reports what is wrong with it (S-3, S-70).
class SecretReader {
 public:
  SecretReader(const Resource& resource, std::string pointer, const ReadContext& context)
      : file_(*resource.file), id_(resource.id), pointer_(std::move(pointer)), context_(context) {}

  /// Empty where there is no usable secret.
  std::string read(std::string_view written, TokenAlgorithm algorithm) {
    const auto secret = resolve(written);
    return secret && isUsable(*secret, algorithm) ? *secret : std::string();
  }

 private:
  std::optional<std::string> resolve(std::string_view written) {
    std::string secret;
    std::size_t at = 0;
    std::vector<UnknownAccessor> unknown;
    for (const WrittenAccessor& accessor : findAccessors(written, &unknown)) {
      if (accessor.root != AccessorRoot::kEnv) {
        error("S-70", "a secret is a text or $ENV.NAME, it cannot come from a call");
        return std::nullopt;
      }
      const std::string_view name = accessor.segments[0];
      const auto found =
          context_.environment ? context_.environment(name) : std::optional<std::string>();
      if (!found) {
        reportUnset(name);
        return std::nullopt;
      }
      if (!variables_.empty()) variables_ += ", ";
      variables_.append("$ENV.").append(name);
      secret += written.substr(at, accessor.begin - at);
      secret += *found;
      at = accessor.end;
    }
    for (const UnknownAccessor& one : unknown) {
      context_.problems.warning(
          file_.at(pointer_), "S-61",
          "\"" + one.written + "\" is no accessor: it is a part of the secret as it stands" +
              (one.suggestion.empty() ? "; a variable is written $ENV.NAME" : ""),
          one.suggestion);
    }
    secret += written.substr(at);
    return secret;
  }

  void reportUnset(std::string_view variable) {
    const std::string name(variable);
    context_.problems.strictWarning(
        context_.options.starting || context_.options.strict, file_.at(pointer_), "S-3",
        "$ENV." + name + " is not set; set " + name + " in the environment or in .env",
        nearestVariable(name, context_.dot_env));
  }

  bool isUsable(const std::string& secret, TokenAlgorithm algorithm) {
    if (secret.empty()) {
      // What is written without any letter its declaration refuses.
      if (!variables_.empty()) {
        error("S-70", "encryption_key is empty: " + variables_ + " is set, to nothing");
      }
      return false;
    }
    if (!isHmac(algorithm)) return true;
    if (secret.find("-----BEGIN ") != std::string::npos) {
      error("Q-41",
            "a PEM key cannot be the secret of an HS algorithm: whoever knows a public key could "
            "sign; use a random text");
      return false;
    }
    if (secret.size() < hashBytes(algorithm)) {
      context_.problems.strictWarning(
          context_.options.strict, file_.at(pointer_), "Q-45",
          "the key of resource \"" + id_ + "\" has " + std::to_string(secret.size()) +
              " bytes; its algorithm wants at least " + std::to_string(hashBytes(algorithm)));
    }
    return true;
  }

  void error(std::string_view rule, std::string message) {
    context_.problems.error(file_.at(pointer_), rule, std::move(message));
  }

  const SourceFile& file_;
  const std::string& id_;
  const std::string pointer_;
  const ReadContext& context_;
  std::string variables_;  // those that the secret is made of
};

// A header's or subprotocol's name (RFC 9110 section 5.6.2).
bool isHeaderName(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

void readTokenize(Resource& resource, const ReadContext& context) {
  const json::Value* source = json::find(*resource.source, "tokenize");
  if (source == nullptr || !json::isObject(*source)) return;
  const std::string pointer = resource.pointer + "/tokenize";
  Tokenize tokenize;
  tokenize.place = {resource.file, pointer};
  tokenize.algorithm = algorithmOf(textOf(*source, "algorithm"));
  if (textOf(*source, "type") == "PASETO") {
    tokenize.algorithm = TokenAlgorithm::kV4Local;
    if (json::find(*source, "algorithm") != nullptr) {
      context.problems.error(resource.file->atKey(pointer + "/algorithm"), "S-70",
                             "\"algorithm\" is a key of JWT; PASETO is v4.local: take it away");
    }
  }
  const json::Value* expiration = json::find(*source, "expiration");
  if (expiration != nullptr && expiration->type == SUB0_INT) {
    tokenize.expiration_s = expiration->as.i;
  }
  tokenize.custom_claim_fields = textsOf(*source, "custom_claim_fields");
  const std::string property_name = textOf(*source, "property_name");
  if (json::find(*source, "property_name") != nullptr) {
    tokenize.has_property_name = true;
    if (!property_name.empty()) tokenize.property_name = property_name;
  }
  const json::Value* key = json::find(*source, "encryption_key");
  if (key != nullptr && json::isText(*key)) {
    tokenize.encryption_key = SecretReader(resource, pointer + "/encryption_key", context)
                                  .read(json::chars(*key), tokenize.algorithm);
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
    if (!isHeaderName(protection.provide_as)) {
      context.problems.error(resource.file->at(pointer + "/provide_as"), "S-72",
                             "no header and no subprotocol can have the name \"" +
                                 protection.provide_as + "\": letters, digits and - are safe");
    }
  }
  protection.extract_claims =
      textsOf(*source, "extract_claims").value_or(protection.extract_claims);
  resource.protection = std::move(protection);
}

void readInvalidation(Resource& resource, const ReadContext& context) {
  const json::Value* source = json::find(*resource.source, "invalidate_tokenize");
  const json::Value* tokens = source == nullptr ? nullptr : json::find(*source, "tokens");
  if (tokens == nullptr) return;
  Invalidation invalidation;
  invalidation.place = {resource.file, resource.pointer + "/invalidate_tokenize"};
  invalidation.tokens = tokens;
  const json::Value* expires_after = json::find(*source, "expires_after");
  if (expires_after != nullptr && expires_after->type == SUB0_INT) {
    invalidation.expires_after_s = expires_after->as.i;
  }
  const auto reads_call = [](const json::Value& text) {
    if (!json::isText(text)) return false;
    const auto accessors = findAccessors(json::chars(text), nullptr);
    return std::any_of(accessors.begin(), accessors.end(), [](const WrittenAccessor& accessor) {
      return accessor.root != AccessorRoot::kEnv;
    });
  };
  bool is_constant = !reads_call(*tokens);
  for (std::size_t i = 0; json::isArray(*tokens) && i < tokens->count; ++i) {
    is_constant = is_constant && !reads_call(tokens->as.items[i]);
  }
  if (is_constant) {
    context.problems.error(resource.file->at(invalidation.place.pointer + "/tokens"), "S-74",
                           "no token comes from the call: write an accessor such as "
                           "\"$HEADER.x-access-token\" or \"$PAYLOAD.token\"");
  }
  resource.invalidation = std::move(invalidation);
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
  resource.parallel = boolOf(source, "parallel");
  resource.transaction = boolOf(source, "transaction");
  resource.retries = smallNumberOf(source, "retries");
  resource.run_in_background = boolOf(source, "run_in_background");
  resource.returnables = textsOf(source, "returnables");
  readTokenize(resource, context);
  readProtected(resource, context);
  readInvalidation(resource, context);
  readControls(resource, context);
  const json::Value* actions = json::find(source, "actionables");
  // Whose tokens SUB0_WEBSOCKET_TOKENIZE takes needs none.
  if (actions != nullptr && json::isArray(*actions) && actions->count == 0 &&
      !resource.maintenance && json::find(source, "tokenize") == nullptr &&
      json::find(source, "invalidate_tokenize") == nullptr) {
    context.problems.warning(file.atKey(pointer + "/actionables"), "S-20",
                             "there is no action: a call of this resource does nothing, and is "
                             "answered with null");
  }
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
