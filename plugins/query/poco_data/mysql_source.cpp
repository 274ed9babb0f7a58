// SPDX-License-Identifier: Apache-2.0
#include "poco_data/mysql_source.hpp"

#include "poco_data/mysql_rewrite.hpp"
#include "poco_data/mysql_session.hpp"

namespace sub0::query {
namespace {

constexpr unsigned kPingTimeoutSeconds = 3;

// For sub0.sql/1: connects on first use, and again after a loss.
class MysqlSqlSession final : public SqlSession {
 public:
  MysqlSqlSession(const MysqlAddress& address, std::size_t limit_bytes)
      : session_(address, limit_bytes, 0) {}

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override {
    if (!session_.isOpen() && !session_.connect(failure)) {
      return nullptr;
    }
    DataSession::Outcome outcome;
    if (is_script) {
      outcome = session_.executeScript(std::string(sql));
    } else {
      const TokenList list = tokenize(sql, Dialect::kMysql);
      Rewritten rewritten = rewriteForMysql(list);
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
        failure = Failure{SUB0_ACTION_FAILED, rewritten.errors.front(), ""};
        return nullptr;
      }
      outcome = session_.executeOnce(rewritten.sql, bound);
    }
    if (outcome.end != DataSession::End::kDone) {
      failure = std::move(outcome.failure);
      return nullptr;
    }
    return outcome.tree == nullptr ? std::make_unique<ResultTree>(0) : std::move(outcome.tree);
  }

 private:
  MysqlSession session_;
};

}  // namespace

std::string MysqlSource::translate(const TokenList& list, std::vector<std::string>& errors) const {
  Rewritten rewritten = rewriteForMysql(list);
  errors.insert(errors.end(), rewritten.errors.begin(), rewritten.errors.end());
  return rewritten.sql;
}

std::unique_ptr<DataSession> MysqlSource::makeSession(SessionUse use) const {
  return std::make_unique<MysqlSession>(address_, result_limit_bytes_,
                                        use == SessionUse::kLook ? kPingTimeoutSeconds : 0);
}

std::unique_ptr<SqlSession> MysqlSource::openSqlSession() const {
  return std::make_unique<MysqlSqlSession>(address_, result_limit_bytes_);
}

}  // namespace sub0::query
