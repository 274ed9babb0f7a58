// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sub0::query {

// PostgreSQL's messages, version 3.0 of its protocol ("Message Formats" of its manual), as far as
// pipelined statements need them; connecting and authentication are libpq's. In memory alone: what
// moves the bytes is PostgresLink. THREAD: one.

// What is to be sent.
class PostgresOutput {
 public:
  // Prepares; the empty name is the one that the next prepares anew. Of `types` 0 is left to the
  // server, and so is what is not there.
  void prepare(std::string_view name, std::string_view sql, const std::vector<Oid>& types = {});
  // What a prepared statement takes and gives.
  void describeStatement(std::string_view name);
  // Gives a prepared statement its parameters, texts that end with a NUL, or null for NULL. Its
  // results are to be texts.
  void bind(std::string_view name, const char* const* values, int count);
  // What the bound statement gives.
  void describePortal();
  // Runs the bound statement to its end.
  void execute();
  // Ends what stands and falls together.
  void sync();

  std::string_view unsent() const { return std::string_view(bytes_).substr(sent_); }
  void markSent(std::size_t size);
  void clear();

 private:
  char* grow(std::size_t size);
  char* begin(char type, std::size_t size);

  std::string bytes_;
  std::size_t sent_ = 0;
};

struct PostgresMessage {
  char type;
  std::string_view body;
};

// What has come, cut into messages.
class PostgresInput {
 public:
  // kTooLarge: a row, which is dropped, is longer than it may be. kBroken: what has come is no
  // message.
  enum class State { kNothing, kMessage, kTooLarge, kBroken };

  // A message of more bytes is not held: of what is no row, the beginning is (an error may quote
  // what a client has sent).
  explicit PostgresInput(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Where the next bytes belong; of `size`, at least one. What `next` gave before is gone.
  // REQUIRES: `next` has said kNothing, or was not asked yet.
  char* room(std::size_t& size);
  void add(std::size_t size) { end_ += size; }
  // The next whole message, valid until `room` or `clear`.
  State next(PostgresMessage& message);
  void clear();

 private:
  static constexpr std::size_t kRoomBytes = 16384;
  static constexpr std::size_t kBeginningBytes = 8192;

  std::size_t most_bytes_;
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t wanted_bytes_ = 0;    // of the message that is not whole; 0: not known
  std::size_t unwanted_bytes_ = 0;  // that come next: the rest of a message that was too large
};

// The columns of a statement's rows, in order.
struct PostgresColumns {
  struct Column {
    std::string name;
    Oid type;
  };
  std::vector<Column> columns;

  // Takes a RowDescription; false: it is none.
  bool read(std::string_view body);
};
using PostgresColumnsPointer = std::shared_ptr<PostgresColumns>;

// The values of a DataRow, one after the other.
class PostgresRow {
 public:
  explicit PostgresRow(std::string_view body);
  std::size_t count() const { return count_; }
  // False where it is NULL, or where there is none left.
  bool next(std::string_view& value);

 private:
  std::string_view left_;
  std::size_t count_ = 0;
};

// The types of the parameters that a ParameterDescription tells.
std::vector<Oid> parameterTypesOf(std::string_view body);

// What an ErrorResponse, or an error of libpq, says; `field` is one of PG_DIAG_….
class PostgresError {
 public:
  explicit PostgresError(std::string_view body);
  explicit PostgresError(const PGresult* result);
  // Empty: it says nothing of that.
  const std::string& field(int field) const;
  std::string state() const { return field(PG_DIAG_SQLSTATE); }
  // All of it in a line, where it has no state: libpq's words.
  const std::string& text() const { return field(PG_DIAG_MESSAGE_PRIMARY); }

 private:
  std::vector<std::pair<int, std::string>> fields_;
};

}  // namespace sub0::query
