// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_source.hpp"

#include "poco_data/data_sql_session.hpp"
#include "poco_data/mysql_rewrite.hpp"
#include "poco_data/mysql_session.hpp"

namespace sub0::query {
std::string MysqlSource::translate(const TokenList& list, std::vector<std::string>& errors) const {
  Rewritten rewritten = rewriteForMysql(list);
  errors.insert(errors.end(), rewritten.errors.begin(), rewritten.errors.end());
  return rewritten.sql;
}

std::unique_ptr<DataSession> MysqlSource::makeSession(SessionUse use) const {
  return std::make_unique<MysqlSession>(address_, result_limit_bytes_,
                                        use == SessionUse::kLook ? kPingTimeoutSeconds : 0);
}

std::unique_ptr<SqlSession> MysqlSource::openSqlSession(AfterLoss after_loss) const {
  auto session = std::make_unique<MysqlSession>(address_, result_limit_bytes_, 0);
  return std::make_unique<DataSqlSession>(std::move(session), Dialect::kMysql, rewriteForMysql,
                                          after_loss);
}

}  // namespace sub0::query
