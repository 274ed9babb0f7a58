// SPDX-License-Identifier: Apache-2.0
#include "poco_data/odbc_source.hpp"

#include "poco_data/data_sql_session.hpp"
#include "poco_data/mysql_rewrite.hpp"
#include "poco_data/odbc_session.hpp"

namespace sub0::query {

std::string OdbcSource::translate(const TokenList& list, std::vector<std::string>& errors) const {
  Rewritten rewritten = rewriteForOdbc(list);
  errors.insert(errors.end(), rewritten.errors.begin(), rewritten.errors.end());
  return rewritten.sql;
}

std::unique_ptr<DataSession> OdbcSource::makeSession(SessionUse) const {
  return std::make_unique<OdbcSession>(connection_, result_limit_bytes_);
}

std::unique_ptr<SqlSession> OdbcSource::openSqlSession(AfterLoss after_loss) const {
  auto session = std::make_unique<OdbcSession>(connection_, result_limit_bytes_);
  return std::make_unique<DataSqlSession>(std::move(session), Dialect::kOdbc, rewriteForOdbc,
                                          after_loss);
}

}  // namespace sub0::query
