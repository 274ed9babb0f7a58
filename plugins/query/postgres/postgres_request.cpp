// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_request.hpp"

namespace sub0::query {

bool PostgresRequest::mayHaveChanged(bool is_reader) const {
  const bool may_write = kind == Kind::kCommit || (kind == Kind::kRun && !is_in_transaction &&
                                                   !is_reader && !traits->onlyReads());
  return may_write && !must_not_write && attempts > 0 && !asks_types;
}

void PostgresRequest::putAs(const PostgresFormPointer& with) {
  form = with;
  if (arrays != nullptr) {
    const std::optional<std::vector<Oid>> known = form->elements();
    asks_types = !known.has_value();
    arrays->elements = known.value_or(std::vector<Oid>());
  }
}

Failure inDoubt(Failure failure) {
  failure.client += failure.client.empty() ? "" : "; ";
  failure.client += "whether the change was made is not known";
  return failure;
}

std::string nameOf(const Statement& statement, std::uint32_t generation) {
  return "sub0_" + std::to_string(*statement.number) + "_" + std::to_string(generation);
}

PostgresRequestPointer lookAt(const StatementPointer& statement,
                              const PostgresTraitsPointer& traits) {
  PostgresRequestPointer request = PostgresRequest::make(PostgresRequest::Kind::kLook);
  request->statement = statement;
  request->traits = traits;
  return request;
}

void failRequest(PostgresRequest& request, const char* state, const Failure& failure) {
  if (request.state.empty()) {
    request.state = state;
    request.failure = failure;
  }
}

void endRequest(const HostPort& host, PostgresRequest& request, std::size_t limit_bytes) {
  if (request.has_ended) {
    return;
  }
  request.has_ended = true;
  if (!request.hasRun()) {
    if (!request.state.empty() && !request.is_quiet && request.isLook()) {
      host.log(SUB0_LOG_WARNING, request.place() + ": " + request.failure.log +
                                     "; its calls fail until the database takes it");
    }
  } else if (!request.state.empty()) {
    request.failure.log = request.place() + ": " + request.failure.log;
    host.fail(request.ticket, request.failure);
  } else if (request.tree != nullptr && request.tree->isOver()) {
    const bool may_have_changed = request.mayHaveChanged(false);
    Failure failure = resultOver(*request.tree, !may_have_changed);
    if (may_have_changed) {
      failure.client += request.traits->startsAsRead() ? "; a change that it makes was made"
                                                       : "; the change was made";
    }
    host.fail(request.ticket, failure);
  } else {
    if (request.tree == nullptr) {  // it returns no rows
      request.tree = std::make_unique<ResultTree>(limit_bytes);
    }
    host.complete(request.ticket, std::move(request.tree));
  }
}

Failure unreachable(const std::string& why) {
  return Failure{SUB0_UNAVAILABLE, "the database cannot be reached: " + why,
                 "the database cannot be reached"};
}

Failure closing() { return Failure{SUB0_UNAVAILABLE, "the database is being closed", ""}; }

}  // namespace sub0::query
