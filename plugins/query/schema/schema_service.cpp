// SPDX-License-Identifier: Apache-2.0
#include "schema/schema_service.hpp"

#include <sub0/plugin/value.hpp>

#include <exception>
#include <utility>

namespace sub0::query {
namespace {

const char* wordOf(MigrationStep::Kind kind) {
  switch (kind) {
    case MigrationStep::Kind::kChange:
      return "change";
    case MigrationStep::Kind::kDestructive:
      return "destructive";
    case MigrationStep::Kind::kNote:
      return "note";
    case MigrationStep::Kind::kDone:
      return "done";
  }
  return "";
}

MigrationEnd failed(std::int32_t code, std::string text) {
  MigrationEnd end;
  end.failure = Failure{code, std::move(text), ""};
  return end;
}

void tell(const MigrationEnd& end, sub0_schema_done done, void* user) {
  Tree steps = Tree::array();
  for (const MigrationStep& step : end.steps) {
    steps.push({{"table", step.table}, {"text", step.text}, {"kind", wordOf(step.kind)}});
  }
  const sub0_text_view message = textView(end.failure.log);
  done(user, end.failure.code, &steps.raw(), &message);
}

}  // namespace

SqlSession& SchemaService::keep(std::unique_ptr<SqlSession> session) {
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
  if (is_stopping_) {
    session_->cancel();
  }
  return *session_;
}

void SchemaService::work(const sub0_value& models, std::uint32_t flags, MigrationEnd& end) {
  try {
    const Ddl* const ddl = engine_.ddl();
    if (ddl == nullptr) {
      end = failed(SUB0_ACTION_FAILED, "this version makes no tables on this kind of database");
      return;
    }
    std::vector<Table> tables;
    std::string error;
    if (!readTables(models, tables, error)) {
      end = failed(SUB0_BAD_REQUEST, error);
      return;
    }
    MigrationOptions options;
    options.project = project_;
    options.plan_only = (flags & SUB0_SCHEMA_PLAN_ONLY) != 0;
    options.allow_destructive = (flags & SUB0_SCHEMA_ALLOW_DESTRUCTIVE) != 0;
    end = query::migrate(keep(engine_.openSession(AfterLoss::kFails)), *ddl, std::move(tables),
                         options);
  } catch (const std::exception& exception) {
    end = failed(SUB0_INTERNAL, exception.what());
  }
}

std::int32_t SchemaService::migrate(const sub0_value& models, std::uint32_t flags,
                                    sub0_schema_done done, void* user) {
  auto copied = std::make_shared<const Tree>(Value(models));
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || is_running_) {
    return is_running_ ? SUB0_BUSY : SUB0_WRONG_STATE;
  }
  if (thread_.joinable()) {
    thread_.join();  // it has told its end
  }
  is_running_ = true;
  thread_ = std::thread([this, copied, flags, done, user] {
    MigrationEnd end;
    work(copied->raw(), flags, end);
    std::unique_ptr<SqlSession> session;  // ends behind the lock
    {
      const std::lock_guard ended(mutex_);
      session = std::move(session_);
      if (is_stopping_ && end.failure.code != SUB0_OK) {  // by what cancelled it, in any words
        end.failure = Failure{SUB0_UNAVAILABLE, "the database is being closed", ""};
      }
    }
    session.reset();
    {
      const std::lock_guard ended(mutex_);
      is_running_ = false;
    }
    tell(end, done, user);
  });
  return SUB0_OK;
}

void SchemaService::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    if (session_ != nullptr) {
      session_->cancel();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

}  // namespace sub0::query
