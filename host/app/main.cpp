// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "app/version.hpp"

namespace {

using sub0::app::Command;

void printHelp() {
  std::cout << "sub0-host " << sub0::app::kVersion
            << ": a self-hosted realtime backend. Options without a command: run.\n\n";
  for (const Command& command : sub0::app::allCommands()) {
    std::cout << "  sub0-host " << command.declaration->name << ' ' << command.declaration->synopsis
              << "\n      " << command.declaration->text << '\n';
  }
  std::cout
      << "\nsub0-host COMMAND --help shows its options. Exit codes: 0 ok, 1 failure, 2 usage, "
         "69 cannot bind, 78 configuration.\n";
}

/// How many of the words the command's name takes; 0: it is not this one.
std::size_t matchedWords(const Command& command, const std::vector<std::string>& words) {
  const std::string& name = command.declaration->name;
  const auto space = name.find(' ');
  if (space == std::string::npos) return !words.empty() && words[0] == name ? 1 : 0;
  const bool is_this =
      words.size() >= 2 && words[0] == name.substr(0, space) && words[1] == name.substr(space + 1);
  return is_this ? 2 : 0;
}

int dispatch(std::vector<std::string> words) {
  if (!words.empty() && (words[0] == "--version" || words[0] == "version")) {
    std::cout << "sub0-host " << sub0::app::kVersion << '\n';
    return sub0::app::kExitOk;
  }
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    printHelp();
    return words.empty() ? sub0::app::kExitUsage : sub0::app::kExitOk;
  }
  for (const Command& command : sub0::app::allCommands()) {
    const std::size_t taken = matchedWords(command, words);
    if (taken == 0) continue;
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(taken));
    return command.run(words);
  }
  if (words[0].rfind("--", 0) == 0) return sub0::app::runHost(words);
  std::cerr << "sub0-host: unknown command \"" << words[0] << "\"\nTry: sub0-host --help\n";
  return sub0::app::kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& problem) {
    std::cerr << "sub0-host: " << problem.what() << '\n';
    return sub0::app::kExitFailure;
  }
}
