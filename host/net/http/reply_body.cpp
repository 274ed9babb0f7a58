// SPDX-License-Identifier: Apache-2.0
#include "net/http/reply_body.hpp"

#include "json/writer.hpp"

namespace sub0::net::http {

void appendSuccess(std::string& out, std::string_view message, const json::Value* data) {
  out.append(R"({"success":true,"message":)");
  json::writeString(message.empty() ? codeInfo(Code::kOk).message : message, out);
  out.append(R"(,"data":)");
  if (data != nullptr) {
    json::write(*data, out);
  } else {
    out.append("null");
  }
  out.push_back('}');
}

void appendError(std::string& out, Code code, std::span<const std::string> details) {
  out.append(R"({"code":")").append(codeInfo(code).name).append(R"(","details":[)");
  bool is_first = true;
  for (const std::string& detail : details) {
    if (!is_first) out.push_back(',');
    is_first = false;
    json::writeString(detail, out);
  }
  out.append("]}");
}

void appendFailure(std::string& out, Code code, std::string_view message,
                   std::span<const std::string> details) {
  out.append(R"({"success":false,"message":)");
  json::writeString(message.empty() ? codeInfo(code).message : message, out);
  out.append(R"(,"data":null,"error":)");
  appendError(out, code, details);
  out.push_back('}');
}

void appendReply(std::string& out, const call::Reply& reply) {
  if (reply.code == Code::kOk) {
    appendSuccess(out, reply.message, reply.data);
  } else {
    appendFailure(out, reply.code, reply.message, reply.details);
  }
}

}  // namespace sub0::net::http
