// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "poco_data/data_session.hpp"
#include "sql_rewriter.hpp"

namespace sub0::query {

// A blocking session of its own for sub0.sql/1: connects on first use, and again after a loss
// where it may. THREAD: one.
class DataSqlSession final : public SqlSession {
 public:
  using Rewrite = Rewritten (*)(const TokenList&);

  DataSqlSession(std::unique_ptr<DataSession> session, Dialect dialect, Rewrite rewrite,
                 AfterLoss after_loss)
      : session_(std::move(session)),
        dialect_(dialect),
        rewrite_(rewrite),
        after_loss_(after_loss) {}

  std::unique_ptr<ResultTree> execute(std::string_view sql, bool is_script,
                                      const sub0_value& parameters, Failure& failure) override;
  Results takeEarlier() override { return std::move(earlier_); }
  void cancel() override { session_->interrupt(1); }

 private:
  bool connect(Failure& failure);
  DataSession::Outcome executeOne(std::string_view sql, const sub0_value& parameters);

  std::unique_ptr<DataSession> session_;
  const Dialect dialect_;
  const Rewrite rewrite_;
  const AfterLoss after_loss_;
  bool was_connected_ = false;
  Results earlier_;
};

}  // namespace sub0::query
