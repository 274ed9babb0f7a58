// SPDX-License-Identifier: Apache-2.0
#include "net/ws/envelope.hpp"

#include <cstring>
#include <utility>

#include "json/writer.hpp"
#include "net/http/reply_body.hpp"
#include "net/ws/frame_encoder.hpp"

namespace sub0::net::ws {
namespace {

/// Room for the header is left in front of the payload and put right when its length is known.
constexpr std::size_t kHeaderRoom = 4;

std::size_t beginFrame(std::string& out) {
  const std::size_t start = out.size();
  out.append(kHeaderRoom, '\0');
  return start;
}

std::size_t endFrame(std::string& out, std::size_t start) {
  const std::size_t payload_bytes = out.size() - start - kHeaderRoom;
  char header[kMaxHeaderBytes];
  const std::size_t header_bytes = writeHeader(header, Opcode::kText, payload_bytes);
  if (header_bytes < kHeaderRoom) {
    char* frame = out.data() + start;
    std::memmove(frame + header_bytes, frame + kHeaderRoom, payload_bytes);
    out.resize(start + header_bytes + payload_bytes);
  } else if (header_bytes > kHeaderRoom) {
    out.insert(start, header_bytes - kHeaderRoom, '\0');
  }
  std::memcpy(out.data() + start, header, header_bytes);
  return header_bytes + payload_bytes;
}

void appendData(std::string& out, const json::Value* data) {
  if (data != nullptr) {
    json::write(*data, out);
  } else {
    out.append("null");
  }
}

void appendFailureMembers(std::string& out, const call::Reply& reply) {
  const CodeInfo& info = codeInfo(reply.code);
  out.append(R"(null,"success":false,"message":)");
  json::writeString(reply.message.empty() ? info.message : reply.message, out);
  out.append(R"(,"error":)");
  http::appendError(out, reply.code, reply.details);
  out.append(R"(,"status":)");
  json::writeInteger(reply.status, out);
}

}  // namespace

std::size_t appendReplyFrame(std::string& out, std::string_view uid_json,
                             const call::Reply& reply) {
  const std::size_t start = beginFrame(out);
  out.append(R"({"uid":)").append(uid_json).append(R"(,"action":)");
  out.append(reply.action_json.empty() ? std::string_view("null") : reply.action_json);
  out.append(R"(,"data":)");
  if (reply.code == Code::kOk) {
    appendData(out, reply.data);
  } else {
    appendFailureMembers(out, reply);
  }
  if (!reply.id_json.empty()) out.append(R"(,"id":)").append(reply.id_json);
  out.push_back('}');
  return endFrame(out, start);
}

SharedBytes makeBroadcastFrame(std::string_view action, const json::Value* data) {
  return SharedBytes::make([&](std::string& out) {
    const std::size_t start = beginFrame(out);
    out.append(R"({"action":)");
    json::writeString(action, out);
    out.append(R"(,"data":)");
    appendData(out, data);
    out.push_back('}');
    endFrame(out, start);
  });
}

}  // namespace sub0::net::ws
