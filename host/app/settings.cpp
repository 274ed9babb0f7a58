// SPDX-License-Identifier: Apache-2.0
#include "app/settings.hpp"

#include <Poco/AutoPtr.h>
#include <Poco/Exception.h>
#include <Poco/NumberParser.h>
#include <Poco/Util/PropertyFileConfiguration.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "base/text.hpp"
#include "dialect/resource_reader.hpp"
#include "dialect/suggest.hpp"
#include "net/options.hpp"

namespace sub0::app {
namespace {

constexpr std::int64_t kNoMaximum = std::int64_t{1} << 40;

SettingDeclaration text(std::string name, std::string default_value, std::string about,
                        std::string flag = {}) {
  return {std::move(name),
          std::move(flag),
          SettingType::kText,
          std::move(default_value),
          std::move(about),
          false,
          0,
          0};
}

SettingDeclaration whole(std::string name, std::int64_t default_value, std::int64_t min,
                         std::int64_t max, std::string about, std::string flag = {}) {
  return {std::move(name),
          std::move(flag),
          SettingType::kWhole,
          std::to_string(default_value),
          std::move(about),
          false,
          min,
          max};
}

SettingDeclaration flag(std::string name, std::string about) {
  return {std::move(name), {}, SettingType::kBool, "false", std::move(about), false, 0, 0};
}

/// Empty where it is not set.
SettingDeclaration optionalWhole(std::string name, std::int64_t min, std::int64_t max,
                                 std::string about) {
  SettingDeclaration setting = whole(std::move(name), 0, min, max, std::move(about));
  setting.default_value.clear();
  return setting;
}

/// Names of the dialect are those of the hosted product (spec §14); ours begin with SUB0_.
void addNetworkSettings(std::vector<SettingDeclaration>& settings) {
  const net::Options defaults;
  for (const auto& row : net::optionTable()) {
    SettingDeclaration setting;
    setting.name = row.setting;
    setting.text = row.text;
    if (const auto* member = std::get_if<std::uint64_t net::Options::*>(&row.member)) {
      setting.type = SettingType::kWhole;
      setting.default_value = std::to_string(defaults.*(*member));
      setting.min = row.min;
      setting.max = kNoMaximum;
    } else if (const auto* flag = std::get_if<bool net::Options::*>(&row.member)) {
      setting.type = SettingType::kBool;
      setting.default_value = defaults.*(*flag) ? "true" : "false";
    } else {
      setting.default_value = defaults.*(*std::get_if<std::string net::Options::*>(&row.member));
    }
    settings.push_back(std::move(setting));
  }
}

/// What stands behind the text of a whole number whose bounds somebody may meet.
std::string rangeOf(const SettingDeclaration& setting) {
  if (setting.type != SettingType::kWhole || setting.max <= setting.min) return {};
  if (setting.max >= kNoMaximum) return {};
  return "; from " + std::to_string(setting.min) + " to " + std::to_string(setting.max);
}

std::vector<SettingDeclaration> makeHostSettings() {
  std::vector<SettingDeclaration> settings{
      text("HOST", "127.0.0.1", "address to listen on", "host"),
      whole("PORT", 8080, 0, 65'535, "port to listen on; 0: any free one, named in the ready line",
            "port"),
      text("ALLOWED_ORIGINS", "",
           "origins that browsers may call from, separated by | or ,; empty: all"),
      text("SUB0_TRUSTED_PROXIES", "",
           "addresses or CIDR ranges whose X-Forwarded-For is believed"),
      text("SUB0_UNLIMITED_ADDRESSES", "127.0.0.0/8,::1",
           "addresses or CIDR ranges that have no limit of connections per address"),
      text(
          "SUB0_UID_CONNECTIONS", "all",
          "further connections of a uid: all (each gets its messages), replace (the older ones are "
          "closed), refuse (409)"),
      optionalWhole(
          "SUB0_ADMIN_PORT", 0, 65'535,
          "port for /healthz, /readyz and /metrics alone; empty: they are on PORT; 0: any "
          "free one, named in the log"),
      text("SUB0_ADMIN_HOST", "127.0.0.1", "address of SUB0_ADMIN_PORT"),
      whole("SUB0_BLOCKED_FAULT_MS", 10'000, 100, 86'400'000,
            "ms for which a loop may be blocked before /healthz says 503"),
      text("SUB0_LOG", "text", "log lines on stderr: text or json"),
      text("SUB0_LOG_LEVEL", "info", "error, warning, info or debug"),
      flag("SUB0_TRACE",
           "a log line per call: its actions, their statements, types of parameters, durations"),
      whole("SUB0_TOKEN_LEEWAY", 0, 0, 300,
            "s by which clocks may differ where exp, nbf and iat of tokens are checked"),
      text("SUB0_WEBSOCKET_UID_CLAIM", "",
           "the claim of a verified token that is the uid of a socket; empty: ?uid= says it"),
      text("SUB0_WEBSOCKET_TOKENIZE", "", "id of the resource whose tokenize verifies that token"),
      whole(
          "SUB0_REVOCATIONS_READ_MS", 5'000, 0, 30'000,
          "ms after which at the latest tokens that other hosts of the same database have revoked "
          "are refused here too; 0: after a start alone"),
      text("SUB0_MIGRATE", "",
           "auto: the start makes the tables of the models; off: it only says what they lack; "
           "empty: auto on SQLite, else off"),
      text("SUB0_PLUGIN_ERRORS", "stop",
           "stop: a plugin that cannot load ends the start; skip: it is left out"),
      whole("SUB0_LOOPS", 0, 0, 64, "event loops; 0: one per core, at most 8", "loops"),
      whole("SUB0_CALL_DEADLINE_MS", 30'000, 1, 86'400'000, "ms that a call may take"),
      whole("SUB0_DRAIN_MS", 10'000, 0, 3'600'000,
            "ms that calls and connections get to end at SIGTERM"),
      whole("SUB0_BULK_LIMIT", 10'000, 1, 10'000'000,
            "uids of one BULK broadcast, and names that one call drops from the cache"),
      whole("SUB0_POOL_THREADS", 4, 1, 256, "threads for work that blocks"),
      whole(
          "SUB0_HASH_THREADS", 0, 0, 256,
          "passwords that are hashed or compared at once; 0: half as many as cores, at least one"),
      whole("SUB0_HASH_QUEUE", 100, 1, 100'000,
            "passwords that may wait for that; calls with more are answered as busy"),
      whole("SUB0_BCRYPT_MAX_COST", 16, 4, 31,
            "most rounds_cost of BCRYPT, also of stored hashes; one more takes twice the time"),
      whole("SUB0_CACHE_LIMIT", 64 << 20, 0, kNoMaximum,
            "bytes that cached results (cacheable) may take; one takes at most an eighth; 0: "
            "nothing is kept"),
      whole("SUB0_RATE_LIMIT_IDENTIFIERS", 100'000, 1000, 100'000'000,
            "identifiers that rate limits tell apart at the same time; further ones share windows"),
  };
  addNetworkSettings(settings);
  for (SettingDeclaration& setting : settings) setting.text += rangeOf(setting);
  return settings;
}

bool isBool(std::string_view value) {
  for (const auto* known : {"true", "false", "1", "0", "yes", "no", "on", "off"}) {
    if (text::equalsIgnoreCase(value, known)) return true;
  }
  return false;
}

bool asBool(std::string_view value) {
  for (const auto* known : {"true", "1", "yes", "on"}) {
    if (text::equalsIgnoreCase(value, known)) return true;
  }
  return false;
}

/// Reads a file, a pipe or /dev/null; a folder, which Poco would read for ever, and what has no end
/// are refused. Empty, or what is wrong.
std::string readBounded(const std::string& path, std::string& content) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return error ? error.message() : std::generic_category().message(ENOENT);
  }
  if (!std::filesystem::is_regular_file(status) && !std::filesystem::is_fifo(status) &&
      !std::filesystem::is_character_file(status)) {
    return std::filesystem::is_directory(status) ? "it is a folder; name the file in it"
                                                 : "it is no file";
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::generic_category().message(errno);
  content.resize(kMaxBytes + 1);
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad()) return std::generic_category().message(errno);
  return content.size() > kMaxBytes ? "it is larger than 1 MiB" : "";
}

}  // namespace

const std::vector<SettingDeclaration>& hostSettings() {
  static const std::vector<SettingDeclaration> kSettings = makeHostSettings();
  return kSettings;
}

Settings::Settings(std::map<std::string, std::string> flags, dialect::EnvironmentLookup environment,
                   std::string properties_file)
    : flags_(std::move(flags)),
      environment_(std::move(environment)),
      properties_file_(std::move(properties_file)),
      declarations_(hostSettings()) {
  if (properties_file_.empty()) {
    properties_file_ = "/etc/sub0/sub0.properties";
    std::error_code ignored;
    if (!std::filesystem::exists(properties_file_, ignored)) return;
  }
  readProperties();
}

void Settings::readProperties() {
  std::string content;
  std::string problem = readBounded(properties_file_, content);
  if (problem.empty()) problem = parseProperties(content);
  if (!problem.empty()) {
    file_problems_.push_back(properties_file_ + ": cannot be read: " + problem);
  }
}

std::string Settings::parseProperties(const std::string& content) {
  try {
    std::istringstream in(content);
    const Poco::AutoPtr<Poco::Util::PropertyFileConfiguration> file(
        new Poco::Util::PropertyFileConfiguration(in));
    Poco::Util::AbstractConfiguration::Keys keys;
    file->keys(keys);
    for (const auto& key : keys) properties_[key] = file->getRawString(key);
  } catch (const Poco::Exception& problem) {
    return problem.displayText();
  }
  return {};
}

void Settings::declare(SettingDeclaration declaration) {
  const bool is_known =
      std::any_of(declarations_.begin(), declarations_.end(),
                  [&](const SettingDeclaration& known) { return known.name == declaration.name; });
  if (!is_known) declarations_.push_back(std::move(declaration));
}

std::optional<std::string> Settings::given(std::string_view name) const {
  const SettingValue found = find(name);
  if (found.origin == "default") return std::nullopt;
  return found.value;
}

SettingValue Settings::find(std::string_view name) const {
  const std::string key(name);
  const auto declared =
      std::find_if(declarations_.begin(), declarations_.end(),
                   [&](const SettingDeclaration& known) { return known.name == key; });
  const std::string fallback = declared == declarations_.end() ? "" : declared->default_value;
  if (const auto flag = flags_.find(key); flag != flags_.end()) {
    const bool has_flag = declared != declarations_.end() && !declared->flag.empty();
    return {flag->second, has_flag ? "--" + declared->flag : "command line"};
  }
  SettingValue found{fallback, "default"};
  if (auto value = environment_ ? environment_(name) : std::nullopt) {
    found = {std::move(*value), "environment"};
  } else if (const auto line = dot_env_.find(key); line != dot_env_.end()) {
    found = {line->second, ".env"};
  } else if (const auto property = properties_.find(key); property != properties_.end()) {
    found = {property->second, properties_file_};
  }
  if (found.value.empty()) return {fallback, "default"};
  return found;
}

std::string Settings::told(std::string_view name) const {
  const bool is_secret = std::any_of(
      declarations_.begin(), declarations_.end(),
      [&](const SettingDeclaration& known) { return known.name == name && known.is_secret; });
  const SettingValue value = find(name);
  return std::string(name) + "=" + (is_secret ? "***" : value.value) + " (" + value.origin + "): ";
}

std::int64_t Settings::whole(std::string_view name) const {
  Poco::Int64 value = 0;
  return Poco::NumberParser::tryParse64(text(name), value) ? value : 0;
}

bool Settings::flag(std::string_view name) const { return asBool(text(name)); }

std::vector<std::string> Settings::problems() const {
  std::vector<std::string> found = file_problems_;
  for (const auto& declared : declarations_) {
    const SettingValue value = find(declared.name);
    const std::string what = told(declared.name);
    if (declared.type == SettingType::kBool && !isBool(value.value)) {
      found.push_back(what + "expected true or false");
    }
    if (declared.type != SettingType::kWhole) continue;
    if (value.value.empty() && declared.default_value.empty()) continue;  // not set
    Poco::Int64 number = 0;
    if (!Poco::NumberParser::tryParse64(value.value, number)) {
      found.push_back(what + "expected a whole number");
    } else if (declared.max > declared.min && (number < declared.min || number > declared.max)) {
      found.push_back(what + "expected a whole number from " + std::to_string(declared.min) +
                      " to " + std::to_string(declared.max));
    }
  }
  const SettingValue endpoint = find("WEBSOCKET_ENDPOINT");
  if (!endpoint.value.empty() && endpoint.value.front() == '/') {
    found.push_back(told("WEBSOCKET_ENDPOINT") + "leave out the slash at its beginning");
  }
  if (dialect::isRouteOfTheHost(endpoint.value)) {
    found.push_back(told("WEBSOCKET_ENDPOINT") + "the host has that route itself; choose another");
  }
  for (const auto& property : properties_) {
    const bool is_known =
        std::any_of(declarations_.begin(), declarations_.end(),
                    [&](const SettingDeclaration& known) { return known.name == property.first; });
    if (!is_known) {
      found.push_back(properties_file_ + ": unknown setting " + property.first +
                      correction(property.first));
    }
  }
  return found;
}

std::string Settings::correction(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const auto& known : declarations_) names.push_back(known.name);
  const std::string near = dialect::suggest(name, names);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

std::vector<std::string> Settings::strangers(const std::vector<std::string>& environment) const {
  std::vector<std::string> found;
  const auto look = [&](const std::string& name, const std::string& origin) {
    const bool is_known =
        std::any_of(declarations_.begin(), declarations_.end(),
                    [&](const SettingDeclaration& known) { return known.name == name; });
    if (is_known || name.rfind("SUB0_", 0) != 0) return;
    found.push_back(name + " (" + origin + "): no setting has this name" + correction(name));
  };
  for (const auto& name : environment) look(name, "environment");
  for (const auto& [name, value] : dot_env_) look(name, ".env");
  return found;
}

}  // namespace sub0::app
