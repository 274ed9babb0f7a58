// SPDX-License-Identifier: Apache-2.0
// What broadcasts say about their receivers and their label (S-38, S-115). Receivers are templates,
// in which a word is itself: whoever means a value of the call writes an accessor.
#include <algorithm>
#include <string>
#include <vector>

#include "base/contains.hpp"
#include "dialect/accessor.hpp"
#include "dialect/resource_reader.hpp"

namespace sub0::dialect {

namespace {

// The accessor of the value of this call that has the name; empty if none has.
std::string accessorOf(std::string_view word, const Names& names) {
  const std::string name(word);
  if (contains(names.extracted, name) || contains(names.generated, name) ||
      contains(names.declared_payload, name)) {
    return "$PAYLOAD." + name;
  }
  return contains(names.extracted_claims, name) ? "$PROTECTED." + name : std::string();
}

bool endsWith(std::string_view word, std::string_view end) {
  return word.size() > end.size() && word.substr(word.size() - end.size()) == end;
}

// Whether it is written as names of fields are, not as the uid of somebody.
bool looksLikeField(std::string_view word) {
  const bool has_only_letters = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  });
  if (!has_only_letters) return false;
  if (word == "id" || word == "uid" || word == "ids" || word == "uids") return true;
  for (const char* const end : {"_id", "_ids", "_uid", "_uids", "Id", "Ids", "Uid", "Uids"}) {
    if (endsWith(word, end)) return true;
  }
  return false;
}

class BroadcastChecker {
 public:
  BroadcastChecker(const Actionable& action, const ReadContext& context)
      : action_(action), context_(context) {}

  void check(const std::string& key) {
    const json::Value* const broadcast = json::find(*action_.source, key);
    if (broadcast == nullptr) return;
    const std::string pointer = action_.pointer + "/" + key;
    if (textOf(*broadcast, "broadcast_type") != "ALL") {
      checkReceivers(json::find(*broadcast, "broadcast_to"), pointer + "/broadcast_to");
    }
    checkLabel(textOf(*broadcast, "action"), pointer + "/action");
  }

 private:
  void checkReceivers(const json::Value* to, const std::string& pointer) {
    if (to == nullptr) return;
    checkUid(*to, pointer);
    for (std::size_t i = 0; json::isArray(*to) && i < to->count; ++i) {
      checkUid(to->as.items[i], pointer + "/" + std::to_string(i));
    }
  }

  void checkUid(const json::Value& uid, const std::string& pointer) {
    const std::string word(json::isText(uid) ? json::chars(uid) : std::string_view());
    const std::string accessor = accessorOf(word, action_.names);
    if (!accessor.empty()) {
      warn(pointer, "this goes to the uid \"" + word +
                        "\" itself, not to the value of that name; write " + accessor);
    } else if (looksLikeField(word)) {
      warn(pointer, "this goes to the uid \"" + word +
                        "\" itself; for the payload's field of that name write $PAYLOAD." + word);
    }
  }

  void checkLabel(const std::string& label, const std::string& pointer) {
    const auto accessors = findAccessors(label, nullptr);
    if (accessors.empty()) return;
    const WrittenAccessor& first = accessors.front();
    warn(pointer, "\"action\" is a label and sent as it stands, \"" +
                      label.substr(first.begin, first.end - first.begin) +
                      "\" too; put what differs from call to call into the data");
  }

  void warn(const std::string& pointer, std::string message) {
    context_.problems.warning(action_.place.file->at(pointer), "S-115", std::move(message));
  }

  const Actionable& action_;
  const ReadContext& context_;
};

}  // namespace

void checkBroadcasts(const Resource& resource, const ReadContext& context) {
  for (const Actionable& action : resource.actionables) {
    if (action.home != nullptr) continue;  // it is looked at there
    BroadcastChecker checker(action, context);
    if (action.config_key == "broadcast") checker.check("broadcast");
    checker.check("broadcast_websocket_message");
  }
}

}  // namespace sub0::dialect
