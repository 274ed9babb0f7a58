// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "poco_data/data_session.hpp"
#include "poco_data/mysql_address.hpp"
#include "poco_data/mysql_ddl.hpp"

namespace sub0::query {

// MariaDB and MySQL. It alone knows that there is a client library.
class MysqlSource final : public DataSource {
 public:
  MysqlSource(MysqlAddress address, std::size_t result_limit_bytes)
      : address_(std::move(address)), result_limit_bytes_(result_limit_bytes) {}

  Dialect dialect() const override { return Dialect::kMysql; }
  std::string translate(const TokenList& list, std::vector<std::string>& errors) const override;
  std::unique_ptr<DataSession> makeSession(SessionUse use) const override;
  std::unique_ptr<SqlSession> openSqlSession(AfterLoss after_loss) const override;
  std::string usualSchema() const override { return address_.database; }
  const Ddl* ddl() const override { return &ddl_; }

 private:
  MysqlDdl ddl_;
  MysqlAddress address_;
  std::size_t result_limit_bytes_;
};

}  // namespace sub0::query
