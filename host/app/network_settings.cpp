// SPDX-License-Identifier: Apache-2.0
#include "app/network_settings.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace sub0::app {
namespace {

/// An unknown verb stands there for nothing, and the one that was meant is missing: all is 405.
void checkMethods(const Settings& settings, std::vector<std::string>& problems) {
  static const std::vector<std::string_view> kMethods{"GET",    "POST",    "PUT", "PATCH",
                                                      "DELETE", "OPTIONS", "HEAD"};
  constexpr std::string_view kName = "ALLOWED_HTTP_METHODS";
  const std::vector<std::string> methods = net::methodsOf(settings.text(kName));
  for (const std::string& method : methods) {
    if (std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end()) continue;
    problems.push_back(settings.told(kName) + "\"" + method +
                       "\" is no verb that can call; there are GET, POST, PUT, PATCH, DELETE");
  }
  if (methods.empty())
    problems.push_back(settings.told(kName) + "names no verb; write GET|POST|OPTIONS");
}

}  // namespace

net::Options networkOptions(const Settings& settings, std::vector<std::string>& problems) {
  net::Options options;
  for (const auto& row : net::optionTable()) {
    if (const auto* number = std::get_if<std::uint64_t net::Options::*>(&row.member)) {
      options.*(*number) = static_cast<std::uint64_t>(settings.whole(row.setting));
    } else if (const auto* flag = std::get_if<bool net::Options::*>(&row.member)) {
      options.*(*flag) = settings.flag(row.setting);
    } else {
      options.*(*std::get_if<std::string net::Options::*>(&row.member)) =
          settings.text(row.setting);
    }
  }
  checkMethods(settings, problems);
  const auto take = [&](const char* name, auto parsed, auto& option) {
    if (parsed) {
      option = std::move(*parsed);
    } else {
      problems.push_back(settings.told(name) + parsed.error().message);
    }
  };
  take("ALLOWED_ORIGINS", net::http::CorsPolicy::parse(settings.text("ALLOWED_ORIGINS")),
       options.cors);
  take("SUB0_UNLIMITED_ADDRESSES",
       net::AddressRanges::parse(settings.text("SUB0_UNLIMITED_ADDRESSES")),
       options.unlimited_addresses);
  if (const std::string proxies = settings.text("SUB0_TRUSTED_PROXIES"); !proxies.empty()) {
    take("SUB0_TRUSTED_PROXIES", net::http::TrustedProxies::parse(proxies),
         options.trusted_proxies);
  }
  if (const auto policy = net::parseUidPolicy(settings.text("SUB0_UID_CONNECTIONS"))) {
    options.uid_policy = *policy;
  } else {
    problems.push_back(settings.told("SUB0_UID_CONNECTIONS") + "expected all, replace or refuse");
  }
  return options;
}

}  // namespace sub0::app
