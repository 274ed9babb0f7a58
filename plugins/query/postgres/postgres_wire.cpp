// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_wire.hpp"

#include <endian.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sub0::query {
namespace {

// Type and length.
constexpr std::size_t kHeadBytes = 5;
// So much memory is kept for what comes next.
constexpr std::size_t kKeptBytes = 65536;

// Numbers are big-endian.
std::uint32_t at32(const char* bytes) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return be32toh(number);
}

char* put32(char* at, std::size_t number) {
  const std::uint32_t bytes = htobe32(static_cast<std::uint32_t>(number));
  std::memcpy(at, &bytes, sizeof bytes);
  return at + sizeof bytes;
}

char* put16(char* at, std::size_t number) {
  const std::uint16_t bytes = htobe16(static_cast<std::uint16_t>(number));
  std::memcpy(at, &bytes, sizeof bytes);
  return at + sizeof bytes;
}

char* putText(char* at, std::string_view text) {
  at = std::copy(text.begin(), text.end(), at);
  *at = '\0';
  return at + 1;
}

// Takes a number of that many bytes off the front; false: there are too few.
bool take32(std::string_view& left, std::uint32_t& number) {
  if (left.size() < 4) {
    return false;
  }
  number = at32(left.data());
  left.remove_prefix(4);
  return true;
}

bool take16(std::string_view& left, std::uint32_t& number) {
  if (left.size() < 2) {
    return false;
  }
  std::uint16_t bytes = 0;
  std::memcpy(&bytes, left.data(), sizeof bytes);
  number = be16toh(bytes);
  left.remove_prefix(2);
  return true;
}

// Takes a text and the NUL behind it off the front; false: it has no end.
bool takeText(std::string_view& left, std::string_view& text) {
  const std::size_t end = left.find('\0');
  if (end == std::string_view::npos) {
    return false;
  }
  text = left.substr(0, end);
  left.remove_prefix(end + 1);
  return true;
}

}  // namespace

char* PostgresOutput::grow(std::size_t size) {
  const std::size_t before = bytes_.size();
  bytes_.resize(before + size);
  return bytes_.data() + before;
}

// A message whose body has `size` bytes, which follow.
char* PostgresOutput::begin(char type, std::size_t size) {
  char* at = grow(kHeadBytes + size);
  *at = type;
  return put32(at + 1, size + 4);
}

void PostgresOutput::prepare(std::string_view name, std::string_view sql,
                             const std::vector<Oid>& types) {
  char* at = begin('P', name.size() + 1 + sql.size() + 1 + 2 + 4 * types.size());
  at = put16(putText(putText(at, name), sql), types.size());
  for (const Oid type : types) {
    at = put32(at, type);
  }
}

void PostgresOutput::describeStatement(std::string_view name) {
  char* const at = begin('D', 1 + name.size() + 1);
  *at = 'S';
  putText(at + 1, name);
}

void PostgresOutput::bind(std::string_view name, const char* const* values, int count) {
  const auto number = static_cast<std::size_t>(count);
  std::size_t size = 1 + name.size() + 1 + 4 + 4 * number + 2;
  for (std::size_t i = 0; i < number; ++i) {
    size += values[i] == nullptr ? 0 : std::strlen(values[i]);
  }
  char* at = putText(putText(begin('B', size), {}), name);  // the portal has no name
  at = put16(put16(at, 0), number);                         // all parameters are texts
  for (std::size_t i = 0; i < number; ++i) {
    const std::string_view value = values[i] == nullptr ? std::string_view() : values[i];
    at = put32(at, values[i] == nullptr ? 0xFFFFFFFF : value.size());
    at = std::copy(value.begin(), value.end(), at);
  }
  put16(at, 0);  // and so are all results
}

void PostgresOutput::describePortal() { bytes_.append("D\0\0\0\6P\0", 7); }

// Without a limit to the rows.
void PostgresOutput::execute() { bytes_.append("E\0\0\0\11\0\0\0\0\0", 10); }

void PostgresOutput::sync() { bytes_.append("S\0\0\0\4", 5); }

void PostgresOutput::markSent(std::size_t size) {
  sent_ += size;
  if (sent_ == bytes_.size()) {
    clear();
  } else if (sent_ > kKeptBytes && sent_ > bytes_.size() / 2) {
    bytes_.erase(0, sent_);
    sent_ = 0;
  }
}

void PostgresOutput::clear() {
  sent_ = 0;
  if (bytes_.capacity() > kKeptBytes) {
    bytes_ = std::string();
  } else {
    bytes_.clear();
  }
}

char* PostgresInput::room(std::size_t& size) {
  const std::size_t left = end_ - begin_;
  const std::size_t needed = std::max(kRoomBytes, wanted_bytes_);
  const bool is_too_large = bytes_.size() > kKeptBytes && needed < bytes_.size() && left <= needed;
  if (bytes_.size() < needed || is_too_large) {
    std::vector<char> bytes(needed);
    std::copy_n(bytes_.data() + begin_, left, bytes.data());
    bytes_ = std::move(bytes);
  } else if (begin_ > 0) {
    std::memmove(bytes_.data(), bytes_.data() + begin_, left);
  }
  begin_ = 0;
  end_ = left;
  size = bytes_.size() - end_;
  return bytes_.data() + end_;
}

PostgresInput::State PostgresInput::next(PostgresMessage& message) {
  wanted_bytes_ = 0;
  const std::size_t skipped = std::min(unwanted_bytes_, end_ - begin_);
  begin_ += skipped;
  unwanted_bytes_ -= skipped;
  if (end_ - begin_ < kHeadBytes) {
    return State::kNothing;
  }
  const char* const head = bytes_.data() + begin_;
  const std::size_t length = at32(head + 1);
  const bool is_type = (*head >= 'A' && *head <= 'Z') || (*head >= 'a' && *head <= 'z') ||
                       (*head >= '1' && *head <= '3');
  if (!is_type || length < 4) {
    return State::kBroken;
  }
  if (length > most_bytes_ && *head == 'D') {
    begin_ += kHeadBytes;
    unwanted_bytes_ = length - 4;
    return State::kTooLarge;
  }
  const std::size_t held = length > most_bytes_ ? std::min(length, kBeginningBytes) : length;
  if (end_ - begin_ < held + 1) {
    wanted_bytes_ = held + 1;
    return State::kNothing;
  }
  message = PostgresMessage{*head, std::string_view(head + kHeadBytes, held - 4)};
  begin_ += held + 1;
  unwanted_bytes_ = length - held;
  return State::kMessage;
}

void PostgresInput::clear() {
  bytes_ = std::vector<char>();
  begin_ = end_ = wanted_bytes_ = unwanted_bytes_ = 0;
}

bool PostgresColumns::read(std::string_view body) {
  columns.clear();
  std::uint32_t count = 0;
  bool is_whole = take16(body, count);
  for (std::uint32_t i = 0; is_whole && i < count; ++i) {
    std::string_view name;
    std::uint32_t type = 0;
    std::uint32_t other = 0;
    // Behind the name: table, its column, type, its size, its modifier, text or binary.
    is_whole = takeText(body, name) && take32(body, other) && take16(body, other) &&
               take32(body, type) && take16(body, other) && take32(body, other) &&
               take16(body, other);
    if (is_whole) {
      columns.push_back(Column{std::string(name), type});
    }
  }
  return is_whole;
}

PostgresRow::PostgresRow(std::string_view body) : left_(body) {
  std::uint32_t count = 0;
  count_ = take16(left_, count) ? count : 0;
}

bool PostgresRow::next(std::string_view& value) {
  std::uint32_t size = 0;
  if (!take32(left_, size) || size > left_.size()) {
    return false;  // NULL is -1, larger than any
  }
  value = left_.substr(0, size);
  left_.remove_prefix(size);
  return true;
}

std::vector<Oid> parameterTypesOf(std::string_view body) {
  std::vector<Oid> types;
  std::uint32_t count = 0;
  std::uint32_t type = 0;
  for (bool is_whole = take16(body, count); is_whole && types.size() < count;) {
    is_whole = take32(body, type);
    if (is_whole) {
      types.push_back(type);
    }
  }
  return types;
}

PostgresError::PostgresError(std::string_view body) {
  std::string_view text;
  while (!body.empty() && body.front() != '\0') {
    const int field = static_cast<unsigned char>(body.front());
    body.remove_prefix(1);
    if (!takeText(body, text)) {
      return;
    }
    fields_.emplace_back(field, text);
  }
}

PostgresError::PostgresError(const PGresult* result) {
  static constexpr std::array<int, 9> kFields = {
      PG_DIAG_SQLSTATE,        PG_DIAG_MESSAGE_PRIMARY, PG_DIAG_MESSAGE_DETAIL,
      PG_DIAG_COLUMN_NAME,     PG_DIAG_TABLE_NAME,      PG_DIAG_CONSTRAINT_NAME,
      PG_DIAG_SOURCE_FUNCTION, PG_DIAG_CONTEXT,         PG_DIAG_STATEMENT_POSITION};
  for (const int field : kFields) {
    if (const char* text = PQresultErrorField(result, field)) {
      fields_.emplace_back(field, text);
    }
  }
  if (fields_.empty()) {
    fields_.emplace_back(PG_DIAG_MESSAGE_PRIMARY, PQresultErrorMessage(result));
  }
}

const std::string& PostgresError::field(int field) const {
  static const std::string kNothing;
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [field](const auto& each) { return each.first == field; });
  return found == fields_.end() ? kNothing : found->second;
}

}  // namespace sub0::query
