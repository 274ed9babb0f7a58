// SPDX-License-Identifier: Apache-2.0
#include "app/host_process.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>

#include "app/migration_at_start.hpp"
#include "base/log.hpp"
#include "base/time_units.hpp"

namespace sub0::app {
namespace {

constexpr long kLookNs = 50 * kNsPerMs;        // how often the watchdog looks
constexpr std::int64_t kLongestStopMs = 5000;  // of plugins, beyond what is left of the drain

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kDestroysAtExit = true;  // so that leaks are seen
#else
constexpr bool kDestroysAtExit = false;  // late threads of plugins must not meet destructors
#endif

sigset_t waitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

/// Within its bounds even where the setting is not: what is wrong with it is said later, with the
/// rest.
std::size_t boundedCount(const Settings& settings, const char* name, std::int64_t max) {
  return static_cast<std::size_t>(std::clamp<std::int64_t>(settings.whole(name), 0, max));
}

std::size_t loopCount(const Settings& settings) {
  const std::size_t wanted = boundedCount(settings, "SUB0_LOOPS", 64);
  if (wanted > 0) return wanted;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 8);
}

/// One core hashes, one serves: who signs in does not keep everybody else waiting.
std::size_t hashThreads(const Settings& settings) {
  const std::size_t wanted = boundedCount(settings, "SUB0_HASH_THREADS", 256);
  if (wanted > 0) return wanted;
  return std::max<std::size_t>(std::thread::hardware_concurrency() / 2, 1);
}

std::string upperList(const std::string& methods) {
  std::string list;
  for (const std::string& method : net::methodsOf(methods)) {
    if (method == "GET" || method == "HEAD") continue;
    list.append(list.empty() ? "" : ", ").append(method);
  }
  return list;
}

/// Ends the process where a second signal comes, or where plugins have not stopped by then: one of
/// them may wait for something that never comes. To be set once they have stopped.
std::shared_ptr<std::atomic<bool>> endWithoutPlugins(std::int64_t wait_ms) {
  auto have_stopped = std::make_shared<std::atomic<bool>>(false);
  std::thread([wait_ms, have_stopped] {
    const sigset_t signals = waitedSignals();
    const timespec wait{wait_ms / 1000, wait_ms % 1000 * kNsPerMs};
    int signal = 0;
    do {
      signal = ::sigtimedwait(&signals, nullptr, &wait);
    } while (signal == SIGHUP);
    if (signal < 0 && *have_stopped) return;
    if (signal < 0)
      log::error("plugin", "the plugins have not stopped in time; ended without them");
    ::_exit(kExitOk);
  }).detach();
  return have_stopped;
}

}  // namespace

void blockSignals() {
  const sigset_t signals = waitedSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

HostProcess::HostProcess(Workspace& workspace)
    : workspace_(workspace), revocation_list_(workspace.revokedTokens(), workspace.registry()) {}

HostProcess::~HostProcess() {
  if (!loops_) return;
  admin_.stop();
  loops_->stopThreads();
  server_.reset();  // abandons what its connections wait for
  for (auto& unit : loops_->units()) unit->calls.reset();
  plan_sets_.clear();
  workspace_.destroyPlugins();
}

int HostProcess::run() {
  workspace_.loadPlugins();
  const Settings& settings = workspace_.settings();
  loops_ = std::make_unique<LoopGroup>(
      loopCount(settings),
      std::max<std::size_t>(boundedCount(settings, "SUB0_POOL_THREADS", 256), 1),
      ticketLimits(settings));
  if (!prepare()) return kExitConfiguration;
  // Before the plugins look at the statements, so that these find their tables.
  if (migratesAtStart()) {
    const TablesEnd end = makeTables(workspace_.registry(), *plan_sets_.current(), true);
    if (end != TablesEnd::kMade) return end == TablesEnd::kStopped ? kExitOk : kExitFailure;
  }
  if (const int code = listen(); code != kExitOk) return code;
  loops_->startThreads();
  if (!loops_->startPlugins(workspace_.registry())) {
    for (const auto& problem : workspace_.registry().problems()) {
      log::error("plugin", problem.message, {{"file", problem.file}});
    }
    return kExitFailure;
  }
  takes_calls_ = true;
  if (!migratesAtStart()) tellPendingChanges(workspace_.registry(), *plan_sets_.current());
  waitForSignals();
  drain();
  return kExitOk;
}

/// Project, plugins and plans; everything that is wrong is said at once.
bool HostProcess::prepare() {
  workspace_.loadProject();
  workspace_.createPlugins(loops_->table());
  workspace_.compile();
  if (!workspace_.reportProblems()) return false;
  options_ = workspace_.networkOptions();
  plan_sets_.add(workspace_.takePlans());
  if (workspace_.databaseName() != "sqlite") {  // its file has one host
    revocation_list_.readEvery(workspace_.settings().whole("SUB0_REVOCATIONS_READ_MS"));
  }
  if (plan_sets_.current()->revokesTokens()) revocation_list_.want();
  const auto health = workspace_.registry().extension(SUB0_HEALTH_EXTENSION);
  health_ = static_cast<const sub0_health*>(health.table);
  health_self_ = health.self;
  return true;
}

bool HostProcess::migratesAtStart() const {
  return migratesByItself(workspace_.settings(), workspace_.databaseName());
}

int HostProcess::listen() {
  const Settings& settings = workspace_.settings();
  readiness_.is_ready = [this] { return takes_calls_.load(std::memory_order_relaxed); };
  readiness_.reason = [this] { return unready(); };
  readiness_.fault = [this] { return observation_->fault(); };
  readiness_.metrics = [this] { return observation_->metrics(); };
  readiness_.is_served_here = settings.text("SUB0_ADMIN_PORT").empty();
  makeStores();
  call::Options call_options = makeCallOptions();
  server_ = std::make_unique<net::Server>(options_, readiness_);
  server_->setLoops(loops_->units().size());
  server_->makeGuard(loops_->units().front()->loop);
  call_options.input_budget = &server_->guard().input_budget;
  auto listening =
      server_->listen(settings.text("HOST"), static_cast<std::uint16_t>(settings.whole("PORT")));
  if (!listening) {
    log::error("cannot_bind", listening.error().message);
    return kExitCannotBind;
  }
  for (auto& unit : loops_->units()) {
    unit->calls = std::make_unique<call::Calls>(unit->loop, unit->tickets, server_->hub(),
                                                plan_sets_.current(), call_options);
    loops_->table().setBroadcastSink(unit->loop.index(), unit->calls.get());
    server_->addLoop(unit->loop, *unit->calls, plan_sets_.current());
  }
  observe();
  if (const int code = startAdmin(); code != kExitOk) return code;
  server_->start();
  return kExitOk;
}

void HostProcess::makeStores() {
  const Settings& settings = workspace_.settings();
  cache_ = std::make_unique<store::LocalCache>(
      static_cast<std::size_t>(settings.whole("SUB0_CACHE_LIMIT")));
  std::string secret(16, '\0');
  loops_->units().front()->io.random(secret.data(), secret.size());
  rate_limits_ = std::make_unique<store::LocalRateLimits>(
      static_cast<std::size_t>(settings.whole("SUB0_RATE_LIMIT_IDENTIFIERS")), std::move(secret));
}

call::Options HostProcess::makeCallOptions() {
  const Settings& settings = workspace_.settings();
  call::Options options;
  options.deadline_ms = settings.whole("SUB0_CALL_DEADLINE_MS");
  options.max_bulk_uids = static_cast<std::size_t>(settings.whole("SUB0_BULK_LIMIT"));
  options.allow_without_get = upperList(options_.allowed_methods);
  options.trace = settings.flag("SUB0_TRACE");
  options.token_leeway_s = settings.whole("SUB0_TOKEN_LEEWAY");
  options.revoked_tokens = &workspace_.revokedTokens();
  options.hash_pool = &loops_->startHashPool(
      hashThreads(settings), static_cast<std::size_t>(settings.whole("SUB0_HASH_QUEUE")));
  options.max_bcrypt_cost = static_cast<std::uint32_t>(settings.whole("SUB0_BCRYPT_MAX_COST"));
  options.cache = cache_.get();
  options.rate_limits = rate_limits_.get();
  return options;
}

void HostProcess::observe() {
  observation_ = std::make_unique<Observation>(
      Observation::Parts{*loops_, *server_, workspace_.registry(), *cache_, *rate_limits_,
                         [this] { return unready(); },
                         [this]() -> std::optional<bool> {
                           if (health_ == nullptr) return std::nullopt;
                           return isDatabaseReady();
                         },
                         workspace_.settings().whole("SUB0_BLOCKED_FAULT_MS")});
}

int HostProcess::startAdmin() {
  const Settings& settings = workspace_.settings();
  if (readiness_.is_served_here) return kExitOk;
  const auto listening = admin_.start(settings.text("SUB0_ADMIN_HOST"),
                                      static_cast<std::uint16_t>(settings.whole("SUB0_ADMIN_PORT")),
                                      {readiness_.fault, readiness_.reason, readiness_.metrics});
  if (!listening) {
    log::error("cannot_bind", listening.error().message);
    return kExitCannotBind;
  }
  log::info("admin", "health and metrics on " + admin_.url(),
            {{"url", admin_.url()}, {"port", admin_.port()}});
  return kExitOk;
}

/// Why the host is not ready; empty: it is.
std::string HostProcess::unready() const {
  if (is_draining_) return "the host is shutting down";
  if (!takes_calls_) return "the host is starting";
  if (!isDatabaseReady()) return "the database is away";
  return revocation_list_.isReady() ? "" : "the list of revoked tokens has not been read";
}

bool HostProcess::isDatabaseReady() const {
  return health_ == nullptr || health_->ready(health_self_) != 0;
}

/// One line on stderr, once the host can do its work: what waits for a start waits for it.
void HostProcess::announce() {
  is_announced_ = true;
  const auto& listener = server_->listener();
  std::string plugins;
  for (const auto& plugin : workspace_.registry().plugins()) {
    plugins += (plugins.empty() ? "" : " ") + plugin->id;
  }
  const std::string database = health_ == nullptr ? "none" : workspace_.databaseName();
  const std::string url = "http://" + listener.host() + ":" + std::to_string(listener.port());
  log::info("ready", "ready on " + url,
            {{"url", url},
             {"port", listener.port()},
             {"resources", plan_sets_.current()->plans().size()},
             {"plugins", plugins},
             {"database", database}});
  const call::PlanSet& plans = *plan_sets_.current();
  if (options_.allow_websocket && !plans.takesUidFromToken() && plans.sendsToUids()) {
    log::warning(
        "uid_unproven",
        "a socket says itself who it is (?uid=), and gets what SINGLE and BULK send to that "
        "uid; to take it from a token set SUB0_WEBSOCKET_UID_CLAIM and "
        "SUB0_WEBSOCKET_TOKENIZE");
  }
  if (!options_.allow_websocket) {
    log::info("websocket_off",
              "WebSocket connections are off: set ALLOW_WEBSOCKET_CONNECTIONS=true");
  }
}

void HostProcess::waitForSignals() {
  std::vector<plugin::TicketTable*> tables;
  for (auto& unit : loops_->units()) tables.push_back(&unit->tickets);
  plugin::Watchdog watchdog(tables);
  loop::Io& clock = loops_->units().front()->io;
  const std::int64_t started_ns = clock.monotonicNs();
  bool has_warned = false;
  const sigset_t signals = waitedSignals();
  const timespec interval{0, kLookNs};
  while (true) {
    const std::int64_t now_ns = clock.monotonicNs();
    watchdog.look(now_ns);
    observation_->look(now_ns);
    revocation_list_.look(clock);
    if (plan_sets_.takeRequest()) reload();
    if (!is_announced_ && isDatabaseReady() && revocation_list_.isReady()) announce();
    if (!is_announced_ && !has_warned && now_ns - started_ns > 2000 * kNsPerMs) {
      has_warned = true;
      const bool is_list = isDatabaseReady();
      log::warning(is_list ? "revocations_unknown" : "database_away",
                   is_list ? "the list of revoked tokens has not been read; calls with tokens fail "
                             "until it is"
                           : "the database does not answer; its calls fail until it does",
                   {{"port", server_->listener().port()}});
    }
    const timespec start_interval{0, 2 * kNsPerMs};
    const int signal =
        ::sigtimedwait(&signals, nullptr, is_announced_ ? &interval : &start_interval);
    if (signal == SIGHUP) plan_sets_.request();
    if (signal == SIGTERM || signal == SIGINT) return;
  }
}

void HostProcess::reload() {
  loop::Io& clock = loops_->units().front()->io;
  const std::int64_t started_ns = clock.monotonicNs();
  dialect::Problems problems;
  auto plans = workspace_.recompile(problems);
  workspace_.report(problems);
  if (plans == nullptr) {
    observation_->refused_reloads.add();
    log::error("reload_refused", "the resources have errors: those that were loaded stay",
               {{"errors", problems.errorCount()}});
    return;
  }
  if (!migratesAtStart()) {
    tellPendingChanges(workspace_.registry(), *plans);
  } else if (makeTables(workspace_.registry(), *plans, false) != TablesEnd::kMade) {
    observation_->refused_reloads.add();
    log::error("reload_refused",
               "the tables could not be made: the resources that were loaded stay");
    return;
  }
  if (plans->revokesTokens() && !revocation_list_.readNow(clock)) {
    observation_->refused_reloads.add();
    log::error("reload_refused",
               "the list of revoked tokens cannot be read: the resources that were loaded stay");
    return;
  }
  plan_sets_.add(plans);
  for (auto& unit : loops_->units()) {
    unit->loop.post([&calls = *unit->calls, plans] { calls.setPlans(plans); });
    server_->setCatalogue(unit->loop.index(), plans);
  }
  observation_->reloads.add();
  log::info("reloaded", "the resources have been loaded anew",
            {{"resources", plans->plans().size()},
             {"duration_ms", (clock.monotonicNs() - started_ns) / kNsPerMs}});
}

std::uint64_t HostProcess::callsInBackground() const {
  std::uint64_t count = 0;
  for (const auto& unit : loops_->units()) count += unit->calls->counts().in_background.get();
  return count;
}

/// SIGTERM: not ready, no new connections, calls end, sockets get 1001, plugins stop. A second
/// signal: at once.
void HostProcess::drain() {
  const std::int64_t drain_ms = workspace_.settings().whole("SUB0_DRAIN_MS");
  is_draining_ = true;  // whoever reads the line below finds /readyz saying so
  log::info("stopping", "finishing calls and closing connections",
            {{"connections", server_->totals().open_connections}});
  loop::Io& clock = loops_->units().front()->io;
  const std::int64_t end_ns = clock.monotonicNs() + drain_ms * kNsPerMs;
  server_->drain(drain_ms);
  const sigset_t signals = waitedSignals();
  const timespec interval{0, 5 * kNsPerMs};
  while ((!server_->isIdle() || callsInBackground() > 0) && clock.monotonicNs() < end_ns) {
    observation_->look(clock.monotonicNs());
    const int signal = ::sigtimedwait(&signals, nullptr, &interval);
    if (signal == SIGTERM || signal == SIGINT) ::_exit(kExitOk);
  }
  const std::int64_t left_ms =
      std::max<std::int64_t>((end_ns - clock.monotonicNs()) / kNsPerMs, 100);
  const auto have_stopped = endWithoutPlugins(left_ms + kLongestStopMs);
  loops_->stopPlugins(workspace_.registry(), left_ms);
  *have_stopped = true;
  loops_->stopThreads();
  log::info("stopped", "stopped", {{"connections_left", server_->totals().open_connections}});
  if (!kDestroysAtExit) ::_exit(kExitOk);
}

}  // namespace sub0::app
