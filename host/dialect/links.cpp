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

constexpr std::size_t kLongestChain = 1000;  // of dependencies; what follows one recurses
constexpr std::size_t kMostOfOthers = 256;   // actions that one resource runs of others

std::optional<std::size_t> indexOf(const Resource& resource, std::int64_t id) {
  for (std::size_t i = 0; i < resource.actionables.size(); ++i) {
    const Actionable& action = resource.actionables[i];
    if (action.id == id && action.home == nullptr) return i;
  }
  return std::nullopt;
}

std::string placeText(const Place& place) {
  return "line " + std::to_string(place.position.line) + ", column " +
         std::to_string(place.position.column);
}

bool hasEmptyPart(const std::string& path) {
  return !path.empty() &&
         (path.front() == '.' || path.back() == '.' || path.find("..") != std::string::npos);
}

// Resolves what the actions of one resource say about each other.
class Linker {
 public:
  Linker(Resource& resource, const std::vector<Resource>& resources, const ReadContext& context)
      : resource_(resource), resources_(resources), context_(context) {}

  void link() {
    checkActionIds();
    // It grows meanwhile by what other resources' actions are needed.
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) readDependencies(i);
    findCircles();
    readCombination();
    chooseResult();
    findReadResults();
    findIdOfOthers();
    collectNames(resource_, context_);
    checkHashables(resource_, context_);
  }

 private:
  // In the file of this resource.
  void error(const std::string& pointer, std::string_view rule, std::string message) {
    context_.problems.error(resource_.file->at(pointer), rule, std::move(message));
  }

  const Resource& homeOf(const Actionable& action) const {
    return action.home == nullptr ? resource_ : *action.home;
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
                std::to_string(action.id) + " (first at " + placeText(place) + ")");
    }
  }

  void reportNoAction(const Spot& place, const Resource& home, std::int64_t id) {
    std::string known;
    for (const Actionable& action : home.actionables) {
      if (action.home != nullptr) continue;
      known += (known.empty() ? "; it has " : ", ") + std::to_string(action.id);
    }
    context_.problems.error(
        place, "S-24", "resource \"" + home.id + "\" has no action " + std::to_string(id) + known);
  }

  void readDependencies(std::size_t index) {
    const json::Value* list = json::find(*resource_.actionables[index].source, "depends_on");
    if (list == nullptr || !json::isArray(*list)) return;
    const std::size_t errors_before = context_.problems.errorCount();
    const Spot place = resource_.actionables[index].place;
    std::vector<Dependency> dependencies;
    std::set<std::string> names;
    for (std::size_t i = 0; i < list->count; ++i) {
      const json::Value& element = list->as.items[i];
      if (!json::isObject(element)) continue;
      const Spot here{place.file, place.pointer + "/depends_on/" + std::to_string(i)};
      const Resource* home = findResource(element, homeOf(resource_.actionables[index]));
      if (home == nullptr) {
        reportNoResource(element, here);
        continue;
      }
      Dependency dependency;
      readActionIds(element, here, *home, dependency);
      readExtractions(element, here, dependency, names);
      dependencies.push_back(std::move(dependency));
    }
    resource_.actionables[index].depends_on = std::move(dependencies);
    if (context_.problems.errorCount() != errors_before) {
      resource_.actionables[index].is_sound = false;
    }
  }

  // What `resource_id` names, said in `home`; null: nothing.
  const Resource* findResource(const json::Value& element, const Resource& home) const {
    const json::Value* id = json::find(element, "resource_id");
    if (id == nullptr || !json::isText(*id)) return &home;  // reported by its declaration
    const std::string_view name = json::chars(*id);
    if (name == "self" || name == home.id) return &home;
    const auto found = std::find_if(resources_.begin(), resources_.end(),
                                    [&](const Resource& one) { return one.id == name; });
    return found == resources_.end() ? nullptr : &*found;
  }

  void reportNoResource(const json::Value& element, const Spot& here) {
    const std::string name = textOf(element, "resource_id");
    std::vector<std::string_view> candidates{"self"};
    for (const Resource& one : resources_) candidates.push_back(one.id);
    context_.problems.error(Spot{here.file, here.pointer + "/resource_id"}, "S-24",
                            "no resource has the id \"" + name + "\"", suggest(name, candidates));
  }

  void readActionIds(const json::Value& element, const Spot& here, const Resource& home,
                     Dependency& dependency) {
    const json::Value* ids = json::find(element, "action_ids");
    if (ids == nullptr || !json::isArray(*ids)) return;
    for (std::size_t i = 0; i < ids->count; ++i) {
      const json::Value& id = ids->as.items[i];
      if (id.type != SUB0_INT) continue;
      const auto index = indexOf(home, id.as.i);
      if (index) {
        warnOfBackground(element, here, home.actionables[*index]);
        if (&home == &resource_) {
          dependency.actions.push_back(*index);
        } else if (const auto taken = take(home, *index); taken) {
          dependency.actions.push_back(*taken);
        }
      } else {
        const std::string pointer = here.pointer + "/action_ids/" + std::to_string(i);
        reportNoAction(Spot{here.file, pointer}, home, id.as.i);
      }
    }
  }

  // S-91: nothing can be extracted from what runs behind the reply.
  void warnOfBackground(const json::Value& element, const Spot& here, const Actionable& source) {
    if (!source.run_in_background || json::find(element, "extract_response_for") == nullptr) return;
    context_.problems.warning(
        Spot{here.file, here.pointer + "/extract_response_for"}, "S-91",
        "action " + std::to_string(source.id) +
            " runs in the background: there is nothing to extract, so this action never runs");
  }

  // S-86: another resource's action runs in calls of this one, where something depends on it: as
  // one of this resource's that has no_op.
  std::optional<std::size_t> take(const Resource& home, std::size_t index) {
    const Actionable& source = home.actionables[index];
    std::size_t count = 0;
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      const Actionable& action = resource_.actionables[i];
      if (action.home == &home && action.source == source.source) return i;
      count += action.home == nullptr ? 0 : 1;
    }
    if (count >= kMostOfOthers) {
      error(
          resource_.pointer + "/actionables", "S-86",
          "these need more than " + std::to_string(kMostOfOthers) + " actions of other resources");
      return std::nullopt;
    }
    Actionable taken = source;
    taken.home = &home;
    taken.no_op = true;
    taken.main_returnable = false;
    taken.depends_on.clear();
    resource_.actionables.push_back(std::move(taken));
    return resource_.actionables.size() - 1;
  }

  void readExtractions(const json::Value& element, const Spot& place, Dependency& dependency,
                       std::set<std::string>& names) {
    const json::Value* list = json::find(element, "extract_response_for");
    if (list == nullptr || !json::isArray(*list)) return;
    for (std::size_t i = 0; i < list->count; ++i) {
      const json::Value& one = list->as.items[i];
      const std::string here = place.pointer + "/extract_response_for/" + std::to_string(i);
      const std::string path = textOf(one, "extract");
      const std::string name = textOf(one, "for");
      if (json::find(one, "extract") == nullptr || json::find(one, "for") == nullptr) continue;
      if (hasEmptyPart(path)) {
        context_.problems.error(Spot{place.file, here + "/extract"}, "S-85",
                                "the path \"" + path + "\" has an empty part between its dots");
      }
      if (name.empty()) continue;  // reported by its declaration
      if (!names.insert(name).second) {
        context_.problems.error(
            Spot{place.file, here + "/for"}, "S-85",
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
    for (std::size_t i = 0; i < state.size() && !is_too_long_; ++i) visit(i, state, path);
    if (!is_too_long_) return;
    error(resource_.pointer + "/actionables", "S-24",
          "a chain of more than " + std::to_string(kLongestChain) + " dependencies");
    for (Actionable& action : resource_.actionables) action.depends_on.clear();
  }

  void visit(std::size_t action, std::vector<int>& state, std::vector<std::size_t>& path) {
    if (state[action] == 2) return;
    if (path.size() >= kLongestChain) {
      is_too_long_ = true;
      return;
    }
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
    const auto begin = std::find(path.begin(), path.end(), closing);
    const bool is_of_one = std::all_of(begin, path.end(), [&](std::size_t one) {
      return resource_.actionables[one].home == resource_.actionables[closing].home;
    });
    std::string chain;
    for (auto one = begin; one != path.end(); ++one) {
      chain += nameOf(*one, is_of_one) + " -> ";
      resource_.actionables[*one].is_sound = false;
    }
    const Spot place = placeOfStep(resource_.actionables[path.back()], closing);
    const std::string name = nameOf(closing, is_of_one);
    if (path.back() == closing) {
      context_.problems.error(place, "S-24", "action " + name + " depends on itself");
    } else {
      context_.problems.error(place, "S-24", "circular dependency: " + chain + name);
    }
  }

  std::string nameOf(std::size_t index, bool is_of_one) const {
    const Actionable& action = resource_.actionables[index];
    return (is_of_one ? "" : homeOf(action).id + "/") + std::to_string(action.id);
  }

  // Where `action` names `wanted` in its depends_on.
  Spot placeOfStep(const Actionable& action, std::size_t wanted) const {
    const Actionable& needed = resource_.actionables[wanted];
    const json::Value& list = *json::find(*action.source, "depends_on");
    for (std::size_t i = 0; i < list.count; ++i) {
      const json::Value& element = list.as.items[i];
      const json::Value* ids = json::find(element, "action_ids");
      if (!json::isObject(element) || ids == nullptr || !json::isArray(*ids) ||
          findResource(element, homeOf(action)) != &homeOf(needed)) {
        continue;
      }
      for (std::size_t k = 0; k < ids->count; ++k) {
        const json::Value& one = ids->as.items[k];
        if (one.type != SUB0_INT || one.as.i != needed.id) continue;
        return {action.place.file, action.place.pointer + "/depends_on/" + std::to_string(i) +
                                       "/action_ids/" + std::to_string(k)};
      }
    }
    return {action.place.file, action.place.pointer + "/depends_on"};
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
        reportNoAction(Spot{resource_.file, pointer}, resource_, id.as.i);
      } else if (std::find(resource_.combine->begin(), resource_.combine->end(), *index) !=
                 resource_.combine->end()) {
        error(pointer, "S-23", "action " + std::to_string(id.as.i) + " is named twice");
      } else {
        resource_.combine->push_back(*index);
        warnOfNothingToCombine(resource_.actionables[*index], pointer);
      }
    }
  }

  // S-91: it runs behind the reply.
  void warnOfNothingToCombine(const Actionable& action, const std::string& pointer) {
    if (!action.run_in_background) return;
    context_.problems.warning(resource_.file->at(pointer), "S-91",
                              "action " + std::to_string(action.id) +
                                  " runs in the background: it adds nothing to the result");
  }

  void chooseResult() {
    std::optional<std::size_t> main;
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Actionable& action = resource_.actionables[i];
      if (!action.no_op && !action.run_in_background && !main) resource_.result_action = i;
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

  // S-113: a uid is what the declaration of `id` asks for, whoever's it is.
  void findIdOfOthers() {
    for (const Actionable& action : resource_.actionables) {
      const FieldRule* id = action.home == nullptr ? nullptr : action.validation.find("id");
      if (id != nullptr && id->type == FieldType::kNumber) resource_.id_is_number = true;
    }
  }

  void findReadResults() {
    for (std::size_t i = 0; i < resource_.actionables.size(); ++i) {
      Actionable& action = resource_.actionables[i];
      if (action.returnables || homeOf(action).returnables || action.must_return_value ||
          !action.hashables.empty() || !action.verify_hashables.empty()) {
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

  Resource& resource_;
  const std::vector<Resource>& resources_;
  const ReadContext& context_;
  bool is_too_long_ = false;
};

}  // namespace

void linkResource(Resource& resource, const std::vector<Resource>& resources,
                  const ReadContext& context) {
  Linker(resource, resources, context).link();
}

void warnOfIdleActions(const std::vector<Resource>& resources, const ReadContext& context) {
  std::set<const json::Value*> needed;  // actions as they stand in the files, whoever runs them
  for (const Resource& resource : resources) {
    for (const Actionable& action : resource.actionables) {
      for (const Dependency& dependency : action.depends_on) {
        for (const std::size_t index : dependency.actions) {
          needed.insert(resource.actionables[index].source);
        }
      }
    }
  }
  for (const Resource& resource : resources) {
    for (const Actionable& action : resource.actionables) {
      if (!action.no_op || action.home != nullptr || needed.count(action.source) == 1) continue;
      context.problems.warning(resource.file->atKey(action.pointer + "/no_op"), "S-21",
                               "action " + std::to_string(action.id) +
                                   " never runs: it has no_op, and no action depends on it");
    }
  }
}

}  // namespace sub0::dialect
