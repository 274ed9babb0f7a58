// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "poco_data/data_session.hpp"

namespace sub0::query {

// Which instants among a statement's parameters go as ISO-8601 writes them, the right text where a
// column holds texts, and which in the plain form of UTC that MariaDB reads as a time. A cast to a
// time tells; elsewhere the server's complaint does, which quotes the value that it could not read,
// and what served once is remembered with the statement. THREAD: one. spec S-30
class MysqlInstants {
 public:
  // `is_plain`, by place of parameter, outlives this: empty for a statement that runs first.
  MysqlInstants(const DataParameters& parameters, const std::string& sql,
                std::vector<bool>& is_plain);

  // What to send.
  const DataParameters& parameters() const { return sent_; }
  // Whether another form could be tried.
  bool areOpen() const;
  // Takes another form after what the server said; false: there is none that could serve.
  bool tryNext(std::string_view said);
  // The forms served.
  void keep();

 private:
  void setPlain(std::size_t place, bool is_plain);
  std::vector<std::size_t> placesOf(std::string_view said) const;

  const DataParameters& given_;
  DataParameters sent_;
  std::vector<std::string> plain_;  // by place; empty: no instant
  std::vector<bool>& remembered_;
  std::vector<bool> is_plain_;
  // Places that hold the value which the server could not read: each alone, then all.
  std::vector<std::size_t> tried_;
  std::size_t at_ = 0;
};

// A warning for each text of a statement that is a whole instant with a zone: what is done for
// parameters is not done for it, and MariaDB leaves the zone out of comparisons. spec S-30
std::vector<std::string> literalsWithZone(const TokenList& list);

}  // namespace sub0::query
