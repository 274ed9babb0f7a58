// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "dialect/resource_reader.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

constexpr std::string_view kTakenRoutes[] = {"healthz", "readyz", "metrics", "files", "_sub0"};
// What is below these is taken too.
constexpr std::string_view kTakenFolders[] = {"files", "_sub0"};

std::optional<std::size_t> indexOf(const Resource& resource, std::int64_t id) {
  for (std::size_t i = 0; i < resource.actionables.size(); ++i) {
    if (resource.actionables[i].id == id) return i;
  }
  return std::nullopt;
}

bool hasEmptyPart(const std::string& path) {
  return !path.empty() &&
         (path.front() == '.' || path.back() == '.' || path.find("..") != std::string::npos);
}

// Resolves what the actions of one resource say about each other.
class Linker {
 public:
  Linker(Resource& resource, const std::vector<std::string>& ids, const ReadContext& context)
      : resource_(resource), ids_(ids), context_(context) {}

  void link() {
    checkActionIds();
    for (Actionable& action : resource_.actionables) readDependencies(action);
    findCircles();
    findIdleActions();
    readCombination();
    chooseResult();
    findReadResults();
    collectNames();
  }

 private:
  void error(const std::string& pointer, std::string_view rule, std::string message,
             std::string suggestion = {}) {
    context_.problems.error(resource_.file->at(pointer), rule, std::move(message),
                            std::move(suggestion));
  }

  void checkActionIds() {
    std::set<std::int64_t> seen;
    for (Actionable& action : resource_.actionables) {
      const json::Value* id = json::find(*action.source, "id");
      if (id == nullptr || id->type != SUB0_INT || seen.insert(action.id).second) continue;
      action.is_sound = false;
      const std::size_t first = *indexOf(resource_, action.id);
      const Place place = resource_.file->at(resource_.actionables[first].pointer + "/id");
      error(action.pointer + "/id", "S-24",
            "two actions of resource \"" + resource_.id + "\" have the id " +
                std::to_string(action.id) + " (first at line " +
                std::to_string(place.position.line) + ", column " +
                std::to_string(place.position.column) + ")");
    }
  }

  void reportNoAction(const std::string& pointer, std::int64_t id) {
    std::string known;
    for (const Actionable& action : resource_.actionables) {
      known += (known.empty() ? "; it has " : ", ") + std::to_string(action.id);
    }
    error(pointer, "S-24",
          "resource \"" + resource_.id + "\" has no action " + std::to_string(id) + known);
  }

  void readDependencies(Actionable& action) {
    const json::Value* list = json::find(*action.source, "depends_on");
    if (list == nullptr || !json::isArray(*list)) return;
    const std::size_t errors_before = context_.problems.errorCount();
    std::set<std::string> names;
    for (std::size_t i = 0; i < list->count; ++i) {
      const json::Value& element = list->as.items[i];
      if (!json::isObject(element)) continue;
      const std::string pointer = action.pointer + "/depends_on/" + std::to_string(i);
      if (!isOwnResource(element, pointer)) continue;
      Dependency dependency;
      readActionIds(element, pointer, dependency);
      readExtractions(element, pointer, dependency, names);
      action.depends_on.push_back(std::move(dependency));
    }
    if (context_.problems.errorCount() != errors_before) action.is_sound = false;
  }

  bool isOwnResource(const json::Value& element, const std::string& pointer) {
    const json::Value* id = json::find(element, "resource_id");
    if (id == nullptr || !json::isText(*id)) return true;  // reported by its declaration
    const std::string name(json::chars(*id));
    if (name == "self" || name == resource_.id) return true;
    if (std::find(ids_.begin(), ids_.end(), name) != ids_.end()) {
      error(pointer + "/resource_id", "S-40",
            "depending on another resource (\"" + name +
                "\") is not supported yet (S-86); put a copy of its action into this resource");
      return false;
    }
    std::vector<std::string_view> candidates{"self"};
    candidates.insert(candidates.end(), ids_.begin(), ids_.end());
    error(pointer + "/resource_id", "S-24", "no resource has the id \"" + name + "\"",
          suggest(name, candidates));
    return false;
  }

  void readActionIds(const json::Value& element, const std::string& pointer,
                     Dependency& dependency) {
    const json::Value* ids = json::find(element, "action_ids");
    if (ids == nullptr || !json::isArray(*ids)) return;
    for (std::size_t i = 0; i < ids->count; ++i) {
      const json::Value& id = ids->as.items[i];
      if (id.type != SUB0_INT) continue;
      const auto index = indexOf(resource_, id.as.i);
      if (index) {
        dependency.actions.push_back(*index);
      } else {
        reportNoAction(pointer + "/action_ids/" + std::to_string(i), id.as.i);
      }
    }
  }

  void readExtractions(const json::Value& element, const std::string& pointer,
                       Dependency& dependency, std::set<std::string>& names) {
    const json::Value* list = json::find(element, "extract_response_for");
    if (list == nullptr || !json::isArray(*list)) return;
    for (std::size_t i = 0; i < list->count; ++i) {
      const json::Value& one = list->as.items[i];
      const std::string here = pointer + "/extract_response_for/" + std::to_string(i);
      const std::string path = textOf(one, "extract");
      const std::string name = textOf(one, "for");
      if (json::find(one, "extract") == nullptr || json::find(one, "for") == nullptr) continue;
      if (hasEmptyPart(path)) {
        error(here + "/extract", "S-85",
              "the path \"" + path + "\" has an empty part between its dots");
      }
      if (name.empty()) continue;  // reported by its declaration
      if (!names.insert(name).second) {
        error(here + "/for", "S-85",
              "this action extracts \"" + name + "\" twice; give one of them another name");
      } else {
        dependency.extractions.push_back({ExtractPath(path), name});
      }
    }
  }

  // Depth first; a step to an action that is on the path closes a circle.
  void findCircles() {
    std::vector<int> state(resource_.actionables.size(), 0);  // 0 new, 1 on the path, 2 done
    std::vector<std::size_t> path;
    for (std::size_t i = 0; i < state.size(); ++i) visit(i, state, path);
  }

  void visit(std::size_t action, std::vector<int>& state, std::vector<std::size_t>& path) {
    if (state[action] == 2) return;
    if (state[action] == 1) {
      reportCircle(action, path);
      return;
    }
    state[action] = 1;
    path.push_back(action);
    for (const Dependency& dependency : resource_.actionables[action].depends_on) {
      for (const std::size_t next : dependency.actions) visit(next, state, path);
    }
    path.pop_back();
    state[action] = 2;
  }

  void reportCircle(std::size_t closing, const std::vector<std::size_t>& path) {
    std::string chain;
    bool is_in_circle = false;
    for (const std::size_t one : path) {
      is_in_circle = is_in_circle || one == closing;
      if (!is_in_circle) continue;
      chain += std::to_string(resource_.actionables[one].id) + " -> ";
      resource_.actionables[one].is_sound = false;
    }
    const std::int64_t id = resource_.actionables[closing].id;
    const std::string place = placeOfStep(resource_.actionables[path.back()], id);
    if (path.back() == closing) {
      error(place, "S-24", "action " + std::to_string(id) + " depends on itself");
    } else {
      error(place, "S-24", "circular dependency: " + chain + std::to_string(id));
    }
  }

  // Where `action` names `id` in its depends_on.
  static std::string placeOfStep(const Actionable& action, std::int64_t id) {
    const json::Value& list = *json::find(*action.source, "depends_on");
    for (std::size_t i = 0; i < list.count; ++i) {
      const json::Value* ids = json::find(list.as.items[i], "action_ids");
      for (std::size_t k = 0; ids != nullptr && json::isArray(*ids) && k < ids->count; ++k) {
        const json::Value& one = ids->as.items[k];
        if (one.type != SUB0_INT || one.as.i != id) continue;
        return action.pointer + "/depends_on/" + std::to_string(i) + "/action_ids/" +
               std::to_string(k);
      }
    }
    return action.pointer + "/depends_on";
  }

  // S-21: what nothing depends on never runs.
  void findIdleActions() {
    std::vector<bool> is_needed(resource_.actionables.size(), false);
    for (const Actionable& action : resource_.actionables) {
      for (const Dependency& dependency : action.depends_on) {
        for (const std::size_t needed : dependency.actions) is_needed[needed] = true;
      }
    }
    for (std::size_t i = 0; i < is_needed.size(); ++i) {
      const Actionable& action = resource_.actionables[i];
      if (!action.no_op || is_needed[i]) continue;
      context_.problems.warning(resource_.file->atKey(action.pointer + "/no_op"), "S-21",
                                "action " + std::to_string(action.id) +
                                    " never runs: it has no_op, and no action depends on it");
    }
  }

  void readCombination() {
    const json::Value* list = json::find(*resource_.source, "combine_returned_results_from");
    if (list == nullptr || !json::isArray(*list)) return;
    resource_.combine.emplace();
    for (std::size_t i = 0; i < list->count; ++i) {
      const json::Value& id = list->as.items[i];
      if (id.type != SUB0_INT) continue;
      const std::string pointer =
          resource_.pointer + "/combine_returned_results_from/" + std::to_string(i);
      const auto index = indexOf(resource_, id.as.i);
      if (!index) {
        reportNoAction(pointer, id.as.i);
      } else if (std::find(resource_.combine->begin(), resource_.combine->end(), *index) !=
                 resource_.combine->end()) {
        error(pointer, "S-23", "action " + std::to_string(id.as.i) + " is named twice");
      } else {
        resource_.combine->push_back(*index);
      }
    }
  }

  void chooseResult() {
    std::optional<std::size_t> main;
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Actionable& action = resource_.actionables[i];
      if (!action.no_op && !main) resource_.result_action = i;
      if (!action.main_returnable) continue;
      const std::string pointer = action.pointer + "/main_returnable";
      if (action.no_op) {
        error(pointer, "S-21",
              "an action with no_op never is the result of a call; take one of the two away");
      } else if (main) {
        error(pointer, "S-24",
              "action " + std::to_string(resource_.actionables[*main].id) +
                  " has main_returnable already; one action of a resource can have it");
      } else {
        main = i;
        resource_.result_action = i;
      }
    }
    // S-23: main_returnable comes before the combination.
    if (!main || !resource_.combine) return;
    resource_.combine.reset();
    context_.problems.warning(
        resource_.file->atKey(resource_.pointer + "/combine_returned_results_from"), "S-23",
        "combine_returned_results_from does nothing: action " +
            std::to_string(resource_.actionables[*main].id) + " has main_returnable");
  }

  void findReadResults() {
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Actionable& action = resource_.actionables[i];
      if (action.returnables || resource_.returnables || action.must_return_value) {
        action.result_is_read = true;
      }
      if (resource_.issuesToken() && resource_.result_action == i) action.result_is_read = true;
      for (const Dependency& dependency : action.depends_on) {
        if (dependency.extractions.empty()) continue;
        for (const std::size_t read : dependency.actions) {
          resource_.actionables[read].result_is_read = true;
        }
      }
    }
    if (!resource_.combine) return;
    for (const std::size_t read : *resource_.combine) {
      resource_.actionables[read].result_is_read = true;
    }
  }

  static void addName(std::vector<std::string>& names, std::string_view name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }

  static void collectGenerated(const json::Value& value, std::vector<std::string>& names) {
    if (json::isArray(value)) {
      for (std::size_t i = 0; i < value.count; ++i) collectGenerated(value.as.items[i], names);
    }
    if (!json::isObject(value)) return;
    const json::Value* kind = json::find(value, "generate");
    const json::Value* name = json::find(value, "for");
    if (value.count == 2 && kind != nullptr && name != nullptr && json::isText(*kind) &&
        json::isText(*name)) {
      addName(names, json::chars(*name));
      return;
    }
    for (std::size_t i = 0; i < value.count; ++i) {
      collectGenerated(value.as.members[i].value, names);
    }
  }

  // All that may have run before `action`: itself, those before it, and what these depend on.
  void markEarlier(std::size_t action, std::vector<bool>& is_earlier) const {
    if (is_earlier[action]) return;
    is_earlier[action] = true;
    for (const Dependency& dependency : resource_.actionables[action].depends_on) {
      for (const std::size_t next : dependency.actions) markEarlier(next, is_earlier);
    }
  }

  void collectNames() {
    std::vector<std::string> declared;
    for (const Actionable& action : resource_.actionables) {
      for (const FieldRule& field : action.validation.fields()) addName(declared, field.name);
    }
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Names& names = resource_.actionables[i].names;
      names.declared_payload = declared;
      names.has_no_claims = !resource_.protection;
      if (resource_.protection) names.extracted_claims = resource_.protection->extract_claims;
      names.payload_id_is_uid = context_.options.sockets;
      for (const Dependency& dependency : resource_.actionables[i].depends_on) {
        for (const Extraction& one : dependency.extractions) addName(names.extracted, one.name);
      }
      std::vector<bool> is_earlier(resource_.actionables.size(), false);
      for (std::size_t earlier = 0; earlier <= i; ++earlier) markEarlier(earlier, is_earlier);
      for (std::size_t k = 0; k < is_earlier.size(); ++k) {
        if (is_earlier[k]) collectGenerated(*resource_.actionables[k].source, names.generated);
      }
      warnOfDeclaredId(resource_.actionables[i]);
    }
  }

  void warnOfDeclaredId(const Actionable& action) {
    if (!context_.options.sockets) return;
    const json::Value* list = json::find(*action.source, "payload_validation");
    for (std::size_t i = 0; list != nullptr && json::isArray(*list) && i < list->count; ++i) {
      const json::Value* field = json::find(list->as.items[i], "field");
      if (field == nullptr || json::find(*field, "id") == nullptr) continue;
      context_.problems.warning(resource_.file->atKey(action.pointer + "/payload_validation/" +
                                                      std::to_string(i) + "/field/id"),
                                "S-113",
                                "payload \"id\" is the caller's uid when this comes over a socket");
    }
  }

  Resource& resource_;
  const std::vector<std::string>& ids_;
  const ReadContext& context_;
};

struct NamedRoute {
  const Resource* resource;
  std::string key;  // "id" or "resource"
  std::string name;
};

std::string placeText(const NamedRoute& route) {
  const Place place = route.resource->file->at(route.resource->pointer + "/" + route.key);
  return place.file + ":" + std::to_string(place.position.line) + ":" +
         std::to_string(place.position.column);
}

// What HTTP clients take out of an address before they send it.
void warnOfLostSegments(const NamedRoute& route, const Place& place, const ReadContext& context) {
  for (const std::string_view segment : text::split(route.name, "/")) {
    if (segment != "." && segment != "..") continue;
    context.problems.warning(place, "S-50",
                             "HTTP clients resolve \"" + std::string(segment) +
                                 "\" in an address themselves: only sockets reach this route");
    return;
  }
}

void checkOneRoute(const NamedRoute& route, const ReadContext& context) {
  const Spot place{route.resource->file, route.resource->pointer + "/" + route.key};
  if (route.name.front() == '/') {
    context.problems.error(
        place, "S-50", "a route is written without a leading slash",
        route.name.substr(std::min(route.name.find_first_not_of('/'), route.name.size())));
    return;
  }
  if (route.name.find_first_of("?#") != std::string::npos) {
    context.problems.error(place, "S-50",
                           "a route cannot hold '?' or '#': in an address they end the path");
  }
  const std::string_view first = std::string_view(route.name).substr(0, route.name.find('/'));
  const bool is_taken = std::find(std::begin(kTakenRoutes), std::end(kTakenRoutes), route.name) !=
                            std::end(kTakenRoutes) ||
                        std::find(std::begin(kTakenFolders), std::end(kTakenFolders), first) !=
                            std::end(kTakenFolders) ||
                        route.name == "ws" || route.name == context.options.websocket_endpoint;
  if (is_taken) {
    context.problems.error(place, "S-50",
                           "the route \"" + route.name + "\" is taken by the host; choose another");
  }
  warnOfLostSegments(route, place, context);
}

}  // namespace

void linkResource(Resource& resource, const std::vector<std::string>& ids,
                  const ReadContext& context) {
  Linker(resource, ids, context).link();
}

void checkRoutes(const std::vector<Resource>& resources, const ReadContext& context) {
  std::map<std::string, NamedRoute> exact;
  std::map<std::string, NamedRoute> folded;
  for (const Resource& resource : resources) {
    for (const char* const key : {"id", "resource"}) {
      const json::Value* value = json::find(*resource.source, key);
      if (value == nullptr || !json::isText(*value) || value->count == 0) continue;
      const NamedRoute route{&resource, key, std::string(json::chars(*value))};
      if (route.key == "resource" && route.name == resource.id) continue;  // one route (S-11)
      checkOneRoute(route, context);
      const Spot place{resource.file, resource.pointer + "/" + route.key};
      const auto [same, is_new] = exact.emplace(route.name, route);
      if (!is_new) {
        const bool both_ids = same->second.key == "id" && route.key == "id";
        context.problems.error(place, "S-11",
                               "the " + std::string(both_ids ? "id" : "route") + " \"" +
                                   route.name + "\" is taken: " + placeText(same->second));
        continue;
      }
      const auto [similar, is_first] = folded.emplace(text::toLower(route.name), route);
      if (!is_first) {
        context.problems.error(place, "S-11",
                               "the routes \"" + route.name + "\" and \"" + similar->second.name +
                                   "\" (" + placeText(similar->second) + ") differ in case only");
      }
    }
  }
}

}  // namespace sub0::dialect
