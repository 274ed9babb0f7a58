// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/resources.hpp"

#include <algorithm>

#include "sub0/plugin.h"

namespace sub0::simulation {
namespace {

constexpr std::string_view kEndings[] = {"now",       "later", "turn",  "thread", "pool",
                                         "post",      "late",  "never", "twice",  "fail",
                                         "faillater", "null",  "throw", "blob"};

std::string number(std::size_t value) { return std::to_string(value); }

std::string depsText(const ActionModel& action) {
  std::string text;
  for (const std::size_t needed : action.depends) {
    text += (text.empty() ? "" : ",") + std::string("\"$PAYLOAD.v") + number(needed) + "\"";
  }
  return "[" + text + "]";
}

/// The members of every row, of VALUE and of the scripted plugin alike.
std::string rowTemplate(const ActionModel& action) {
  const std::string id = number(static_cast<std::size_t>(action.id));
  return R"({"n":"$PAYLOAD.n","a":)" + id + R"(,"x":)" + id + R"(,"d":)" + depsText(action) +
         R"(,"pad":"$PAYLOAD.pad","k)" + id + R"(":1})";
}

std::string castText(const ActionModel& action, const std::string& label) {
  static constexpr std::string_view kTypes[] = {"", "ALL", "SINGLE", "BULK"};
  std::string text = R"("broadcast_type":")" +
                     std::string(kTypes[static_cast<std::size_t>(action.cast)]) +
                     R"(","action":")" + label + "\"";
  if (action.cast == Cast::kSingle) text += R"(,"broadcast_to":"$PAYLOAD.to.0")";
  if (action.cast == Cast::kBulk) text += R"(,"broadcast_to":"$PAYLOAD.to")";
  if (action.excludes_sender) text += R"(,"exclude_sender":true)";
  return text;
}

std::string modeText(const ActionModel& action, std::size_t index, const std::string& label) {
  switch (action.mode) {
    case Mode::kValue:
      return R"("mode":"VALUE","value":)" + rowTemplate(action);
    case Mode::kBroadcast:
      return R"("mode":"BROADCAST","broadcast":{)" + castText(action, label) +
             R"(,"data":{"n":"$PAYLOAD.n","a":)" + number(static_cast<std::size_t>(action.id)) +
             "}}";
    case Mode::kScript:
    case Mode::kPool:
    case Mode::kFew:
      break;
  }
  const bool is_pool = action.mode == Mode::kPool;
  const std::string name = is_pool ? "POOL" : action.mode == Mode::kFew ? "FEW" : "SCRIPT";
  const std::string key = is_pool ? "pool" : action.mode == Mode::kFew ? "few" : "script";
  return R"("mode":")" + name + R"(",")" + key + R"(":{"index":)" + number(index) + R"(,"a":)" +
         number(static_cast<std::size_t>(action.id)) +
         R"(,"in":{"n":"$PAYLOAD.n","how":"$PAYLOAD.h)" + number(index) +
         R"(","pad":"$PAYLOAD.pad","d":)" + depsText(action) + "}}";
}

ActionModel action(int id, Mode mode) {
  ActionModel made;
  made.id = id;
  made.mode = mode;
  return made;
}

ResourceModel single(const std::string& id, Mode mode, Cast cast = Cast::kNone,
                     bool excludes = false) {
  ResourceModel made;
  made.id = id;
  made.actions.push_back(action(1, mode));
  made.actions.back().cast = cast;
  made.actions.back().excludes_sender = excludes;
  return made;
}

ResourceModel byChance(Random& random, const std::string& id) {
  ResourceModel made;
  made.id = id;
  const std::size_t count = 2 + random.below(4);
  std::vector<std::size_t> rank(count);
  for (std::size_t i = 0; i < count; ++i) rank[i] = random.below(1000);
  for (std::size_t i = 0; i < count; ++i) {
    static constexpr Mode kModes[] = {Mode::kScript,    Mode::kScript, Mode::kScript, Mode::kValue,
                                      Mode::kBroadcast, Mode::kPool,   Mode::kFew};
    ActionModel& made_action = made.actions.emplace_back(
        action(static_cast<int>(10 + i), kModes[random.below(std::size(kModes))]));
    made_action.no_op = random.percent(25);
    made_action.must_return = random.percent(15);
    for (std::size_t j = 0; j < count; ++j) {
      const bool is_below = rank[j] < rank[i] || (rank[j] == rank[i] && j < i);
      if (j != i && is_below && random.percent(30)) made_action.depends.push_back(j);
    }
    if (made_action.mode == Mode::kBroadcast || random.percent(25)) {
      made_action.cast = static_cast<Cast>(1 + random.below(3));
      made_action.excludes_sender = random.percent(25);
    }
  }
  made.actions[random.below(count)].no_op = false;
  std::vector<std::size_t> possible;
  for (std::size_t i = 0; i < count; ++i) {
    if (!made.actions[i].no_op) possible.push_back(i);
  }
  if (random.percent(30)) {
    made.main = possible[random.below(possible.size())];
  } else if (possible.size() > 1 && random.percent(30)) {
    made.combine = possible;
  }
  return made;
}

/// Runs the model of one call.
class Reckoning {
 public:
  Reckoning(const ResourceModel& resource, const std::vector<How>& hows, std::uint64_t call,
            const std::string& pad)
      : resource_(resource),
        hows_(hows),
        call_(call),
        pad_(pad),
        is_done_(resource.actions.size(), false),
        results_(resource.actions.size()) {}

  Expected reckon() {
    for (std::size_t i = 0; i < resource_.actions.size(); ++i) {
      if (!resource_.actions[i].no_op && !perform(i)) return std::move(expected_);
    }
    expected_.data = result();
    return std::move(expected_);
  }

 private:
  bool fail(std::string_view error) {
    expected_.error = error;
    return false;
  }

  /// False: the call has ended.
  bool perform(std::size_t index) {
    if (is_done_[index]) return true;
    is_done_[index] = true;
    const ActionModel& action = resource_.actions[index];
    for (const std::size_t needed : action.depends) {
      if (!perform(needed)) return false;
    }
    for (const std::size_t needed : action.depends) {
      if (!results_[needed].isNull()) continue;
      return action.must_return ? fail("no_value") : true;
    }
    if (action.isScripted()) {
      expected_.runs.push_back(index);
      expected_.waits_for_others = expected_.waits_for_others || action.mode != Mode::kScript;
      if (!endRun(index)) return false;
    } else {
      results_[index] = row(index);
    }
    if (action.must_return && results_[index].isNull()) return fail("no_value");
    if (action.cast != Cast::kNone) expected_.casts.push_back(index);
    return true;
  }

  bool endRun(std::size_t index) {
    const How& how = hows_[index];
    const std::uint32_t retries = resource_.actions[index].retries;
    if (retries > 0 && how.failures() > 0) {
      expected_.repeats = std::min(how.failures(), retries);
      if (how.failures() > retries) return fail("unavailable");
      results_[index] = row(index);
      return true;
    }
    switch (how.ending) {
      case Ending::kLate:
      case Ending::kNever:
        expected_.times_out = true;
        return fail("timeout");
      case Ending::kFail:
      case Ending::kFailLater:
        return fail(codeName(how.code));
      case Ending::kThrow:
        return fail("internal");
      case Ending::kNull:
        return true;
      default:
        results_[index] = row(index);
        return true;
    }
  }

  static std::string_view codeName(std::int32_t code) {
    switch (code) {
      case SUB0_BAD_REQUEST:
        return "bad_request";
      case SUB0_FORBIDDEN:
        return "forbidden";
      case SUB0_CONSTRAINT:
        return "constraint";
      default:
        return "action_failed";
    }
  }

  static Json numeral(std::uint64_t value) {
    Json made;
    made.type = Json::Type::kNumber;
    made.text = std::to_string(value);
    return made;
  }

  Json row(std::size_t index) const {
    const ActionModel& action = resource_.actions[index];
    const auto id = static_cast<std::uint64_t>(action.id);
    Json made;
    made.type = Json::Type::kObject;
    if (action.mode == Mode::kBroadcast) {
      made.members.emplace_back("recipients", Json());  // how many is not reckoned
      return made;
    }
    made.members.emplace_back("n", numeral(call_));
    made.members.emplace_back("a", numeral(id));
    made.members.emplace_back("x", numeral(id));
    Json deps;
    deps.type = Json::Type::kArray;
    for (const std::size_t needed : action.depends) {
      const bool has_x = resource_.actions[needed].mode != Mode::kBroadcast;
      deps.items.push_back(has_x ? numeral(static_cast<std::uint64_t>(resource_.actions[needed].id))
                                 : Json());
    }
    made.members.emplace_back("d", std::move(deps));
    Json pad;
    pad.type = Json::Type::kText;
    pad.text = pad_;
    made.members.emplace_back("pad", std::move(pad));
    made.members.emplace_back("k" + std::to_string(id), numeral(1));
    return made;
  }

  std::optional<Json> result() const {
    if (!resource_.combine.empty()) return combined();
    std::size_t index = resource_.actions.size();
    if (resource_.main) {
      index = *resource_.main;
    } else {
      while (resource_.actions[--index].no_op) {
      }
    }
    if (resource_.actions[index].mode == Mode::kBroadcast && !results_[index].isNull()) {
      return std::nullopt;
    }
    return results_[index];
  }

  /// S-23: merged in that order, later members over earlier ones.
  std::optional<Json> combined() const {
    Json merged;
    merged.type = Json::Type::kObject;
    for (const std::size_t index : resource_.combine) {
      if (results_[index].isNull() || resource_.actions[index].mode == Mode::kBroadcast) {
        return std::nullopt;
      }
      for (const auto& [name, value] : results_[index].members) {
        const auto same = std::find_if(merged.members.begin(), merged.members.end(),
                                       [&name = name](const auto& m) { return m.first == name; });
        if (same != merged.members.end()) {
          same->second = value;
        } else {
          merged.members.emplace_back(name, value);
        }
      }
    }
    return merged;
  }

  const ResourceModel& resource_;
  const std::vector<How>& hows_;
  const std::uint64_t call_;
  const std::string& pad_;
  std::vector<bool> is_done_;
  std::vector<Json> results_;
  Expected expected_;
};

}  // namespace

std::uint32_t How::failures() const {
  const bool is_failure = ending == Ending::kFail || ending == Ending::kFailLater;
  return is_failure && code == SUB0_UNAVAILABLE ? 1 + static_cast<std::uint32_t>(ms % 4) : 0;
}

std::string How::toText() const {
  const bool is_failure = ending == Ending::kFail || ending == Ending::kFailLater;
  return std::string(kEndings[static_cast<std::size_t>(ending)]) + ":" + std::to_string(ms) +
         (is_failure ? ":" + std::to_string(code) : "");
}

How How::parse(std::string_view text) {
  How how;
  const auto colon = text.find(':');
  for (std::size_t i = 0; i < std::size(kEndings); ++i) {
    if (kEndings[i] == text.substr(0, colon)) how.ending = static_cast<Ending>(i);
  }
  if (colon == text.npos) return how;
  const std::string rest(text.substr(colon + 1));
  how.ms = std::stoll(rest);
  if (const auto second = rest.find(':'); second != rest.npos) {
    how.code = std::stoi(rest.substr(second + 1));
  }
  return how;
}

std::string castLabel(const ResourceModel& resource, std::size_t action) {
  return "cast-" + resource.id + "-" + number(action);
}

std::string ResourceModel::toJson() const {
  std::string text = R"({"id":")" + id + R"(","resource":"at/)" + id + "\"";
  if (!combine.empty()) {
    std::string ids;
    for (const std::size_t index : combine) {
      ids += (ids.empty() ? "" : ",") + std::to_string(actions[index].id);
    }
    text += R"(,"combine_returned_results_from":[)" + ids + "]";
  }
  text += R"(,"actionables":[)";
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const ActionModel& action = actions[i];
    text += (i == 0 ? "{\"id\":" : ",{\"id\":") + std::to_string(action.id) + "," +
            modeText(action, i, castLabel(*this, i));
    if (action.no_op) text += R"(,"no_op":true)";
    if (action.retries > 0) text += R"(,"retries":)" + std::to_string(action.retries);
    if (action.must_return) text += R"(,"must_return_value":true)";
    if (main && *main == i) text += R"(,"main_returnable":true)";
    std::string dependencies;
    for (const std::size_t needed : action.depends) {
      dependencies += (dependencies.empty() ? "" : ",") +
                      std::string(R"({"resource_id":"self","action_ids":[)") +
                      std::to_string(actions[needed].id) +
                      R"(],"extract_response_for":[{"extract":"x","for":"v)" + number(needed) +
                      "\"}]}";
    }
    if (!dependencies.empty()) text += R"(,"depends_on":[)" + dependencies + "]";
    if (action.cast != Cast::kNone && action.mode != Mode::kBroadcast) {
      text += R"(,"broadcast_websocket_message":{)" + castText(action, castLabel(*this, i)) + "}";
    }
    if (action.has_late_effect) text += R"(,"script_effect":{"ms":5})";
    text += "}";
  }
  return text + "]}";
}

std::vector<ResourceModel> makeResources(Random& random) {
  std::vector<ResourceModel> made;
  made.push_back(single("echo", Mode::kValue));
  made.push_back(single("one", Mode::kScript));
  made.back().actions.back().retries = 2;
  made.push_back(single("pooled", Mode::kPool));
  made.push_back(single("scarce", Mode::kFew));
  made.push_back(single("tell-all", Mode::kValue, Cast::kAll));
  made.push_back(single("tell-one", Mode::kScript, Cast::kSingle));
  made.back().actions.back().retries = 2;
  made.push_back(single("tell-some", Mode::kScript, Cast::kBulk));
  made.push_back(single("shout", Mode::kBroadcast, Cast::kAll, true));
  made.push_back(single("effect", Mode::kScript, Cast::kAll));
  made.back().actions.back().has_late_effect = true;
  for (int i = 0; i < 3; ++i) made.push_back(byChance(random, "chance-" + std::to_string(i)));
  return made;
}

ResourceModel makeCircle(Random& random) {
  ResourceModel made = byChance(random, "circle");
  const std::size_t count = made.actions.size();
  const std::size_t begin = random.below(count);
  const std::size_t length = 1 + random.below(count);
  for (std::size_t i = 0; i < length; ++i) {
    made.actions[(begin + i) % count].depends = {(begin + (i + 1) % length) % count};
  }
  return made;
}

Expected reckon(const ResourceModel& resource, const std::vector<How>& hows, std::uint64_t number,
                const std::string& pad) {
  return Reckoning(resource, hows, number, pad).reckon();
}

std::string payloadOf(const std::vector<How>& hows, std::uint64_t number, const std::string& pad,
                      const std::vector<std::string>& to) {
  std::string text = "{\"n\":" + std::to_string(number);
  for (std::size_t i = 0; i < hows.size(); ++i) {
    text += ",\"h" + std::to_string(i) + "\":\"" + hows[i].toText() + "\"";
  }
  text += ",\"pad\":" + quoted(pad) + ",\"to\":[";
  for (std::size_t i = 0; i < to.size(); ++i) text += (i == 0 ? "" : ",") + quoted(to[i]);
  return text + "]}";
}

}  // namespace sub0::simulation
