// SPDX-License-Identifier: Apache-2.0
#include "sql_service.hpp"

#include "parameter_text.hpp"

namespace sub0::query {

struct SqlService::Job {
  std::string sql;
  bool is_script = false;
  std::vector<std::string> texts;  // what the parameters point to
  std::vector<sub0_value> values;
  sub0_sql_done done = nullptr;
  void* user = nullptr;

  // Copies the parameters; arrays and objects as their JSON text, which is how they are bound
  // anyway.
  void copyParameters(const sub0_value& parameters);
};

SqlService::SqlService(Engine& engine) : engine_(engine) {}

SqlService::~SqlService() { stop(); }

void SqlService::Job::copyParameters(const sub0_value& parameters) {
  texts.reserve(parameters.count);
  for (std::uint32_t i = 0; i < parameters.count; ++i) {
    sub0_value value = parameters.as.items[i];
    if (value.type >= SUB0_NUMBER) {
      std::string text;
      if (value.type >= SUB0_ARRAY) {
        appendJson(text, value);
        value.type = SUB0_TEXT;
      } else if (value.count > 0) {
        text.assign(value.as.text, value.count);
      }
      texts.push_back(std::move(text));
      value.as.text = texts.back().data();
      value.count = static_cast<std::uint32_t>(texts.back().size());
    }
    values.push_back(value);
  }
}

std::int32_t SqlService::add(const sub0_text_view& sql, bool is_script,
                             const sub0_value* parameters, sub0_sql_done done, void* user) {
  auto job = std::make_unique<Job>();
  job->sql.assign(sql.data == nullptr ? "" : sql.data, sql.size);
  job->is_script = is_script;
  job->done = done;
  job->user = user;
  if (parameters != nullptr && parameters->type == SUB0_ARRAY) {
    job->copyParameters(*parameters);
  }
  const std::lock_guard lock(mutex_);
  if (is_stopping_) {
    return SUB0_WRONG_STATE;
  }
  if (waiting_.size() >= kMaxWaiting) {
    return SUB0_BUSY;
  }
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { work(); });
  }
  waiting_.push_back(std::move(job));
  changed_.notify_one();
  return SUB0_OK;
}

// A statement that waits for somebody's lock would never let the process go.
void SqlService::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_one();
    if (session_ != nullptr) {
      session_->cancel();
    }
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void SqlService::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      const std::unique_ptr<SqlSession> session = std::move(session_);
      return;
    }
    const std::unique_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    const bool is_stopping = is_stopping_;
    lock.unlock();
    if (is_stopping) {
      const std::string_view text = "the database is being closed";
      const sub0_text_view message{text.data(), text.size()};
      const sub0_value nothing{};
      job->done(job->user, SUB0_UNAVAILABLE, &nothing, &message);
    } else {
      execute(*job);
    }
    lock.lock();
  }
}

namespace {

// All rows, one behind the other, as an array whatever their number; null where no result has
// columns.
sub0_value rowsOf(const Results& results, std::vector<sub0_value>& rows) {
  sub0_value all{};
  for (const auto& tree : results) {
    const sub0_value& root = tree->finish();
    if (root.type == SUB0_ARRAY) {
      rows.insert(rows.end(), root.as.items, root.as.items + root.count);
    } else if (root.type == SUB0_OBJECT) {
      rows.push_back(root);
    }
    if (tree->hasColumns()) {
      all.type = SUB0_ARRAY;
    }
  }
  all.count = static_cast<std::uint32_t>(rows.size());
  all.as.items = rows.data();
  return all;
}

}  // namespace

void SqlService::execute(Job& job) {
  Failure failure;
  Results results;
  bool is_done = false;
  sub0_value parameters{};
  parameters.type = SUB0_ARRAY;
  parameters.count = static_cast<std::uint32_t>(job.values.size());
  parameters.as.items = job.values.data();
  try {
    if (session_ == nullptr) {
      std::unique_ptr<SqlSession> made = engine_.openSession(AfterLoss::kReconnects);
      const std::lock_guard lock(mutex_);
      session_ = std::move(made);
      if (is_stopping_) {
        session_->cancel();
      }
    }
    auto last = session_->execute(job.sql, job.is_script, parameters, failure);
    is_done = last != nullptr;
    results = session_->takeEarlier();
    if (is_done) {
      results.push_back(std::move(last));
    }
  } catch (const std::exception& exception) {
    failure = Failure{SUB0_INTERNAL, exception.what(), ""};
    if (session_ != nullptr) {
      session_->takeEarlier();  // the next one's are its own
    }
  }
  std::vector<sub0_value> rows;
  const sub0_value all = rowsOf(results, rows);
  const sub0_text_view message{failure.log.data(), failure.log.size()};
  job.done(job.user, is_done ? SUB0_OK : failure.code, &all, &message);
}

}  // namespace sub0::query
