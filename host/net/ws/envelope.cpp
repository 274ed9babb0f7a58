// SPDX-License-Identifier: Apache-2.0
#include "net/ws/envelope.hpp"

#include <cstring>
#include <optional>
#include <utility>

#include "json/writer.hpp"
#include "net/http/reply_body.hpp"
#include "net/ws/frame_encoder.hpp"

namespace sub0::net::ws {
namespace {

/// Room for the header is left in front of the payload and put right when its length is known.
constexpr std::size_t kHeaderRoom = 4;

constexpr std::string_view kUid = R"({"uid":)";
constexpr std::string_view kAction = R"(,"action":)";
constexpr std::string_view kData = R"(,"data":)";
constexpr std::string_view kId = R"(,"id":)";
constexpr std::string_view kNull = "null";

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
    out.append(kNull);
  }
}

/// The data of a reply that is there as text already: nothing, or JSON that is passed on as it
/// came.
std::optional<std::string_view> dataText(const call::Reply& reply) {
  if (reply.code != Code::kOk) return std::nullopt;
  if (reply.data == nullptr) return kNull;
  if (reply.data->type == SUB0_RAW) return json::chars(*reply.data);
  return std::nullopt;
}

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

/// The usual reply: all lengths are known before a byte is written.
std::size_t appendSplicedFrame(std::string& out, std::string_view uid, const call::Reply& reply,
                               std::string_view data) {
  const std::string_view action = reply.action_json.empty() ? kNull : reply.action_json;
  const std::string_view id = reply.id_json;
  const std::size_t payload_bytes = kUid.size() + uid.size() + kAction.size() + action.size() +
                                    kData.size() + data.size() + 1 +
                                    (id.empty() ? 0 : kId.size() + id.size());
  const std::size_t frame_bytes = headerBytes(payload_bytes) + payload_bytes;
  const std::size_t start = out.size();
  out.resize(start + frame_bytes);
  char* at = out.data() + start;
  at += writeHeader(at, Opcode::kText, payload_bytes);
  at = put(put(at, kUid), uid);
  at = put(put(at, kAction), action);
  at = put(put(at, kData), data);
  if (!id.empty()) at = put(put(at, kId), id);
  *at = '}';
  return frame_bytes;
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
  const std::optional<std::string_view> data = dataText(reply);
  if (data) return appendSplicedFrame(out, uid_json, reply, *data);
  const std::size_t start = beginFrame(out);
  out.append(kUid).append(uid_json).append(kAction);
  out.append(reply.action_json.empty() ? kNull : reply.action_json);
  out.append(kData);
  if (reply.code == Code::kOk) {
    appendData(out, reply.data);
  } else {
    appendFailureMembers(out, reply);
  }
  if (!reply.id_json.empty()) out.append(kId).append(reply.id_json);
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
