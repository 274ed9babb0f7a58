// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "auth/verified_token_cache.hpp"
#include "base/error.hpp"
#include "base/header_field.hpp"
#include "base/shared_bytes.hpp"
#include "json/value.hpp"

// What a transport hands to a call, and what it gets back. A call knows no transport: HTTP and
// WebSocket (later cron and queue) fill a Request, and implement ReplyPort; broadcasts leave
// through BroadcastPort, wired in app.
namespace sub0::call {

/// What a connection remembers of tokens; transports only keep it.
using VerifiedTokens = auth::VerifiedTokenCache;

/// Where a call came from. `connection` is loop-local slot and generation (0: none, such as cron);
/// `reply_slot` the transport's own number of the reply. Never a pointer: the connection may be
/// gone when the reply comes.
struct Sender {
  std::uint32_t loop = 0;
  std::uint64_t connection = 0;
  std::uint64_t reply_slot = 0;
  bool is_socket = false;
};

/// The end of one call. Borrowed: valid until deliver() returns.
struct Reply {
  Code code = Code::kOk;
  int status = 200;
  std::string_view message;               // for the caller; empty: the code's wording
  const json::Value* data = nullptr;      // null: JSON null
  std::span<const std::string> details;   // S-52
  std::string_view action_json, id_json;  // as in the Request (S-112)
  std::string_view allow;                 // 405: the methods
  int retry_after_s = 1;                  // 429
  bool is_followed = false;               // by broadcasts or other effects; followersSent() ends it
};

class ReplyPort {
 public:
  /// THREAD: the loop of the sender. Called exactly once per call; a connection that has gone
  /// swallows it.
  virtual void deliver(const Sender& sender, const Reply& reply) = 0;
  /// What follows a reply with `is_followed` has been handed over: other replies may go out
  /// (S-116).
  virtual void followersSent(const Sender& /*sender*/) {}

 protected:
  ~ReplyPort() = default;
};

/// One call's input. Borrowed: valid until dispatch() returns; the call copies what it needs later.
struct Request {
  Sender sender;
  ReplyPort* reply_port = nullptr;
  std::string_view resource;           // route or id, decoded
  std::string_view method;             // HTTP verb; empty on a socket
  std::string_view content_type;       // HTTP
  std::string_view payload_json;       // text; kPadding readable bytes behind it; empty: {}
  bool payload_is_valid = false;       // already validated as JSON (sockets)
  std::span<const HeaderField> query;  // HTTP query parameters, decoded
  std::span<const HeaderField>
      headers;                    // of the request; on a socket the kept ones of the handshake
  std::string_view peer_address;  // $HEADER.ip (S-61)
  std::string_view uid;           // empty: none
  std::string_view uid_json;      // "\"user_12345\"" or "null", for injection (S-113)
  std::string_view action_json,
      id_json;                   // raw JSON, echoed by the transport; action's text is its label
  bool action_is_plain = false;  // it is a text without escapes, or missing
  std::string_view token_scheme, token;       // from the subprotocols (S-73)
  std::uint64_t connection_number = 0;        // $CONNECTION.id
  VerifiedTokens* verified_tokens = nullptr;  // the connection's; null: none is kept
  bool tokens_last = false;  // token and headers: in place, unchanged, as long as verified_tokens
};

enum class Audience : std::uint8_t { kAll = 1, kSingle = 2, kBulk = 3 };

/// A message to open connections. Borrowed.
struct Broadcast {
  Audience audience = Audience::kAll;
  std::span<const std::string_view>
      uids;  // kSingle: one (none: nobody); kBulk: any, duplicates allowed
  std::string_view action;
  const json::Value* data = nullptr;
  bool exclude_sender = false;
};

class BroadcastPort {
 public:
  /// THREAD: a loop's. The connections on all loops that match now, each once (S-38).
  virtual std::uint64_t count(const Broadcast& broadcast, const Sender& sender) = 0;
  /// THREAD: a loop's. Sends now; on the sender's own connection right behind the reply in its slot
  /// (S-116), so the reply must have been delivered before. Encoded once, shared by all recipients.
  virtual void send(const Broadcast& broadcast, const Sender& sender) = 0;

 protected:
  ~BroadcastPort() = default;
};

/// Entry of the call room, one per loop; implemented by call::Calls.
class Dispatcher {
 public:
  /// Starts a call; its reply is delivered once, within dispatch() or later on this loop.
  virtual void dispatch(const Request& request) = 0;
  /// The connection has gone: its calls are cancelled where they wait (their writes stay).
  virtual void abandon(std::uint64_t connection) = 0;

 protected:
  ~Dispatcher() = default;
};

/// What transports must know of the loaded resources; implemented by call::PlanSet.
class Catalogue {
 public:
  /// Names that may be selected as subprotocol: every `provide_as`, `x-access-token`,
  /// `Authorization` (S-73).
  virtual const std::vector<std::string>& tokenSchemes() const = 0;
  /// Lower-case names of the handshake's headers that some plan reads; the rest is dropped.
  virtual const std::vector<std::string>& keptHeaders() const = 0;
  /// The uid of a socket comes from the token of its handshake (S-117).
  virtual bool takesUidFromToken() const { return false; }
  /// That uid; empty: none. `handshake`: its headers, its token, and the uid that the client asks
  /// for. ERRORS: kForbidden, those of tokens. REQUIRES: takesUidFromToken().
  virtual Result<std::string> uidOf(const Request& handshake, std::int64_t /*now_s*/) const {
    return std::string(handshake.uid);
  }

 protected:
  ~Catalogue() = default;
};

}  // namespace sub0::call
