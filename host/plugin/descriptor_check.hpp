// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "plugin/elf_card.hpp"
#include "sub0/plugin.h"

namespace sub0::plugin {

/// What is wrong with the versions that a plugin needs, both sides named; empty: nothing.
std::string checkVersions(std::uint32_t abi_major, std::uint32_t abi_minor);

/// Whether a text of a plugin can be read, and is UTF-8.
bool isText(const sub0_text_view& view);

/// Whether a plugin may have this id: a reverse-DNS name such as org.example.greeting.
bool isPluginId(std::string_view id);

/// What is wrong with a descriptor: sizes, versions, null slots, handlers, settings; empty:
/// nothing.
std::string checkDescriptor(const sub0_plugin& plugin);

/// Where card and descriptor differ; empty: nowhere.
std::string compareCard(const Card& card, const sub0_plugin& plugin);

}  // namespace sub0::plugin
