// SPDX-License-Identifier: Apache-2.0
#include "plugin/shared_object.hpp"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include <cstddef>
#include <cstring>
#include <exception>

#define SUB0_STRING_OF_(x) #x
#define SUB0_STRING_OF(x) SUB0_STRING_OF_(x)

namespace sub0::plugin {
namespace {

constexpr const char* kEntryName = "sub0_plugin_v" SUB0_STRING_OF(SUB0_ABI_MAJOR);

std::string mendingHint(const Card& card) {
  std::string hint = " (built with";
  hint += card.glibc.empty() ? " another C library" : " glibc " + card.glibc;
  if (!card.libstdcxx.empty()) hint += ", libstdc++ " + card.libstdcxx;
  hint += "; this host runs on glibc ";
  hint += ::gnu_get_libc_version();
  return hint + ": build it on this system, or install what is missing)";
}

}  // namespace

OpenedObject openSharedObject(const std::string& real_path, const Card& card) {
  void* object = nullptr;
  OpenedObject result;
  try {
    object = ::dlopen(real_path.c_str(), RTLD_NOW | RTLD_LOCAL);
  } catch (...) {
    result.problem = "cannot be loaded: a static constructor threw an exception";
    return result;
  }
  if (object == nullptr) {
    const char* reason = ::dlerror();
    result.problem =
        std::string("cannot be loaded: ") + (reason == nullptr ? "?" : reason) + mendingHint(card);
    return result;
  }
  void* const symbol = ::dlsym(object, kEntryName);
  if (symbol == nullptr) {
    result.problem = std::string("has a card, but does not export its entry ") + kEntryName +
                     ": use the SDK's macro and sub0_add_plugin()";
    return result;
  }
  sub0_plugin_entry entry = nullptr;
  static_assert(sizeof entry == sizeof symbol);
  std::memcpy(&entry, &symbol, sizeof entry);
  try {
    result.descriptor = entry();
  } catch (...) {
    result.problem = std::string("its entry ") + kEntryName + " threw an exception";
    return result;
  }
  if (result.descriptor == nullptr) {
    result.problem = "its entry returned no descriptor";
  } else if (result.descriptor->struct_size < offsetof(sub0_plugin, setting_count)) {
    result.problem = "its descriptor has no struct_size";
  }
  return result;
}

}  // namespace sub0::plugin
