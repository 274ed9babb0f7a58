// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "poco_data/data_session.hpp"

namespace sub0::query {

// What an ODBC driver leads to; `connection` is the connection string, behind `odbc:`.
class OdbcSource final : public DataSource {
 public:
  OdbcSource(std::string connection, std::size_t result_limit_bytes)
      : connection_(std::move(connection)), result_limit_bytes_(result_limit_bytes) {}

  Dialect dialect() const override { return Dialect::kOdbc; }
  std::string translate(const TokenList& list, std::vector<std::string>& errors) const override;
  std::unique_ptr<DataSession> makeSession(SessionUse use) const override;
  std::unique_ptr<SqlSession> openSqlSession(AfterLoss after_loss) const override;

 private:
  std::string connection_;
  std::size_t result_limit_bytes_;
};

}  // namespace sub0::query
