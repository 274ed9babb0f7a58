// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "app/commands.hpp"
#include "app/version.hpp"
#include "base/text.hpp"

namespace {

using sub0::app::Command;

void print(const Command& command) {
  std::cout << "  sub0-host " << command.declaration->name << ' ' << command.declaration->synopsis
            << "\n      " << command.declaration->text << '\n';
}

void printHelp() {
  std::cout << "sub0-host " << sub0::app::kVersion
            << ": a self-hosted realtime backend. Options without a command: run.\n\n";
  for (const Command& command : sub0::app::allCommands()) {
    print(command);
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

/// `token --help`: the commands whose names begin so. False: there are none, or others were meant.
bool printGroup(const std::vector<std::string>& words) {
  if (words.size() != 2 || (words[1] != "--help" && words[1] != "-h")) return false;
  bool has_any = false;
  for (const Command& command : sub0::app::allCommands()) {
    if (command.declaration->name.rfind(words[0] + " ", 0) != 0) continue;
    has_any = true;
    print(command);
  }
  return has_any;
}

/// "; did you mean ...?", the commands of a group, or empty.
std::string correction(const std::vector<std::string>& words) {
  std::vector<std::string_view> names;
  std::string group;
  for (const Command& command : sub0::app::allCommands()) {
    const std::string_view name = command.declaration->name;
    names.push_back(name.substr(0, name.find(' ')));
    if (name.rfind(words[0] + " ", 0) != 0) continue;
    group.append(group.empty() ? "; there are " : ", ").append(name);
  }
  if (!group.empty()) return group;
  const std::string_view near = sub0::text::nearest(words[0], names);
  return near.empty() ? "" : "; did you mean " + std::string(near) + "?";
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
  if (printGroup(words)) return sub0::app::kExitOk;
  std::cerr << "sub0-host: unknown command \"" << words[0] << "\"" << correction(words)
            << "\nTry: sub0-host --help\n";
  return sub0::app::kExitUsage;
}

/// What a command printed and nobody could take is a failure: a disk that is full.
int flushed(int code) {
  if (std::cout.flush() || code != sub0::app::kExitOk) return code;
  std::cerr << "sub0-host: stdout cannot be written\n";
  return sub0::app::kExitFailure;
}

/// Where the starter has closed one of the three, no socket may become it: the log would go there.
void openStandardStreams() {
  for (int descriptor = 0; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
  }
}

}  // namespace

int main(int argc, char** argv) {
  openStandardStreams();
  try {
    return flushed(dispatch(std::vector<std::string>(argv + 1, argv + argc)));
  } catch (const std::exception& problem) {
    std::cerr << "sub0-host: " << problem.what() << '\n';
    return sub0::app::kExitFailure;
  }
}
