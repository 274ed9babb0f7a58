// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_loop.hpp"

#include <utility>

namespace sub0::query {
namespace {

// For so long a statement that was too slow, or waited too long, is not tried among others again.
constexpr std::uint64_t kSlowForNs = 60'000'000'000;

}  // namespace

PostgresLoop::PostgresLoop(const HostPort& host, const PostgresSetup& setup, Group& group,
                           std::uint32_t index)
    : host_(host),
      setup_(setup),
      group_(group),
      index_(index),
      reader_(host, setup.reader, *this, setup.result_limit_bytes),
      writer_(host, setup.writer, *this, setup.result_limit_bytes),
      exclusives_(host, setup.exclusive,
                  PostgresExclusives::Limits{setup.result_limit_bytes, setup.exclusive_wait_ms},
                  *this),
      exclusive_loop_(index) {}

void PostgresLoop::openFirst() {
  is_first_ = true;
  writer_.open(true);
}

void PostgresLoop::open(const PostgresShare& share) {
  const std::lock_guard lock(posted_mutex_);
  posted_share_ = share;
  has_posted_share_ = true;
  post();
}

void PostgresLoop::tellAway() {
  const std::lock_guard lock(posted_mutex_);
  has_posted_away_ = true;
  post();
}

bool PostgresLoop::addFromElsewhere(PostgresRequestPointer& request) {
  const std::lock_guard lock(posted_mutex_);
  if (is_closed_) {
    return false;
  }
  posted_.push_back(std::move(request));
  post();
  return true;
}

// REQUIRES: posted_mutex_ is held.
void PostgresLoop::post() {
  if (!is_closed_ && !std::exchange(is_posted_, true)) {
    host_.loop()->post(
        host_.raw(), index_, [](void* loop) { static_cast<PostgresLoop*>(loop)->takePosted(); },
        this);
  }
}

void PostgresLoop::takePosted() {
  std::deque<PostgresRequestPointer> taken;
  PostgresShare share;
  bool opens = false;
  bool is_away = false;
  {
    const std::lock_guard lock(posted_mutex_);
    is_posted_ = false;
    taken.swap(posted_);
    opens = std::exchange(has_posted_share_, false);
    share = posted_share_;
    is_away = std::exchange(has_posted_away_, false);
  }
  if (opens && !std::exchange(is_opened_, true)) {
    openShare(share);
  }
  if (is_away && !is_opened_) {
    giveBack(reader_.takeUnsent());
    giveBack(writer_.takeUnsent());
    exclusives_.failWaiting(unreachable("no connection"));
  }
  for (PostgresRequestPointer& request : taken) {
    add(std::move(request));
  }
}

void PostgresLoop::openShare(const PostgresShare& share) {
  exclusive_loop_ = share.exclusive_loop;
  if (share.has_reader) {
    reader_.open();
  } else {
    giveBack(reader_.makeAbsent());
  }
  if (!share.has_writer) {
    giveBack(writer_.makeAbsent());
  } else if (!is_first_) {
    writer_.open();
  }
  exclusives_.allow(share.exclusives);
}

void PostgresLoop::close() {
  reader_.close();
  writer_.close();
  exclusives_.close();
  const std::lock_guard lock(posted_mutex_);
  is_closed_ = true;
  for (PostgresRequestPointer& request : posted_) {
    failRequest(*request, "closed", closing());
    endRequest(host_, *request, setup_.result_limit_bytes);
  }
  posted_.clear();
}

void PostgresLoop::send() {
  reader_.send();
  writer_.send();
  exclusives_.send();
}

bool PostgresLoop::isUp(bool reads) const {
  using State = PostgresPipeline::State;
  return writer_.state() == State::kUp || (reads && reader_.state() == State::kUp);
}

bool PostgresLoop::isConnecting() const {
  using State = PostgresPipeline::State;
  return writer_.state() == State::kConnecting || reader_.state() == State::kConnecting;
}

void PostgresLoop::add(PostgresRequestPointer request) {
  if (request->statement != nullptr && request->traits == nullptr) {
    PostgresTraitsPointer& traits =
        known_.of(request->statement->number, [](std::uint32_t, const PostgresTraitsPointer&) {});
    if (traits == nullptr) {
      traits = group_.traitsOf(*request->statement);
    }
    request->traits = traits;
  }
  if (request->isLook()) {
    writer_.add(std::move(request));
  } else if (request->is_in_transaction || !request->traits->mayShare(host_.nowNs())) {
    addExclusive(std::move(request));
  } else {
    const bool reads = request->must_not_write || request->traits->startsAsRead();
    addShared(std::move(request), reads);
  }
}

void PostgresLoop::addExclusive(PostgresRequestPointer request) {
  // The loop that it is passed to keeps it, wherever it came from: its exclusive loop is itself.
  if (exclusive_loop_ == index_) {
    exclusives_.add(std::move(request));
  } else {
    request->is_passed_on = true;
    group_.passTo(exclusive_loop_, std::move(request));
  }
}

// A reader's work the writer can do as well, though not as cheaply; not the other way round.
void PostgresLoop::addShared(PostgresRequestPointer request, bool reads) {
  using State = PostgresPipeline::State;
  const auto can = [&](const PostgresPipeline& pipeline) {
    return pipeline.state() == State::kUp ||
           (pipeline.state() == State::kConnecting && !group_.isAway());
  };
  if (reads && can(reader_)) {
    reader_.add(std::move(request));
  } else if (can(writer_)) {
    writer_.add(std::move(request));
  } else if (!group_.passOn(request, reads)) {
    failRequest(*request, "away", unreachable("no connection"));
    endRequest(host_, *request, setup_.result_limit_bytes);
  }
}

void PostgresLoop::giveBack(std::deque<PostgresRequestPointer> unsent) {
  for (PostgresRequestPointer& request : unsent) {
    if (request->isLook()) {
      writer_.add(std::move(request));  // looked at once there is a connection
    } else if (!request->has_ended) {
      add(std::move(request));
    }
  }
}

void PostgresLoop::pipelineSettled(PostgresPipeline& pipeline, PostgresRequestPointer request) {
  const std::string& state = request->state;
  PostgresTraits& traits = *request->traits;
  const bool is_over = request->has_ended || !request->hasRun();
  if (!is_over && &pipeline == &reader_ && state == "25006" && !request->must_not_write) {
    traits.learnThatItWrites();
    request->makeAsNew();
    addShared(std::move(request), false);
  } else if (!is_over && state == PostgresRequest::kIsSlow) {
    request->makeAsNew();
    addExclusive(std::move(request));
  } else if (!is_over && (state == "57014" || state == "55P03")) {
    traits.learnThatItIsSlow(host_.nowNs() + kSlowForNs);
    request->makeAsNew();
    addExclusive(std::move(request));
  } else {
    endRequest(host_, *request, setup_.result_limit_bytes);
  }
}

// What is not known of a statement that could not be prepared before.
void PostgresLoop::lookAgain(const PostgresRequest& request) {
  if (writer_.state() == PostgresPipeline::State::kUp) {
    PostgresRequestPointer look = lookAt(request.statement, request.traits);
    look->is_quiet = true;
    writer_.add(std::move(look));
  }
}

void PostgresLoop::pipelineUp(PostgresPipeline&) { group_.connectionUp(); }

void PostgresLoop::pipelineLost(PostgresPipeline&, const std::string& why) {
  group_.connectionLost(why);
}

void PostgresLoop::pipelineFailed(PostgresPipeline&, const std::string& why,
                                  std::deque<PostgresRequestPointer> unsent) {
  group_.connectionFailed(why);
  giveBack(std::move(unsent));
}

}  // namespace sub0::query
