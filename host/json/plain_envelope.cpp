// SPDX-License-Identifier: Apache-2.0
#include "json/plain_envelope.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/ascii.hpp"

namespace sub0::json {
namespace {

constexpr int kMaxNesting = 16;
constexpr std::size_t kLongestMessageBytes = 4096;  // beyond, simdjson's vectors win

#ifdef __SSE2__
constexpr std::ptrdiff_t kStepBytes = 16;

/// A bit for each of the sixteen bytes that ends plain text: a quote, a backslash, a control
/// character, or not ASCII (below zero as a signed number, so below the space as well).
unsigned endsOfPlainText(const char* data) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
  // With that bit turned a quote becomes a space and a space a quote, and nothing else passes the
  // border between them and the control characters.
  const __m128i turned = _mm_xor_si128(bytes, _mm_set1_epi8('"' ^ ' '));
  const __m128i others = _mm_cmpgt_epi8(_mm_set1_epi8(' ' + 1), turned);
  const __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(others, backslashes)));
}
#else
constexpr std::ptrdiff_t kStepBytes = 1;

unsigned endsOfPlainText(const char* data) {
  const auto byte = static_cast<signed char>(*data);
  return byte < ' ' || byte == '"' || byte == '\\' ? 1 : 0;
}
#endif

// The functions below take a place in the message and its end, and give the place behind what they
// are named after, null where that was not plain. They may look at what lies behind the message,
// less than kPadding of it; but then it cannot end where it has to.

const char* skipSpace(const char* at, const char* end) {
  while (isSpace(*at) && at < end) ++at;
  return at;
}

inline const char* skipText(const char* at, const char* end) {
  if (*at++ != '"') return nullptr;
  unsigned ends = 0;
  while (at < end && (ends = endsOfPlainText(at)) == 0) at += kStepBytes;
  if (at >= end) return nullptr;
  at += std::countr_zero(ends);
  return *at == '"' ? at + 1 : nullptr;
}

const char* skipWord(const char* at, std::string_view expected) {
  return std::memcmp(at, expected.data(), expected.size()) == 0 ? at + expected.size() : nullptr;
}

const char* skipNumber(const char* at) {
  constexpr std::ptrdiff_t kMostDigits = 18;  // below 2^63, and exact enough for any reader
  if (*at == '-') ++at;
  const char* const begin = at;
  while (isDigit(*at) && at - begin <= kMostDigits) ++at;
  const std::ptrdiff_t whole = at - begin;
  if (whole == 0 || whole > kMostDigits || (*begin == '0' && whole > 1)) return nullptr;
  if (*at != '.') return at;
  const char* const fraction = ++at;
  while (isDigit(*at) && at - begin <= kMostDigits) ++at;
  return at != fraction && at - begin <= kMostDigits ? at : nullptr;
}

const char* skipContainer(const char* at, const char* end, int nesting);

const char* skipValue(const char* at, const char* end, int nesting) {
  if (at >= end) return nullptr;
  switch (*at) {
    case '"':
      return skipText(at, end);
    case '{':
    case '[':
      return nesting < kMaxNesting ? skipContainer(at, end, nesting) : nullptr;
    case 't':
      return skipWord(at, "true");
    case 'f':
      return skipWord(at, "false");
    case 'n':
      return skipWord(at, "null");
    default:
      return skipNumber(at);
  }
}

/// The key and its colon.
const char* skipKey(const char* at, const char* end) {
  at = skipText(at, end);
  if (at == nullptr) return nullptr;
  at = skipSpace(at, end);
  return *at == ':' ? skipSpace(at + 1, end) : nullptr;
}

const char* skipContainer(const char* at, const char* end, int nesting) {
  const bool is_object = *at == '{';
  const char close = is_object ? '}' : ']';
  at = skipSpace(at + 1, end);
  if (*at == close) return at + 1;
  while (true) {
    if (is_object) at = skipKey(at, end);
    if (at != nullptr) at = skipValue(at, end, nesting + 1);
    if (at == nullptr) return nullptr;
    at = skipSpace(at, end);
    if (*at == close) return at + 1;
    if (*at != ',') return nullptr;
    at = skipSpace(at + 1, end);
  }
}

/// A member of its type for the first time; the spans of texts are widened by their quotes.
bool takeMember(EnvelopeMember member, std::string_view json, Envelope& envelope) {
  switch (member) {
    case EnvelopeMember::kResource:
      if (envelope.has_resource || json.front() != '"') return false;
      envelope.has_resource = true;
      envelope.resource = json.substr(1, json.size() - 2);
      return true;
    case EnvelopeMember::kAction:
      if (!envelope.action_json.empty() || json.front() != '"') return false;
      envelope.action_json = json;
      return true;
    case EnvelopeMember::kId:
      if (!envelope.id_json.empty()) return false;
      envelope.id_json = json;
      return json.front() == '"' || json.front() == '-' || isDigit(json.front());
    case EnvelopeMember::kPayload:
      if (!envelope.payload_json.empty()) return false;
      envelope.payload_json = json;
      return true;
    case EnvelopeMember::kOther:
      break;
  }
  return true;
}

}  // namespace

bool readPlainEnvelope(std::string_view padded_text, Envelope& envelope) {
  if (padded_text.size() > kLongestMessageBytes) return false;
  const char* at = padded_text.data();
  const char* const end = at + padded_text.size();
  if (*at != '{') return false;
  do {
    const char* const key = skipSpace(at + 1, end);
    at = skipText(key, end);
    if (at == nullptr) return false;
    const std::string_view name(key + 1, static_cast<std::size_t>(at - key - 2));
    at = skipSpace(at, end);
    if (*at != ':') return false;
    const char* const value = skipSpace(at + 1, end);
    at = *value == '"' ? skipText(value, end) : skipValue(value, end, 0);
    if (at == nullptr) return false;
    const std::string_view json(value, static_cast<std::size_t>(at - value));
    if (!takeMember(envelopeMember(name), json, envelope)) return false;
    at = skipSpace(at, end);
  } while (*at == ',');
  envelope.is_plain = true;
  return *at == '}' && at + 1 == end && envelope.has_resource;
}

}  // namespace sub0::json
