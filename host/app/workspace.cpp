// SPDX-License-Identifier: Apache-2.0
#include "app/workspace.hpp"

#include <Poco/File.h>
#include <Poco/Path.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <map>

#include "app/migration_at_start.hpp"
#include "app/network_settings.hpp"
#include "app/packaged_paths.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "dialect/files.hpp"

namespace sub0::app {
namespace {

std::map<std::string, std::string> flagsOf(const Arguments& arguments) {
  static const std::pair<const char*, const char*> kFlags[] = {
      {"host", "HOST"}, {"port", "PORT"}, {"database", "DATABASE_URL"}, {"loops", "SUB0_LOOPS"}};
  std::map<std::string, std::string> flags;
  for (const auto& [flag, setting] : kFlags) {
    if (arguments.has(flag)) flags[setting] = arguments.value(flag);
  }
  return flags;
}

std::string realPath(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

/// Of the process.
std::vector<std::string> environmentNames() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

/// Absolute, without `.`, `..` and a slash at the end.
std::string cleanPath(const std::string& path) {
  std::string clean = std::filesystem::absolute(path).lexically_normal().string();
  if (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  return clean;
}

/// Those of --plugins first, then ../plugins beside the binary if it exists, else the packaged
/// folder.
std::vector<plugin::PluginFolder> foldersOf(const Arguments& arguments) {
  std::vector<plugin::PluginFolder> folders;
  const auto add = [&folders](const std::string& path, bool is_packaged) {
    const bool is_there = std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
      return realPath(folder.path) == realPath(path);
    });
    if (!is_there) folders.push_back({path, is_packaged});
  };
  for (const auto& path : arguments.all("plugins")) add(path, false);
  const std::string beside = Poco::Path(programFolder()).append("../plugins").toString();
  const std::string normal = std::filesystem::path(beside).lexically_normal().string();
  if (Poco::File(normal).exists()) {
    add(normal, false);
  } else if (Poco::File(kPackagedPluginFolder).exists()) {
    add(kPackagedPluginFolder, true);
  }
  return folders;
}

/// $STATE_DIRECTORY is what systemd gives a service; it may name several, the first counts.
std::string stateFolderOf(const Arguments& arguments) {
  if (arguments.has("state")) return arguments.value("state");
  const auto given = processEnvironment("STATE_DIRECTORY");
  if (given && !given->empty()) return given->substr(0, given->find(':'));
  return "./.sub0";
}

/// SUB0_LOG and SUB0_LOG_LEVEL; an unknown word is an error.
std::string configureLog(const Settings& settings) {
  const std::string format = settings.text("SUB0_LOG");
  const std::string level = settings.text("SUB0_LOG_LEVEL");
  static const std::pair<const char*, log::Level> kLevels[] = {{"error", log::Level::kError},
                                                               {"warning", log::Level::kWarning},
                                                               {"info", log::Level::kInfo},
                                                               {"debug", log::Level::kDebug}};
  if (format != "text" && format != "json")
    return settings.told("SUB0_LOG") + "expected text or json";
  for (const auto& [name, value] : kLevels) {
    if (level != name) continue;
    log::configure(format == "json" ? log::Format::kJson : log::Format::kText, value);
    return {};
  }
  return settings.told("SUB0_LOG_LEVEL") + "expected error, warning, info or debug";
}

}  // namespace

std::string projectFolder(const Arguments& arguments) {
  std::vector<std::string> named = arguments.positional();
  if (arguments.has("resources")) named.push_back(arguments.value("resources"));
  return named.size() == 1 ? named.front() : std::string();
}

std::vector<OptionDeclaration> projectOptions() {
  return {
      {"resources", "DIR", "project folder, or a folder of resource files", false},
      {"plugins", "DIR", "looks for plugins there first; may be repeated", true},
      {"database", "URL",
       "sqlite:PATH, postgres://..., mysql://..., mariadb://... or odbc:...; default: a SQLite "
       "file in the state "
       "folder",
       false},
      {"state", "DIR", "folder for what the host keeps; default $STATE_DIRECTORY, else ./.sub0",
       false},
      {"config", "FILE", "properties file; default /etc/sub0/sub0.properties", false},
      {"strict", "", "makes warnings about names errors", false},
  };
}

std::optional<std::string> processEnvironment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

std::string programFolder() {
  std::error_code ignored;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return program.parent_path().string();
}

Workspace::Workspace(const Arguments& arguments, std::string resources, bool starting)
    : starting_(starting),
      strict_(arguments.has("strict")),
      resources_(std::move(resources)),
      state_folder_(stateFolderOf(arguments)),
      plugin_folders_(foldersOf(arguments)),
      settings_(flagsOf(arguments), processEnvironment, arguments.value("config")) {
  if (!resources_.empty()) readDotEnv();
  const std::string problem = configureLog(settings_);
  if (!problem.empty()) addProblem(problem);
}

void Workspace::readDotEnv() {
  dialect::FileSystemReader files;
  layout_ = dialect::findProject(files, resources_);
  // Told by the project as well, but some commands read none; repetitions are dropped.
  if (!layout_.exists) dialect::reportNoProject(files, resources_, problems_);
  if (layout_.env_file.empty()) return;
  const auto text = files.read(layout_.env_file);
  if (text) settings_.addDotEnv(dialect::parseDotEnv(*text, layout_.env_file, problems_));
}

void Workspace::loadPlugins() {
  plugin::LoadOptions options;
  const std::string on_errors = settings_.text("SUB0_PLUGIN_ERRORS");
  options.skip_errors = on_errors == "skip";
  if (!options.skip_errors && on_errors != "stop") {
    addProblem(settings_.told("SUB0_PLUGIN_ERRORS") + "expected stop or skip");
  }
  registry_.loadFolders(plugin_folders_, options);
  for (const auto& setting : registry_.settings()) {
    SettingDeclaration declaration;
    declaration.name = setting.name;
    declaration.default_value = setting.default_value;
    declaration.text = setting.description;
    declaration.is_secret = setting.is_secret;
    if (setting.type == SUB0_INT) declaration.type = SettingType::kWhole;
    if (setting.type == SUB0_BOOL) declaration.type = SettingType::kBool;
    settings_.declare(std::move(declaration));
  }
  addFindings();
  checkSettings();
}

void Workspace::checkSettings() {
  std::vector<std::string> problems = settings_.problems();
  network_options_ = app::networkOptions(settings_, problems);
  problems.push_back(migrateSettingProblem(settings_));
  for (const auto& problem : problems) {
    if (!problem.empty()) addProblem(problem);
  }
  for (const auto& stranger : settings_.strangers(environmentNames())) {
    problems_.strictWarning(strict_, {"settings", "", {}}, "", stranger);
  }
}

void Workspace::loadProject() { project_ = readProject(problems_); }

std::shared_ptr<const dialect::Project> Workspace::readProject(dialect::Problems& problems) const {
  dialect::LoadOptions options;
  for (const plugin::Handler* handler : registry_.handlers()) {
    if (handler->isEffect()) {
      options.effects.push_back({std::string(handler->config_key)});
    } else {
      options.modes.push_back({std::string(handler->name), std::string(handler->config_key)});
    }
  }
  options.plugin_hint = "searched for plugins: ";
  for (const auto& folder : plugin_folders_) {
    options.plugin_hint += (&folder == plugin_folders_.data() ? "" : ", ") + folder.path;
  }
  if (plugin_folders_.empty()) options.plugin_hint += "nowhere; name a folder by --plugins DIR";
  options.environment = processEnvironment;
  options.strict = strict_;
  options.max_bcrypt_cost = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(settings_.whole("SUB0_BCRYPT_MAX_COST"), 4, 31));
  options.starting = starting_;
  options.sockets = settings_.flag("ALLOW_WEBSOCKET_CONNECTIONS");
  options.websocket_endpoint = settings_.text("WEBSOCKET_ENDPOINT");
  dialect::FileSystemReader files;
  return dialect::Project::load(files, resources_, options, problems);
}

/// The host knows where state and project are; plugins ask for it by these names.
std::optional<std::string> Workspace::pluginSetting(std::string_view name) const {
  if (name == "SUB0_STATE") return cleanPath(state_folder_);
  if (name == "SUB0_SERVES") return starting_ ? "true" : "false";
  if (name == "SUB0_PROJECT") {
    const std::string& folder = layout_.project_folder;
    return cleanPath(folder.empty() ? "." : folder);
  }
  return settings_.given(name);
}

void Workspace::createPlugins(plugin::HostTable& host) {
  has_plugins_ = true;
  registry_.createAll(host, [this](std::string_view name) { return pluginSetting(name); });
  addFindings();
}

void Workspace::compile() {
  plans_ = call::PlanSet::compile(project_, registry_, problems_, identityOptions());
}

void Workspace::compileOffline() {
  loadPlugins();
  loadProject();
  createPluginsOffline();
  compile();
}

call::IdentityOptions Workspace::identityOptions() const {
  call::IdentityOptions options;
  options.uid_claim = settings_.text("SUB0_WEBSOCKET_UID_CLAIM");
  options.tokenize = settings_.text("SUB0_WEBSOCKET_TOKENIZE");
  options.token_leeway_s = settings_.whole("SUB0_TOKEN_LEEWAY");
  options.revoked_tokens = &revoked_tokens_;
  return options;
}

std::shared_ptr<const call::PlanSet> Workspace::recompile(dialect::Problems& problems) {
  std::shared_ptr<const call::PlanSet> plans;
  try {
    plans = call::PlanSet::compile(readProject(problems), registry_, problems, identityOptions());
  } catch (const std::exception& fault) {  // at start it would end the process
    problems.error({resources_, "", {}}, "", std::string("cannot be read: ") + fault.what());
  }
  return problems.hasErrors() ? nullptr : plans;
}

void Workspace::destroyPlugins() {
  plans_.reset();
  if (has_plugins_) registry_.destroyAll();
  has_plugins_ = false;
}

std::string Workspace::databaseName() const {
  const std::string url = settings_.text("DATABASE_URL");
  if (url.empty()) return "sqlite";
  return url.rfind("postgres", 0) == 0 ? "postgres" : url.substr(0, url.find(':'));
}

void Workspace::addFindings() {
  const auto& found = registry_.problems();
  for (; plugin_problems_taken_ < found.size(); ++plugin_problems_taken_) {
    const auto& problem = found[plugin_problems_taken_];
    dialect::Problem entry;
    entry.severity = problem.severity == plugin::Severity::kError ? dialect::Severity::kError
                                                                  : dialect::Severity::kWarning;
    entry.place.file = problem.file;
    entry.message = problem.message;
    problems_.add(std::move(entry));
  }
}

bool Workspace::reportErrors() {
  dialect::Problems errors;
  for (const auto& problem : problems_.all()) {
    if (problem.severity == dialect::Severity::kError) errors.add(problem);
  }
  const bool is_sound = report(errors);
  problems_.sort();  // drops repetitions
  if (problems_.warningCount() == 0) return is_sound;
  const std::string line = counted(problems_.warningCount(), "warning") + ": sub0-host check " +
                           text::escapeControl(resources_);
  if (settings_.text("SUB0_LOG") == "json") {
    log::write(log::Level::kWarning, "problem", line, {});
  } else {
    std::cerr << line << '\n';
  }
  return is_sound;
}

bool Workspace::report(dialect::Problems& problems) const {
  problems.sort();
  if (settings_.text("SUB0_LOG") != "json") {
    std::cerr << problems.toText();
    return !problems.hasErrors();
  }
  for (const auto& problem : problems.all()) {
    const bool is_error = problem.severity == dialect::Severity::kError;
    log::write(is_error ? log::Level::kError : log::Level::kWarning, "problem",
               dialect::toLine(problem), {});
  }
  return !problems.hasErrors();
}

}  // namespace sub0::app
