// SPDX-License-Identifier: Apache-2.0
#include "plugin/descriptor_check.hpp"

#include <algorithm>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "json/parser.hpp"
#include "json/value.hpp"

namespace sub0::plugin {
namespace {

constexpr std::uint64_t kMaxNameBytes = 63;
constexpr std::uint32_t kMaxEntries = 1000;
constexpr std::uint32_t kKnownFlags = SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW;

std::string versionText(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

/// Names that stand in resources and logs: 1 to 63 of letters, digits and the given others.
bool isName(const sub0_text_view& view, std::string_view others) {
  if (view.data == nullptr || view.size == 0 || view.size > kMaxNameBytes) return false;
  const std::string_view name = json::toText(view);
  return std::all_of(name.begin(), name.end(), [others](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

std::string quoted(const sub0_text_view& view) {
  return "'" + text::escapeControl(json::toText(view).substr(0, kMaxNameBytes)) + "'";
}

std::string checkHandler(const sub0_handler* handler) {
  if (handler == nullptr) return "a handler is null";
  if (handler->struct_size < sizeof(sub0_handler)) {
    return "a handler's struct_size is " + std::to_string(handler->struct_size) + ", at least " +
           std::to_string(sizeof(sub0_handler)) + " is needed";
  }
  if (!isName(handler->name, "_")) return "a handler's name is empty or has other characters";
  const std::string who = "handler " + quoted(handler->name) + ": ";
  if (handler->kind != SUB0_MODE && handler->kind != SUB0_EFFECT) {
    return who + "kind is neither SUB0_MODE nor SUB0_EFFECT";
  }
  if (handler->placement != SUB0_PLACE_LOOP && handler->placement != SUB0_PLACE_POOL) {
    return who + "placement is neither SUB0_PLACE_LOOP nor SUB0_PLACE_POOL";
  }
  if ((handler->flags & ~kKnownFlags) != 0) return who + "has flags that this host does not know";
  if (!isName(handler->config_key, "_")) return who + "config_key is empty or no name";
  if (!isText(handler->schema) || !isText(handler->description)) {
    return who + "schema or description is no UTF-8 text";
  }
  if (handler->schema.size != 0) {
    Arena arena;
    const auto schema = json::Parser().parseCopy(json::toText(handler->schema), arena);
    if (!schema || !json::isObject(*schema)) return who + "its schema is no JSON object";
  }
  const char* missing = handler->prepare == nullptr   ? "prepare"
                        : handler->run == nullptr     ? "run"
                        : handler->cancel == nullptr  ? "cancel"
                        : handler->release == nullptr ? "release"
                                                      : nullptr;
  if (missing != nullptr) return who + "its slot " + missing + " is null: fill every slot";
  return {};
}

std::string checkSetting(const sub0_setting* setting) {
  if (setting == nullptr || setting->struct_size < sizeof(sub0_setting)) {
    return "a setting is null or too small";
  }
  if (!isName(setting->name, "_")) return "a setting's name is empty or has other characters";
  const bool is_typed =
      setting->type == SUB0_TEXT || setting->type == SUB0_INT || setting->type == SUB0_BOOL;
  if (!is_typed || !isText(setting->default_value) || !isText(setting->description)) {
    return "setting " + quoted(setting->name) + " has an unknown type or no UTF-8 texts";
  }
  return {};
}

}  // namespace

std::string checkVersions(std::uint32_t abi_major, std::uint32_t abi_minor) {
  if (abi_major == SUB0_ABI_MAJOR && abi_minor <= SUB0_ABI_MINOR) return {};
  const std::string both = "needs plugin ABI " + versionText(abi_major, abi_minor) +
                           "; this host offers " + versionText(SUB0_ABI_MAJOR, SUB0_ABI_MINOR) +
                           ": ";
  if (abi_major != SUB0_ABI_MAJOR) return both + "build it with the SDK of this host";
  return both + "install a newer host, or build the plugin with this host's SDK";
}

bool isText(const sub0_text_view& view) {
  if (view.size == 0) return true;
  return view.data != nullptr && view.size <= INT32_MAX && text::isUtf8(json::toText(view));
}

bool isPluginId(std::string_view id) {
  return isName(json::toView(id), ".-_") && id.find('.') != std::string_view::npos;
}

std::string checkDescriptor(const sub0_plugin& plugin) {
  if (plugin.struct_size < sizeof(sub0_plugin)) {
    return "its descriptor has struct_size " + std::to_string(plugin.struct_size) + ", at least " +
           std::to_string(sizeof(sub0_plugin)) + " is needed";
  }
  std::string problem = checkVersions(plugin.abi_major, plugin.abi_minor);
  if (!problem.empty()) return problem;
  if (!isPluginId(json::toText(plugin.id))) {
    return "its id " + quoted(plugin.id) + " is no reverse-DNS name such as org.example.greeting";
  }
  if (!isName(plugin.version, ".-_+~")) return "its version is empty or has other characters";
  if (plugin.handler_count > kMaxEntries || plugin.setting_count > kMaxEntries ||
      (plugin.handler_count > 0 && plugin.handlers == nullptr) ||
      (plugin.setting_count > 0 && plugin.settings == nullptr)) {
    return "its lists of handlers or settings are null or too long";
  }
  const char* missing = plugin.create == nullptr      ? "create"
                        : plugin.start == nullptr     ? "start"
                        : plugin.stop == nullptr      ? "stop"
                        : plugin.destroy == nullptr   ? "destroy"
                        : plugin.extension == nullptr ? "extension"
                                                      : nullptr;
  if (missing != nullptr) return std::string("its slot ") + missing + " is null: fill every slot";
  for (std::uint32_t i = 0; i < plugin.handler_count && problem.empty(); ++i) {
    problem = checkHandler(plugin.handlers[i]);
  }
  for (std::uint32_t i = 0; i < plugin.setting_count && problem.empty(); ++i) {
    problem = checkSetting(plugin.settings[i]);
  }
  return problem;
}

std::string compareCard(const Card& card, const sub0_plugin& plugin) {
  const std::string in_card =
      card.id + " " + card.version + ", ABI " + versionText(card.abi_major, card.abi_minor);
  const std::string in_descriptor = text::escapeControl(json::toText(plugin.id)) + " " +
                                    text::escapeControl(json::toText(plugin.version)) + ", ABI " +
                                    versionText(plugin.abi_major, plugin.abi_minor);
  if (in_card == in_descriptor) return {};
  return "its card says " + in_card + "; its descriptor says " + in_descriptor +
         ": give both the same id, version and ABI";
}

}  // namespace sub0::plugin
