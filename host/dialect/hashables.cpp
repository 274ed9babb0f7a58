// SPDX-License-Identifier: Apache-2.0
// What an action says about passwords (S-95): which fields are hashed, and which are compared.
#include <algorithm>
#include <string>
#include <utility>

#include "dialect/resource_reader.hpp"
#include "json/writer.hpp"

namespace sub0::dialect {

namespace {

constexpr std::uint32_t kUsualRounds = 12;

bool isPlainName(std::string_view property) {
  return property.find_first_of(".$") == std::string_view::npos;
}

class HashablesReader {
 public:
  HashablesReader(const Actionable& action, const Resource& resource, const std::string& key,
                  const ReadContext& context)
      : file_(*resource.file),
        list_(json::find(*action.source, key)),
        pointer_(action.pointer + "/" + key),
        context_(context) {}

  std::vector<Hashable> read() {
    std::vector<Hashable> hashables;
    for (std::size_t i = 0; list_ != nullptr && json::isArray(*list_) && i < list_->count; ++i) {
      const json::Value& element = list_->as.items[i];
      if (!json::isObject(element)) continue;
      const std::string here = pointer_ + "/" + std::to_string(i);
      Hashable hashable = readOne(element, here);
      if (hashable.property.empty()) continue;  // reported by its declaration
      checkProperty(hashable, hashables, here + "/property");
      hashables.push_back(std::move(hashable));
    }
    return hashables;
  }

 private:
  Hashable readOne(const json::Value& element, const std::string& here) {
    Hashable hashable;
    hashable.property = textOf(element, "property");
    const bool is_argon2 = textOf(element, "algorithm") == "ARGON2";
    hashable.algorithm = is_argon2 ? HashAlgorithm::kArgon2 : HashAlgorithm::kBcrypt;
    const json::Value* options = json::find(element, "options");
    if (options == nullptr) return hashable;
    const std::uint32_t rounds = smallNumberOf(*options, "rounds_cost");
    hashable.rounds_cost = rounds == 0 ? kUsualRounds : rounds;
    const json::Value* salt = json::find(*options, "salt");
    if (salt != nullptr) {
      hashable.salt = json::isText(*salt) ? std::string(json::chars(*salt)) : json::toString(*salt);
    }
    const std::uint32_t most = context_.options.max_bcrypt_cost;
    if (!is_argon2 && rounds <= 31 && rounds > most) {
      context_.problems.error(file_.at(here + "/options/rounds_cost"), "S-95",
                              "a hash of " + std::to_string(rounds) +
                                  " keeps a core busy for too long: SUB0_BCRYPT_MAX_COST allows " +
                                  std::to_string(most) + ", and one more takes twice the time");
    }
    return hashable;
  }

  void checkProperty(const Hashable& hashable, const std::vector<Hashable>& earlier,
                     const std::string& pointer) {
    const bool is_there = std::any_of(earlier.begin(), earlier.end(), [&](const Hashable& one) {
      return one.property == hashable.property;
    });
    if (is_there) {
      context_.problems.error(file_.at(pointer), "S-95",
                              "\"" + hashable.property + "\" stands here twice; keep one of them");
    }
    if (!isPlainName(hashable.property)) {
      context_.problems.error(file_.at(pointer), "S-95",
                              "\"" + hashable.property +
                                  "\" must be the plain name of a field of the payload itself, "
                                  "such as \"password\"");
    }
  }

  const SourceFile& file_;
  const json::Value* const list_;
  const std::string pointer_;
  const ReadContext& context_;
};

bool isText(const FieldRule& field) {
  return field.type == FieldType::kString || field.type == FieldType::kEmail ||
         field.type == FieldType::kDateTime || field.type == FieldType::kUuid ||
         field.type == FieldType::kEnum;
}

void checkDeclared(const Resource& resource, const std::string& pointer, std::string_view property,
                   const char* what, const ReadContext& context) {
  const FieldRule* field = nullptr;
  for (const Actionable& action : resource.actionables) {
    if (field == nullptr) field = action.validation.find(property);
  }
  const std::string name = "\"" + std::string(property) + "\"";
  if (field == nullptr) {
    context.problems.warning(
        resource.file->at(pointer), "S-95",
        "no payload_validation declares " + name + ": where a client leaves it out, " + what);
  } else if (!isText(*field)) {
    context.problems.warning(resource.file->at(pointer), "S-95",
                             "payload_validation declares " + name +
                                 " as no text, and only texts have hashes: such calls are refused");
  }
}

// S-63: it would stand where the hash should.
void refuseOtherMeanings(const Actionable& action, const ReadContext& context) {
  for (std::size_t i = 0; i < action.hashables.size(); ++i) {
    const std::string& property = action.hashables[i].property;
    for (const auto* names : {&action.names.extracted, &action.names.generated}) {
      if (std::find(names->begin(), names->end(), property) == names->end()) continue;
      context.problems.error(
          action.place.file->at(action.pointer + "/hashables/" + std::to_string(i) + "/property"),
          "S-95",
          "this action knows another value by the name \"" + property +
              "\", which would be taken for the hash; change its \"for\"");
    }
  }
}

bool isCached(const json::Value& object) {
  const json::Value* cacheable = json::find(object, "cacheable");
  return (cacheable != nullptr && json::find(*cacheable, "cache_key") != nullptr) ||
         json::find(object, "cache_key") != nullptr;
}

}  // namespace

void readHashables(Actionable& action, const Resource& resource, const ReadContext& context) {
  action.hashables = HashablesReader(action, resource, "hashables", context).read();
  action.verify_hashables = HashablesReader(action, resource, "verify_hashables", context).read();
  if (action.verify_hashables.empty()) return;
  const std::string pointer = action.pointer + "/verify_hashables";
  if (action.run_in_background) {
    context.problems.error(resource.file->atKey(pointer), "S-95",
                           "an action that runs in the background cannot refuse the call: nobody "
                           "would hear that the value does not match");
  }
  if (isCached(*action.source) || isCached(*resource.source)) {
    context.problems.error(resource.file->atKey(pointer), "S-95",
                           "a result that is read from a cache would not be compared: take "
                           "the cache away");
  }
  if (resource.transaction) {
    context.problems.warning(resource.file->atKey(pointer), "S-95",
                             "the transaction keeps its rows locked, and SQLite all writers out, "
                             "while a hash is compared: compare in a resource of its own");
  }
}

void checkHashables(const Resource& resource, const ReadContext& context) {
  const auto check = [&](const Actionable& action, const char* key,
                         const std::vector<Hashable>& hashables, const char* what) {
    for (std::size_t i = 0; i < hashables.size(); ++i) {
      if (!isPlainName(hashables[i].property)) continue;  // an error already
      const std::string pointer =
          action.pointer + "/" + key + "/" + std::to_string(i) + "/property";
      checkDeclared(resource, pointer, hashables[i].property, what, context);
    }
  };
  for (const Actionable& action : resource.actionables) {
    if (action.home != nullptr) continue;  // it is looked at there
    refuseOtherMeanings(action, context);
    check(action, "hashables", action.hashables, "nothing is hashed, and it is null");
    check(action, "verify_hashables", action.verify_hashables, "nothing matches");
  }
}

}  // namespace sub0::dialect
