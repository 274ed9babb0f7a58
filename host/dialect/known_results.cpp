// SPDX-License-Identifier: Apache-2.0
#include "dialect/known_results.hpp"

#include <algorithm>

#include "base/contains.hpp"
#include "base/text.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

using KnownNames = std::optional<std::vector<std::string_view>>;

KnownNames namesOf(const Actionable& action) {
  if (action.mode == "BROADCAST") return std::vector<std::string_view>{"recipients"};
  if (action.mode != "VALUE" || action.config == nullptr || !json::isObject(*action.config) ||
      json::find(*action.config, "generate") != nullptr) {
    return std::nullopt;
  }
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < action.config->count; ++i) {
    names.push_back(json::toText(action.config->as.members[i].key));
  }
  return names;
}

std::string memberList(const std::vector<std::string_view>& names) {
  return names.empty() ? "no member" : listOf(names);
}

void checkReturnables(const std::vector<std::string>& returnables,
                      const std::vector<std::string_view>& names, const SourceFile& file,
                      const std::string& pointer, Problems& problems) {
  for (std::size_t i = 0; i < returnables.size(); ++i) {
    if (contains(names, returnables[i])) continue;
    problems.warning(
        file.at(pointer + "/returnables/" + std::to_string(i)), "S-23",
        "the result has no \"" + returnables[i] + "\" to keep; it has " + memberList(names),
        suggest(returnables[i], names));
  }
}

// The resource's returnables trim what these effects send, too (S-115). False: who knows.
bool addNamesOfEffects(const Resource& resource, std::vector<std::string_view>& names) {
  for (const Actionable& action : resource.actionables) {
    if (action.home != nullptr || action.effects.empty() || action.returnables) continue;
    const KnownNames sent = namesOf(action);
    if (!sent) return false;
    for (const std::string_view name : *sent) {
      if (!contains(names, name)) names.push_back(name);
    }
  }
  return true;
}

// The resource's returnables, where its result is that of one action.
void checkResource(const Resource& resource, const ReadContext& context) {
  if (!resource.returnables || resource.combine || !resource.result_action) return;
  const Actionable& action = resource.actionables[*resource.result_action];
  KnownNames names = namesOf(action);
  if (!names) return;
  if (action.returnables) {
    names->erase(std::remove_if(names->begin(), names->end(),
                                [&](std::string_view name) {
                                  return std::find(action.returnables->begin(),
                                                   action.returnables->end(),
                                                   name) == action.returnables->end();
                                }),
                 names->end());
  }
  if (resource.issuesToken()) names->push_back(resource.tokenize->property_name);
  if (!addNamesOfEffects(resource, *names)) return;
  checkReturnables(*resource.returnables, *names, *resource.file, resource.pointer,
                   context.problems);
}

void checkExtraction(const json::Value& extraction, const Actionable& source,
                     const std::vector<std::string_view>& names, const SourceFile& file,
                     const std::string& pointer, Problems& problems) {
  const std::string path = textOf(extraction, "extract");
  if (path.empty() || path == "self_") return;
  auto segments = text::split(path, ".");
  if (segments.front() == "0") segments.erase(segments.begin());
  if (segments.empty() || contains(names, segments.front())) return;
  std::vector<std::string_view> candidates = names;
  candidates.push_back("self_");
  problems.warning(file.at(pointer), "S-87",
                   "\"" + path + "\" leads nowhere, it is null: the result of action " +
                       std::to_string(source.id) + " has " + memberList(names),
                   suggest(segments.front(), candidates));
}

void checkExtractions(const Resource& resource, const Actionable& action, Problems& problems) {
  const json::Value* list = json::find(*action.source, "depends_on");
  if (list == nullptr || !json::isArray(*list) || list->count != action.depends_on.size()) return;
  for (std::size_t i = 0; i < list->count; ++i) {
    const Dependency& dependency = action.depends_on[i];
    const json::Value* wanted = json::find(list->as.items[i], "extract_response_for");
    if (dependency.actions.size() != 1 || wanted == nullptr || !json::isArray(*wanted)) continue;
    const Actionable& source = resource.actionables[dependency.actions.front()];
    const KnownNames names = namesOf(source);
    if (!names) continue;
    const std::string pointer =
        action.pointer + "/depends_on/" + std::to_string(i) + "/extract_response_for/";
    for (std::size_t k = 0; k < wanted->count; ++k) {
      checkExtraction(wanted->as.items[k], source, *names, *resource.file,
                      pointer + std::to_string(k) + "/extract", problems);
    }
  }
}

}  // namespace

void checkKnownResults(const Resource& resource, const ReadContext& context) {
  for (const Actionable& action : resource.actionables) {
    if (action.home != nullptr) continue;  // it is looked at there
    const KnownNames names = namesOf(action);
    if (names && action.returnables) {
      checkReturnables(*action.returnables, *names, *resource.file, action.pointer,
                       context.problems);
    }
    checkExtractions(resource, action, context.problems);
  }
  checkResource(resource, context);
}

}  // namespace sub0::dialect
