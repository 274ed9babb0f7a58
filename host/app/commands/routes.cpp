// SPDX-License-Identifier: Apache-2.0
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <iostream>

#include "app/commands.hpp"
#include "app/workspace.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareRoutes() {
  CommandDeclaration command{"routes", "DIR [--plugins DIR]... [--json]",
                             "Lists the resources: route, id, methods, what it takes to call them.",
                             projectOptions()};
  command.options.push_back({"json", "", "prints a JSON array", false});
  return command;
}

std::string modesOf(const dialect::Resource& resource) {
  std::string modes;
  for (const auto& action : resource.actionables) {
    modes += (modes.empty() ? "" : ", ") + action.mode;
  }
  return modes;
}

void printRoute(const call::Plan& plan) {
  const auto& resource = *plan.resource;
  std::cout << (plan.reads_only ? "GET|POST" : "POST") << "  /" << resource.route;
  if (!resource.id.empty() && resource.id != resource.route) std::cout << "  /" << resource.id;
  std::cout << "  " << modesOf(resource);
  if (resource.protection) std::cout << "  token in " << resource.protection->provide_as;
  if (resource.maintenance) std::cout << "  under maintenance";
  const dialect::Place place = resource.place;
  std::cout << "  (" << place.file << ":" << place.position.line << ")\n";
}

void printJson(const call::PlanSet& plans) {
  Poco::JSON::Array rows;
  for (const auto& plan : plans.plans()) {
    const auto& resource = *plan->resource;
    const dialect::Place place = resource.place;
    Poco::JSON::Object row;
    row.set("route", resource.route);
    row.set("id", resource.id);
    row.set("methods", plan->reads_only ? "GET|POST" : "POST");
    row.set("modes", modesOf(resource));
    row.set("token", resource.protection ? resource.protection->provide_as : std::string());
    row.set("file", place.file);
    row.set("line", static_cast<Poco::UInt64>(place.position.line));
    rows.add(row);
  }
  rows.stringify(std::cout, 2);
  std::cout << '\n';
}

}  // namespace

const CommandDeclaration kListRoutes = declareRoutes();

int listRoutes(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kListRoutes, words);
  if (exit_code) return *exit_code;
  const std::string folder = projectFolder(arguments);
  if (folder.empty()) return usageError(kListRoutes, "name the project's folder");
  Workspace workspace(arguments, folder, false);
  workspace.compileOffline();
  if (!workspace.reportErrors()) return kExitConfiguration;
  if (arguments.has("json")) {
    printJson(*workspace.plans());
  } else {
    for (const auto& plan : workspace.plans()->plans()) printRoute(*plan);
  }
  return kExitOk;
}

}  // namespace sub0::app
