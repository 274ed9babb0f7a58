// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/arena.hpp"
#include "base/error.hpp"
#include "json/envelope.hpp"
#include "json/value.hpp"

// The one place that knows simdjson, for messages. A Parser per loop; a text is validated as a
// whole (RFC 8259: depth at most 256, UTF-8, integers outside 64 bits refused, duplicate keys: the
// last wins), so that nothing invalid is echoed.
namespace sub0::json {

/// The bytes that must be readable behind every text that is parsed in place.
inline constexpr std::size_t kPadding = 64;

class Parser {
 public:
  Parser();
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  /// Parses any JSON value into `arena`; texts are decoded copies there. REQUIRES: kPadding
  /// readable bytes behind `padded_text`, unless it is copied (`parseCopy`). ERRORS: kBadRequest
  /// with the reason and the offset.
  Result<Value> parse(std::string_view padded_text, Arena& arena);
  Result<Value> parseCopy(std::string_view text, Arena& arena);

  /// Whether an object of the last value had a key more than once, so that its text says more than
  /// the value: who reads the text may see another one of them than we did.
  bool metEqualKeys() const { return met_equal_keys_; }

  /// Validates without making a value.
  Result<Done> validate(std::string_view padded_text);

  /// Reads an envelope, where readPlainEnvelope() leaves it to the parser: the whole message is
  /// validated, the four members found as spans. ERRORS: kBadRequest (no object, a known member
  /// twice, `action` no string, `id` neither string nor number). S-111, S-118.
  Result<Envelope> parseEnvelope(std::string_view padded_text);

 private:
  Result<Value> parse(std::string_view text, Arena& arena, bool copies);

  struct Simdjson;
  std::unique_ptr<Simdjson> simdjson_;
  bool met_equal_keys_ = false;
};

}  // namespace sub0::json
