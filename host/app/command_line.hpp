// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// One command's arguments: `--name value` or `--name=value` in any order, the rest by position
// (Poco::Util does the splitting). What a command takes is declared once; --help and the man page's
// synopsis are made from it.
namespace sub0::app {

/// sysexits(3), as far as used.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitCannotBind = 69;
inline constexpr int kExitConfiguration = 78;

struct OptionDeclaration {
  std::string name;      // "port" for --port
  std::string argument;  // "N"; empty: a switch
  std::string text;
  bool is_repeatable = false;
  std::string short_name = {};  // "f" for -f
};

struct CommandDeclaration {
  std::string name;      // "token mint"
  std::string synopsis;  // "RESOURCE --claim NAME=VALUE..."
  std::string text;      // what it does, one or two sentences
  std::vector<OptionDeclaration> options;
};

class Arguments {
 public:
  bool has(std::string_view option) const { return values_.count(std::string(option)) != 0; }
  std::string value(std::string_view option, std::string_view fallback = {}) const;
  std::vector<std::string> all(std::string_view option) const;
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  friend struct ParsedArguments;
  friend struct ParsedArguments parseArguments(const CommandDeclaration& command,
                                               const std::vector<std::string>& words);
  std::multimap<std::string, std::string> values_;
  std::vector<std::string> positional_;
};

struct ParsedArguments {
  Arguments arguments;
  std::optional<int>
      exit_code;  // set: --help was printed, or the words do not fit (said on stderr)
};

/// Splits `words` (without program and command name).
ParsedArguments parseArguments(const CommandDeclaration& command,
                               const std::vector<std::string>& words);

/// "Usage: sub0-host …" and its options, for --help.
std::string usageOf(const CommandDeclaration& command);

/// "1 warning", "2 warnings".
std::string counted(std::size_t count, std::string_view what);

/// Says on stderr what is wrong with the words, and how to see what fits. Returns kExitUsage.
int usageError(const CommandDeclaration& command, std::string_view problem);

}  // namespace sub0::app
