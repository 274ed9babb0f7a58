// SPDX-License-Identifier: Apache-2.0
#include "poco_data/data_sql_session.hpp"

#include "poco_data/mysql_rewrite.hpp"

namespace sub0::query {

bool DataSqlSession::connect(Failure& failure) {
  if (session_->isOpen()) {
    return true;
  }
  if (was_connected_ && after_loss_ == AfterLoss::kFails) {
    failure = connectionLost();
    return false;
  }
  was_connected_ = session_->connect(failure);
  return was_connected_;
}

std::unique_ptr<ResultTree> DataSqlSession::execute(std::string_view sql, bool is_script,
                                                    const sub0_value& parameters,
                                                    Failure& failure) {
  if (!connect(failure)) {
    return nullptr;
  }
  DataSession::Outcome outcome =
      is_script ? session_->executeScript(std::string(sql), earlier_) : executeOne(sql, parameters);
  if (outcome.end != DataSession::End::kDone) {
    failure = std::move(outcome.failure);
    if (is_script && dialect_ == Dialect::kMysql) {
      const TokenList script = tokenize(sql, dialect_);
      failure.log.insert(0, lineOfStatement(script, offsetBehind(script, earlier_.size())));
    }
    return nullptr;
  }
  return outcome.tree == nullptr ? std::make_unique<ResultTree>(0) : std::move(outcome.tree);
}

DataSession::Outcome DataSqlSession::executeOne(std::string_view sql,
                                                const sub0_value& parameters) {
  const TokenList list = tokenize(sql, dialect_);
  Rewritten rewritten = rewrite_(list);
  if (!list.error.empty()) {
    rewritten.errors.push_back(list.error);
  }
  DataParameters bound;
  for (const std::uint32_t number : placeholderOrder(list)) {
    if (number == 0 || parameters.type != SUB0_ARRAY || number > parameters.count) {
      rewritten.errors.push_back("there is no parameter $" + std::to_string(number));
    } else {
      bound.push_back(toDataParameter(parameters.as.items[number - 1]));
    }
  }
  if (!rewritten.errors.empty()) {
    DataSession::Outcome outcome;
    outcome.failure = Failure{SUB0_ACTION_FAILED, rewritten.errors.front(), ""};
    return outcome;
  }
  return session_->executeOnce(rewritten.sql, bound);
}

}  // namespace sub0::query
