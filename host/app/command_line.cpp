// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <Poco/Util/HelpFormatter.h>
#include <Poco/Util/Option.h>
#include <Poco/Util/OptionException.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>

#include <cstdio>
#include <iostream>
#include <sstream>

namespace sub0::app {
namespace {

Poco::Util::OptionSet optionSetOf(const CommandDeclaration& command) {
  Poco::Util::OptionSet options;
  for (const auto& declared : command.options) {
    Poco::Util::Option option(declared.name, declared.short_name, declared.text, false);
    option.repeatable(declared.is_repeatable);
    if (!declared.argument.empty()) option.argument(declared.argument);
    options.addOption(option);
  }
  options.addOption(Poco::Util::Option("help", "h", "shows this text"));
  return options;
}

}  // namespace

std::string Arguments::value(std::string_view option, std::string_view fallback) const {
  const auto found = values_.find(std::string(option));
  return found == values_.end() ? std::string(fallback) : found->second;
}

std::vector<std::string> Arguments::all(std::string_view option) const {
  std::vector<std::string> found;
  const auto [first, last] = values_.equal_range(std::string(option));
  for (auto it = first; it != last; ++it) found.push_back(it->second);
  return found;
}

std::string usageOf(const CommandDeclaration& command) {
  const auto options = optionSetOf(command);
  Poco::Util::HelpFormatter formatter(options);
  formatter.setCommand("sub0-host " + command.name);
  formatter.setUsage(command.synopsis);
  formatter.setHeader(command.text);
  formatter.setUnixStyle(true);
  formatter.setWidth(100);
  std::ostringstream out;
  formatter.format(out);
  return out.str();
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

int usageError(const CommandDeclaration& command, std::string_view problem) {
  std::cerr << "sub0-host " << command.name << ": " << problem << "\nTry: sub0-host "
            << command.name << " --help\n";
  return kExitUsage;
}

ParsedArguments parseArguments(const CommandDeclaration& command,
                               const std::vector<std::string>& words) {
  const auto options = optionSetOf(command);
  Poco::Util::OptionProcessor processor(options);
  processor.setUnixStyle(true);
  ParsedArguments parsed;
  try {
    for (const auto& word : words) {
      std::string name;
      std::string value;
      if (word != "-" && processor.process(word, name, value)) {
        if (!name.empty()) parsed.arguments.values_.emplace(name, value);
      } else {
        parsed.arguments.positional_.push_back(word);
      }
    }
    processor.checkRequired();
  } catch (const Poco::Util::OptionException& problem) {
    parsed.exit_code = usageError(command, problem.displayText());
    return parsed;
  }
  if (parsed.arguments.has("help")) {
    std::cout << usageOf(command);
    parsed.exit_code = kExitOk;
  }
  return parsed;
}

}  // namespace sub0::app
