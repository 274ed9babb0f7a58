// SPDX-License-Identifier: Apache-2.0
// PostgresPipeline: what time does to requests. Runs end before their deadline, a statement that
// holds up others is cancelled, a server that says nothing is given up.
#include <algorithm>
#include <utility>

#include "deadline.hpp"
#include "postgres/postgres_cancel.hpp"
#include "postgres/postgres_pipeline.hpp"

namespace sub0::query {
namespace {

// A server that was asked to cancel, or whether it is there, and says nothing for so long is given
// up.
constexpr std::uint64_t kLongestSilenceMs = 5000;

}  // namespace

// A server that hangs, or a network that drops everything, is noticed where no deadline of a call
// tells: where nothing is under way, or only what is the connection's own, or what was cancelled. A
// pooler is not asked: it may have no server for the question, and keeps it waiting.
void PostgresPipeline::watchPresence() {
  stopPresenceTimer();
  has_presence_timer_ = true;
  messages_before_ = messages_;
  host_.loop()->start_timer(
      host_.raw(), kLongestSilenceMs,
      [](void* pipeline) { static_cast<PostgresPipeline*>(pipeline)->lookAtPresence(); }, this,
      &presence_timer_);
}

void PostgresPipeline::lookAtPresence() {
  has_presence_timer_ = false;
  if (!link_.isUp()) {
    return;  // linkUp watches again
  }
  if (was_owed_ && owesAnswer() && messages_ == messages_before_) {
    link_.reset("the server does not answer");
    return;
  }
  if (steps_.empty() && role_.opening.empty()) {
    link_.output().sync();
    steps_.push_back(Step{StepKind::kPing, nullptr});
    link_.flush();
  }
  was_owed_ = owesAnswer();
  watchPresence();
}

// The server keeps what it says until a sync: in front of one, a statement may take what it wants.
bool PostgresPipeline::owesAnswer() const {
  if (isHeldUp()) {
    return true;
  }
  const auto decides = [](const Step& step) { return step.request != nullptr || isSync(step); };
  const auto first = std::find_if(steps_.begin(), steps_.end(), decides);
  return first != steps_.end() && first->request == nullptr;
}

void PostgresPipeline::stopPresenceTimer() {
  if (std::exchange(has_presence_timer_, false)) {
    host_.loop()->stop_timer(host_.raw(), presence_timer_);
  }
}

void PostgresPipeline::stopTimers() {
  stopPresenceTimer();
  if (timer_deadline_ns_ != 0) {
    host_.loop()->stop_timer(host_.raw(), timer_);
    timer_deadline_ns_ = 0;
  }
}

void PostgresPipeline::watchDeadline(std::uint64_t deadline_ns) {
  if (timer_deadline_ns_ != 0) {
    if (timer_deadline_ns_ <= deadline_ns) {
      return;
    }
    host_.loop()->stop_timer(host_.raw(), timer_);
  }
  const std::uint64_t now_ns = host_.nowNs();
  const std::uint64_t left_ns =
      deadline_ns > now_ns + kMarginNs ? deadline_ns - now_ns - kMarginNs : 0;
  timer_deadline_ns_ = deadline_ns;
  host_.loop()->start_timer(
      host_.raw(), left_ns / kNanosecondsPerMs,
      [](void* pipeline) { static_cast<PostgresPipeline*>(pipeline)->expire(); }, this, &timer_);
}

void PostgresPipeline::expire() {
  timer_deadline_ns_ = 0;
  const std::uint64_t now_ns = host_.nowNs() + kMarginNs + kNanosecondsPerMs;
  expireIn(waiting_, now_ns);
  expireIn(under_way_, now_ns);
  if (isHeldUp()) {
    if (isExclusive()) {
      abandon();  // so that the cancellation can meet nothing that comes later
      return;
    }
    cancelRunning();
  }
  std::uint64_t next_ns = 0;
  for (const auto* requests : {&waiting_, &under_way_}) {
    for (const PostgresRequestPointer& request : *requests) {
      if (!request->has_ended && request->hasRun()) {
        next_ns = next_ns == 0 ? request->deadline_ns : std::min(next_ns, request->deadline_ns);
      }
    }
  }
  if (next_ns != 0) {
    watchDeadline(next_ns);
  }
}

// Whether what the server is at is past its time, or is a look, which has none, in front of
// something that is.
bool PostgresPipeline::isHeldUp() const {
  const auto has_ended = [](const PostgresRequestPointer& each) { return each->has_ended; };
  return !under_way_.empty() && (under_way_.front()->has_ended ||
                                 (under_way_.front()->isLook() &&
                                  std::any_of(under_way_.begin(), under_way_.end(), has_ended)));
}

void PostgresPipeline::expireIn(std::deque<PostgresRequestPointer>& requests,
                                std::uint64_t now_ns) {
  for (const PostgresRequestPointer& request : requests) {
    if (!request->has_ended && request->hasRun() && request->deadline_ns <= now_ns) {
      endEarly(
          *request, &requests == &under_way_,
          Failure{SUB0_TIMEOUT, request->place() + ": no result before the call's deadline", ""});
    }
  }
}

// Asks the server to give up the statement that holds up the others; one request at a time, since
// where no answer comes it may block for long.
void PostgresPipeline::cancelRunning() {
  if (!link_.isUp() || is_cancelling_->exchange(true)) {
    return;
  }
  cancelApart(link_.makeCancel(), [is_under_way = is_cancelling_] { *is_under_way = false; });
}

}  // namespace sub0::query
