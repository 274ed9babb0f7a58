// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iostream>

#include "app/commands.hpp"
#include "app/workspace.hpp"
#include "dialect/schema.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareSchema() {
  CommandDeclaration command{
      "schema",
      "[--models] [--plugins DIR]... [--strict] [--output FILE]",
      "Prints the JSON Schema (draft-07) of a resource file, for editors: keys, types, values and "
      "modes of the loaded plugins, with the rules' numbers.",
      {{"models", "", "of a model file (models/*.json) instead", false},
       {"plugins", "DIR", "looks for plugins there first; may be repeated", true},
       {"strict", "", "refuses unknown keys, as check --strict does", false},
       {"output", "FILE", "writes it there", false}}};
  return command;
}

dialect::SchemaOptions optionsOf(const plugin::Registry& registry) {
  dialect::SchemaOptions options;
  for (const plugin::Handler* handler : registry.handlers()) {
    const std::string key(handler->config_key);
    const std::string schema(handler->schema);
    if (handler->isEffect()) {
      options.effects.push_back({key, schema});
    } else {
      options.modes.push_back({std::string(handler->name), key, schema});
    }
  }
  return options;
}

}  // namespace

const CommandDeclaration kPrintSchema = declareSchema();

int printSchema(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kPrintSchema, words);
  if (exit_code) return *exit_code;
  if (!arguments.positional().empty()) {
    return usageError(kPrintSchema, "it takes no folder: a schema is the same for all projects");
  }
  Workspace workspace(arguments, "", false);
  workspace.loadPlugins();
  if (!workspace.reportProblems()) return kExitConfiguration;
  dialect::SchemaOptions options = optionsOf(workspace.registry());
  options.strict = arguments.has("strict");
  const std::string schema =
      arguments.has("models") ? dialect::modelSchema(options) : dialect::resourceSchema(options);
  if (!arguments.has("output")) {
    std::cout << schema << std::flush;
    return std::cout ? kExitOk : kExitFailure;
  }
  std::ofstream file(arguments.value("output"), std::ios::binary | std::ios::trunc);
  file << schema;
  file.close();
  if (file) return kExitOk;
  std::cerr << "sub0: " << arguments.value("output") << " cannot be written\n";
  return kExitFailure;
}

}  // namespace sub0::app
