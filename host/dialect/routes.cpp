// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <string>

#include "base/text.hpp"
#include "dialect/resource_reader.hpp"

namespace sub0::dialect {

namespace {

constexpr std::string_view kTakenRoutes[] = {"healthz", "readyz", "metrics", "files", "_sub0"};
// What is below these is taken too.
constexpr std::string_view kTakenFolders[] = {"files", "_sub0"};

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

// What HTTP clients take out of an address before they send it, and what the host refuses there.
void warnOfSocketsAlone(const NamedRoute& route, const Spot& place, const ReadContext& context) {
  std::string why;
  for (const std::string_view segment : text::split(route.name, "/")) {
    if (segment == "." || segment == "..") {
      why = "HTTP clients resolve \"" + std::string(segment) + "\" in an address themselves";
    }
  }
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (why.empty() && route.name.find("//") != std::string::npos) {
    why = "\"//\" is refused in an address of HTTP";
  } else if (why.empty() && std::any_of(route.name.begin(), route.name.end(), is_control)) {
    why = "control characters are refused in an address of HTTP";
  }
  if (why.empty()) return;
  context.problems.warning(place, "S-50", why + ": only sockets reach this route");
}

// `users/:id`, `users/{id}`, `users/*`: what other servers take for a pattern.
void warnOfPatterns(const NamedRoute& route, const Spot& place, const ReadContext& context) {
  for (const std::string_view segment : text::split(route.name, "/")) {
    const bool is_braced = segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
    const bool is_pattern = is_braced || segment == "*" || segment == "**" ||
                            (segment.size() > 1 && segment.front() == ':');
    if (!is_pattern) continue;
    context.problems.warning(place, "S-11",
                             "routes match exactly: only the address \"/" + route.name +
                                 "\" itself reaches this; take \"" + std::string(segment) +
                                 "\" away, and let clients send the value in the payload, or as "
                                 "?name=value");
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
  if (isRouteOfTheHost(route.name) || route.name == "ws" ||
      route.name == context.options.websocket_endpoint) {
    context.problems.error(place, "S-50",
                           "the route \"" + route.name + "\" is taken by the host; choose another");
  }
  warnOfSocketsAlone(route, place, context);
  warnOfPatterns(route, place, context);
}

}  // namespace

bool isRouteOfTheHost(std::string_view name) {
  const std::string_view first = name.substr(0, name.find('/'));
  return std::find(std::begin(kTakenRoutes), std::end(kTakenRoutes), name) !=
             std::end(kTakenRoutes) ||
         std::find(std::begin(kTakenFolders), std::end(kTakenFolders), first) !=
             std::end(kTakenFolders);
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
