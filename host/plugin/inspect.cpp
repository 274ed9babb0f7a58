// SPDX-License-Identifier: Apache-2.0
#include "plugin/inspect.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <system_error>

#include "base/text.hpp"
#include "plugin/descriptor_check.hpp"
#include "plugin/elf_card.hpp"
#include "plugin/registry.hpp"
#include "plugin/shared_object.hpp"

namespace sub0::plugin {
namespace {

constexpr char kBetween = '\x1e';  // text, then JSON, in what the child sends

std::string jsonText(std::string_view text) {
  std::string out;
  text::appendJsonString(out, text);
  return out;
}

void describeHandler(const sub0_handler& handler, std::string& text, std::string& json) {
  const bool is_effect = handler.kind == SUB0_EFFECT;
  const bool is_pool = handler.placement == SUB0_PLACE_POOL;
  const std::string name(json::toText(handler.name));
  const std::string key(json::toText(handler.config_key));
  const std::string description(json::toText(handler.description));
  text += (is_effect ? "effect  " : "mode    ") + name + "  (key " + key + ", on the " +
          (is_pool ? "pool" : "loop") + ")  " + text::escapeControl(description) + "\n";
  json +=
      "{\"kind\":\"" + std::string(is_effect ? "effect" : "mode") +
      "\",\"name\":" + jsonText(name) + ",\"key\":" + jsonText(key) + ",\"placement\":\"" +
      (is_pool ? "pool" : "loop") + "\",\"max_running\":" + std::to_string(handler.max_running) +
      ",\"completes_in_run\":" + ((handler.flags & SUB0_COMPLETES_IN_RUN) != 0 ? "true" : "false") +
      ",\"schema\":" + jsonText(json::toText(handler.schema)) +
      ",\"description\":" + jsonText(description) + "}";
}

void describeSetting(const sub0_setting& setting, std::string& text, std::string& json) {
  const std::string name(json::toText(setting.name));
  const std::string value(json::toText(setting.default_value));
  const std::string description(json::toText(setting.description));
  text += "setting " + name + "  (default '" + text::escapeControl(value) + "')  " +
          text::escapeControl(description) + "\n";
  json += "{\"name\":" + jsonText(name) + ",\"default\":" + jsonText(value) +
          ",\"secret\":" + ((setting.flags & SUB0_SETTING_SECRET) != 0 ? "true" : "false") +
          ",\"description\":" + jsonText(description) + "}";
}

/// In the child: loads, checks, describes. Text lines, kBetween, members of the JSON object.
std::string describeInChild(const std::string& file, const Card& card) {
  const OpenedObject opened = openSharedObject(file, card);
  std::string problem = opened.problem;
  if (problem.empty()) problem = compareCard(card, *opened.descriptor);
  if (problem.empty()) problem = checkDescriptor(*opened.descriptor);
  if (!problem.empty()) {
    return "refused " + problem + "\n" + kBetween + "\"problem\":" + jsonText(problem);
  }
  std::string text;
  std::string json = "\"handlers\":[";
  for (std::uint32_t i = 0; i < opened.descriptor->handler_count; ++i) {
    if (i > 0) json += ',';
    describeHandler(*opened.descriptor->handlers[i], text, json);
  }
  json += "],\"settings\":[";
  for (std::uint32_t i = 0; i < opened.descriptor->setting_count; ++i) {
    if (i > 0) json += ',';
    describeSetting(*opened.descriptor->settings[i], text, json);
  }
  return text + kBetween + json + "]";
}

void writeAll(int pipe, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(pipe, bytes.data(), bytes.size());
    if (done <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

/// What the child sends, and how it ended; empty `sent`: it crashed or took too long.
std::string askChild(const std::string& file, const Card& card, unsigned time_limit_s,
                     std::string& failure) {
  int ends[2];
  if (::pipe(ends) != 0) {
    failure = "no pipe for the child process";
    return {};
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(time_limit_s);
    writeAll(ends[1], describeInChild(file, card));
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string sent;
  char buffer[4096];
  ssize_t got = 0;
  while (child > 0 && (got = ::read(ends[0], buffer, sizeof buffer)) > 0) {
    sent.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) {
    failure = "no child process";
  } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
    failure = "loading it took longer than " + std::to_string(time_limit_s) + " s";
  } else if (WIFSIGNALED(status)) {
    failure = "loading it ended its process by signal " + std::to_string(WTERMSIG(status));
  } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
             sent.find(kBetween) == std::string::npos) {
    failure = "loading it ended its process";
  }
  return sent;
}

}  // namespace

Inspection inspect(const std::string& file, unsigned time_limit_s) {
  Inspection result;
  std::error_code error;
  // dlopen would look for a bare name among the system's libraries.
  const std::string real_path = std::filesystem::canonical(file, error).string();
  const CardReading reading = readCardOfFile(error ? file : real_path);
  std::string problem = reading.problem;
  result.text = "file    " + text::escapeControl(file) + "\n";
  result.json = "{\"file\":" + jsonText(file);
  std::string sent;
  if (reading.card) {
    const Card& card = *reading.card;
    const std::string abi = std::to_string(card.abi_major) + "." + std::to_string(card.abi_minor);
    result.text += "plugin  " + text::escapeControl(card.id + " " + card.version) + "\nABI     " +
                   abi + "\nbuilt   glibc " + text::escapeControl(card.glibc) + ", libstdc++ " +
                   text::escapeControl(card.libstdcxx) + "\n";
    result.json += ",\"id\":" + jsonText(card.id) + ",\"version\":" + jsonText(card.version) +
                   ",\"abi\":" + jsonText(abi) + ",\"glibc\":" + jsonText(card.glibc) +
                   ",\"libstdcxx\":" + jsonText(card.libstdcxx);
    problem = checkVersions(card.abi_major, card.abi_minor);
    if (problem.empty()) sent = askChild(real_path, card, time_limit_s, problem);
  }
  if (problem.empty()) {
    const std::size_t between = sent.find(kBetween);
    result.text += sent.substr(0, between);
    const std::string members = sent.substr(between + 1);
    result.json += "," + members;
    result.is_loadable = members.rfind("\"problem\"", 0) != 0;
  } else {
    result.text += "refused " + problem + "\n";
    result.json += ",\"problem\":" + jsonText(problem);
  }
  result.json += std::string(",\"loadable\":") + (result.is_loadable ? "true" : "false") + "}";
  return result;
}

}  // namespace sub0::plugin
