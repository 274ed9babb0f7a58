// SPDX-License-Identifier: Apache-2.0
#include "tests/simulation/host.hpp"

#include <utility>

#include "json/writer.hpp"
#include "tests/unit/dialect/memory_files.hpp"

// The entries of the two plugins, renamed by CMake so that both can be linked.
extern "C" const sub0_plugin* sub0_plugin_value(void);
extern "C" const sub0_plugin* sub0_plugin_broadcast(void);

namespace sub0::simulation {
namespace {

std::string projectText(const std::vector<ResourceModel>& resources) {
  std::string text = "[";
  for (const ResourceModel& resource : resources) {
    text += (text.size() == 1 ? "" : ",") + resource.toJson();
  }
  return text + "]";
}

}  // namespace

Host::Unit::Unit(Host& host, std::uint32_t index)
    : io(host.world_, host.network_, index),
      loop(index, io),
      tickets(loop, &host.pool_),
      tap(host, index) {}

Host::Host(World& world, Network& network, Judge& judge, const Scenario& scenario)
    : world_(world),
      network_(network),
      judge_(judge),
      scenario_(scenario),
      pool_(0),
      script_(world, judge),
      pool_threads_{{*this, 0}, {*this, 1}} {
  std::vector<loop::Loop*> loops;
  for (std::size_t i = 0; i < scenario.loops; ++i) {
    units_.push_back(std::make_unique<Unit>(*this, static_cast<std::uint32_t>(i)));
    loops.push_back(&units_.back()->loop);
  }
  table_.setLoops(loops);
  table_.setPool(&pool_);
  for (std::size_t i = 0; i < scenario.loops; ++i) {
    table_.setTicketTable(static_cast<std::uint32_t>(i), &units_[i]->tickets);
  }
  for (PoolThread& thread : pool_threads_) world_.add(thread);
}

Host::~Host() {
  for (PoolThread& thread : pool_threads_) world_.remove(thread);
  server_.reset();
  for (auto& unit : units_) unit->calls.reset();
  plans_.reset();
  registry_.destroyAll();
}

bool Host::PoolThread::isReady() { return !isIdle() || host_.pool_.hasWork(); }

void Host::PoolThread::act() {
  host_.world_.note("pool", number_, isIdle() ? "works" : "works on");
  if (isIdle()) fiber_ = std::make_unique<Fiber>([this] { host_.pool_.runOne(); });
  fiber_->resume();
  if (fiber_->isFinished()) fiber_.reset();
}

std::uint64_t Host::Tap::count(const call::Broadcast& broadcast, const call::Sender& sender) {
  return host_.server_->hub().count(broadcast, sender);
}

void Host::Tap::send(const call::Broadcast& broadcast, const call::Sender& sender) {
  CastRecord record;
  const json::Value* number = json::find(*broadcast.data, "n");
  if (number != nullptr && number->type == SUB0_INT) {
    record.call = static_cast<std::uint64_t>(number->as.i);
  }
  record.label = broadcast.action;
  record.audience = static_cast<Cast>(broadcast.audience);
  for (const std::string_view uid : broadcast.uids) record.uids.emplace_back(uid);
  record.excludes_sender = broadcast.exclude_sender;
  record.is_late = record.label == "late";
  record.loop = loop_;
  host_.judge_.cast(std::move(record));
  host_.server_->hub().send(broadcast, sender);
}

bool Host::createPlugins() {
  const bool has_all = registry_.add(sub0_plugin_value()) &&
                       registry_.add(sub0_plugin_broadcast()) &&
                       registry_.add(&script_.descriptor());
  const auto unset = [](std::string_view) { return std::optional<std::string>(); };
  if (has_all && registry_.createAll(table_, unset) && registry_.startAll()) return true;
  const auto& problems = registry_.problems();
  world_.fail("start", "plugins: " + (problems.empty() ? "" : problems.front().message));
  return false;
}

std::shared_ptr<const call::PlanSet> Host::compile(bool with_circle) {
  std::vector<ResourceModel> resources = scenario_.resources;
  if (with_circle) resources.push_back(makeCircle(world_.random()));
  dialect::LoadOptions options;
  for (const plugin::Handler* handler : registry_.handlers()) {
    if (handler->isEffect()) {
      options.effects.push_back({std::string(handler->config_key)});
    } else {
      options.modes.push_back({std::string(handler->name), std::string(handler->config_key)});
    }
  }
  options.environment = [](std::string_view) { return std::optional<std::string>(); };
  dialect::MemoryFiles files({{"p/resources/all.json", projectText(resources)}});
  dialect::Problems problems;
  auto project = dialect::Project::load(files, "p", options, problems);
  auto plans = call::PlanSet::compile(std::move(project), registry_, problems);
  if (problems.hasErrors() == with_circle) return with_circle ? nullptr : plans;
  world_.fail("check", with_circle
                           ? "a circle of depends_on was taken (S-24): " + resources.back().toJson()
                           : "resources were refused: " + problems.toText());
  return nullptr;
}

bool Host::start() {
  if (!createPlugins()) return false;
  if (world_.random().oneIn(20)) compile(true);
  plans_ = compile(false);
  if (plans_ == nullptr) return false;
  call::Options call_options;
  call_options.deadline_ms = scenario_.call_deadline_ms;
  server_ = std::make_unique<net::Server>(scenario_.options);
  server_->setLoops(units_.size());
  server_->listenOn(Network::kListener);
  for (auto& unit : units_) {
    unit->calls =
        std::make_unique<call::Calls>(unit->loop, unit->tickets, unit->tap, plans_, call_options);
    table_.setBroadcastSink(unit->loop.index(), unit->calls.get());
    server_->addLoop(unit->loop, *unit->calls, plans_);
  }
  server_->start();
  for (auto& unit : units_) {
    unit->io.start([&loop = unit->loop] { loop.run(); });
    unit->loop.post([this, index = unit->loop.index()] { table_.startLoop(index, registry_); });
  }
  return true;
}

void Host::drain() {
  world_.note("host", 0, "drains");
  judge_.drained();
  server_->drain(scenario_.drain_window_ms);
}

/// SIGHUP: the same resources, compiled anew.
void Host::reload() {
  world_.note("host", 0, "reloads");
  auto plans = compile(false);
  if (plans == nullptr) return;
  old_plans_.push_back(plans_);
  plans_ = plans;
  for (auto& unit : units_) {
    unit->loop.post([&unit = *unit, plans] { unit.calls->setPlans(plans); });
    server_->setCatalogue(unit->loop.index(), plans);
  }
}

bool Host::isIdle() const { return server_->isIdle(); }

bool Host::isQuiet() const {
  std::size_t open = 0;
  for (const auto& unit : units_) open += unit->calls->openCount();
  return script_.isQuiet() && open <= script_.pending();
}

void Host::stopPlugins() {
  registry_.stopAll(static_cast<std::uint64_t>(world_.nowNs()));
  for (auto& unit : units_) {
    unit->loop.post([this, index = unit->loop.index()] { table_.stopLoop(index, registry_); });
  }
}

void Host::checkNothingIsLeft() {
  const net::Totals totals = server_->totals();
  std::string left;
  const auto look = [&left](const char* what, std::uint64_t count) {
    if (count != 0)
      left += std::string(left.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  look("connections", totals.open_connections);
  look("sockets", totals.open_sockets);
  look("descriptors", network_.openDescriptors());
  look("pending runs", script_.pending());
  for (const auto& unit : units_) {
    look("watches", unit->io.watches());
    look("tickets", unit->tickets.openCount());
    look("calls", unit->calls->openCount());
    look("letters", unit->loop.mailbox().empty() ? 0 : 1);
    look("bytes of letters reserved", unit->loop.mailbox().bulkBytes());
    look("timers", unit->io.sleepsForEver() ? 0 : 1);
  }
  for (const ClientPlan& client : scenario_.clients) {
    const std::string_view uid = client.uid;
    if (uid.empty()) continue;
    call::Broadcast to_one;
    to_one.audience = call::Audience::kSingle;
    to_one.uids = {&uid, 1};
    look("connections of a uid", server_->hub().count(to_one, {}));
  }
  for (const auto& plans : old_plans_) look("old plan sets", plans.expired() ? 0 : 1);
  if (!left.empty()) world_.fail("left-over", "after the end there are still " + left);
}

bool Host::isPoolIdle() const { return pool_threads_[0].isIdle() && pool_threads_[1].isIdle(); }

bool Host::findLostWake(std::string& text) const {
  // Whoever sends a letter and is stopped on its way may still wake.
  if (!isPoolIdle()) return false;
  for (const auto& unit : units_) {
    if (unit->io.isPreempted()) return false;
  }
  for (const auto& unit : units_) {
    if (!unit->io.isAsleep() || unit->io.isWoken() || unit->loop.mailbox().empty()) continue;
    text = "loop " + std::to_string(unit->loop.index()) +
           " sleeps, a letter waits for it, and nobody wakes it";
    return true;
  }
  return false;
}

void Host::stopLoops() {
  for (auto& unit : units_) unit->loop.stop();
}

bool Host::hasStopped() const {
  for (const auto& unit : units_) {
    if (!unit->io.isFinished()) return false;
  }
  return isPoolIdle();
}

}  // namespace sub0::simulation
