// SPDX-License-Identifier: Apache-2.0
// Projects: files parted by lines `=== NAME`, loaded as a whole. Loading ends, says the same each
// time, makes no place up, and what it calls good can be found, linked and compiled.
#include <map>

#include "dialect/project.hpp"
#include "json/parser.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/dialect/memory_files.hpp"

namespace sub0::dialect {
namespace {

using Files = std::map<std::string, std::string>;

Files splitFiles(std::string_view text) {
  Files files;
  std::string name = "p/resources/a.json";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (line.substr(0, 4) == "=== ") {
      name = "p/" + std::string(line.substr(4, line.find_last_not_of("\r\n") - 3));
      files[name];
    } else {
      files[name] += line;
    }
  }
  return files;
}

LoadOptions optionsOf(std::uint8_t steer) {
  LoadOptions options = usualOptions();
  options.sockets = (steer & 1) != 0;
  options.strict = (steer & 2) != 0;
  options.starting = (steer & 4) != 0;
  options.environment = [](std::string_view name) -> std::optional<std::string> {
    return name == "KEY" ? std::optional<std::string>("0123456789abcdef0123456789abcdef")
                         : std::nullopt;
  };
  return options;
}

void judgePlaces(const Files& files, const Problems& problems) {
  std::size_t errors = 0;
  for (const Problem& problem : problems.all()) {
    errors += problem.severity == Severity::kError ? 1 : 0;
    FUZZ_CHECK(!problem.message.empty() && !problem.rule.empty());
    const auto file = files.find(problem.place.file);
    if (problem.place.position.line == 0 || file == files.end()) continue;
    const auto lines =
        static_cast<std::size_t>(std::count(file->second.begin(), file->second.end(), '\n') + 1);
    FUZZ_CHECK(problem.place.position.line <= lines && problem.place.position.column >= 1);
    FUZZ_CHECK(problem.place.position.column <= file->second.size() + 1);
  }
  FUZZ_CHECK(errors == problems.errorCount());
  Arena arena;
  json::Parser parser;
  const auto list = parser.parseCopy(problems.toJson(), arena);
  FUZZ_CHECK(list && json::isArray(*list) && list->count == problems.all().size());
}

/// Of a project without errors.
void judgeModel(const Project& project) {
  for (const Resource& resource : project.resources()) {
    FUZZ_CHECK(project.find(resource.id) == &resource);
    FUZZ_CHECK(project.find(resource.route) == &resource);
    const std::size_t count = resource.actionables.size();
    FUZZ_CHECK(!resource.result_action || *resource.result_action < count);
    if (resource.combine) {
      for (const std::size_t index : *resource.combine) FUZZ_CHECK(index < count);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const Actionable& action = resource.actionables[i];
      FUZZ_CHECK(action.is_sound && action.config != nullptr);
      for (const Dependency& dependency : action.depends_on) {
        FUZZ_CHECK(!dependency.actions.empty());
        for (const std::size_t index : dependency.actions) FUZZ_CHECK(index < i);
      }
      Problems problems;
      const CompileContext context = project.contextOf(action, problems);
      const std::string pointer = Project::pointerBelow(action, action.config_key, "");
      // A copy where members that are null were left out.
      const json::Value* const there =
          json::resolvePointer(resource.file->document().root(), pointer);
      FUZZ_CHECK(there != nullptr && there->type == action.config->type);
      const Template compiled = Template::compile(*action.config, pointer, context);
      Arena arena;
      compiled.evaluate(Scope(), arena);
    }
  }
}

}  // namespace
}  // namespace sub0::dialect

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::dialect;
  const sub0::fuzz::Input input(data, size);
  const Files files = splitFiles(input.bytes);
  const LoadOptions options = optionsOf(input.steer);
  const Loaded loaded = loadFiles(files, options, "p");
  const Loaded again = loadFiles(files, options, "p");
  FUZZ_CHECK(loaded.project != nullptr);
  sub0::fuzz::checkEqual(loaded.problems.toText(), again.problems.toText(), "loaded twice");
  judgePlaces(files, loaded.problems);
  if (!loaded.problems.hasErrors()) judgeModel(*loaded.project);
  return 0;
}
