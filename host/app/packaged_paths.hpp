// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where an installed host finds its parts; set by the build from the install prefix.
namespace sub0::app {

#ifdef SUB0_PLUGIN_DIRECTORY
inline constexpr const char* kPackagedPluginFolder = SUB0_PLUGIN_DIRECTORY;
#else
inline constexpr const char* kPackagedPluginFolder = "/usr/lib/sub0/plugins";
#endif

#ifdef SUB0_TEMPLATE_DIRECTORY
inline constexpr const char* kPackagedTemplateFolder = SUB0_TEMPLATE_DIRECTORY;
#else
inline constexpr const char* kPackagedTemplateFolder = "/usr/share/sub0/template";
#endif

}  // namespace sub0::app
