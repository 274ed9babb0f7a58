// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dialect/dotenv.hpp"

// The settings of a host: one declaration per setting (name, type, default, text), from which
// `config`, `--help` and the reference are made. Each is looked for in the flags, the environment,
// the project's .env, the properties file, then its default holds (spec §14); so it does where the
// first that names it says nothing (`NAME=`). Control thread, at start; immutable afterwards.
namespace sub0::app {

enum class SettingType : std::uint8_t { kText, kWhole, kBool };

struct SettingDeclaration {
  std::string name;  // "MAX_PAYLOAD_LIMIT"
  std::string flag;  // "host" for --host; empty: none
  SettingType type = SettingType::kText;
  std::string default_value;  // as text
  std::string text;           // one line, with the unit
  bool is_secret = false;
  std::int64_t min = 0, max = 0;  // of a whole number, where max > min
};

/// Those of the host itself; plugins add theirs.
const std::vector<SettingDeclaration>& hostSettings();

/// A value and where it came from: "--port", "environment", ".env", the file's path, "default".
struct SettingValue {
  std::string value;
  std::string origin;
};

class Settings {
 public:
  /// `flags`: by setting name. ERRORS: a properties file that cannot be read is added to
  /// problems().
  Settings(std::map<std::string, std::string> flags, dialect::EnvironmentLookup environment,
           std::string properties_file);

  /// The project's .env, known only once the project has been found.
  void addDotEnv(const dialect::EnvironmentValues& values) { dot_env_ = values; }
  void declare(SettingDeclaration declaration);

  /// REQUIRES: `name` is declared.
  SettingValue find(std::string_view name) const;
  std::string text(std::string_view name) const { return find(name).value; }
  std::int64_t whole(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::optional<std::string> given(std::string_view name) const;
  /// "NAME=value (origin): ", as what is wrong with it begins; a secret's value is masked.
  std::string told(std::string_view name) const;

  const std::vector<SettingDeclaration>& declarations() const { return declarations_; }

  /// What is said of names of ours, SUB0_..., that no setting has: of `environment` (the names
  /// alone) and of .env. Their values may be secrets, and are not told.
  std::vector<std::string> strangers(const std::vector<std::string>& environment) const;

  /// What does not fit its type or range, each with name, value, origin and what is expected.
  std::vector<std::string> problems() const;

 private:
  void readProperties();
  /// "; did you mean NAME?", or empty.
  std::string correction(std::string_view name) const;
  /// Empty, or what is wrong.
  std::string parseProperties(const std::string& content);

  std::map<std::string, std::string> flags_;
  dialect::EnvironmentLookup environment_;
  dialect::EnvironmentValues dot_env_;
  std::map<std::string, std::string> properties_;
  std::string properties_file_;
  std::vector<std::string> file_problems_;
  std::vector<SettingDeclaration> declarations_;
};

}  // namespace sub0::app
