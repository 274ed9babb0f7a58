// SPDX-License-Identifier: Apache-2.0
#include "call/request_token.hpp"

#include "base/text.hpp"

namespace sub0::call {
namespace {

constexpr std::string_view kBearer = "Bearer ";

}  // namespace

std::optional<std::string_view> headerOf(std::span<const HeaderField> headers,
                                         std::string_view name) {
  for (const auto& header : headers) {
    if (text::equalsIgnoreCase(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::string_view tokenOf(const Request& request, const std::string& provide_as) {
  const bool is_authorization = text::equalsIgnoreCase(provide_as, "Authorization");
  if (!request.token.empty() && text::equalsIgnoreCase(request.token_scheme, provide_as)) {
    constexpr std::string_view kDotted = "Bearer.";
    const bool is_dotted = is_authorization && request.token.size() > kDotted.size() &&
                           text::equalsIgnoreCase(request.token.substr(0, kDotted.size()), kDotted);
    return is_dotted ? request.token.substr(kDotted.size()) : request.token;
  }
  const auto header = headerOf(request.headers, provide_as);
  if (!header) return {};
  const bool has_prefix = header->size() >= kBearer.size() &&
                          text::equalsIgnoreCase(header->substr(0, kBearer.size()), kBearer);
  if (has_prefix) return text::trim(header->substr(kBearer.size()));
  return is_authorization ? std::string_view() : *header;
}

}  // namespace sub0::call
