// SPDX-License-Identifier: Apache-2.0
// The whole host on a simulated network: what one client sends, in pieces, is the input (as bytes,
// or, line by line, as messages of a WebSocket). Whatever it is: every byte of the answer is that
// of a strict server, a neighbour on the same loop is served meanwhile, all connections end in
// time, and nothing is left.
#include "call/calls.hpp"
#include "call/plan_set.hpp"
#include "loop/loop.hpp"
#include "loop/pool.hpp"
#include "net/http/request_parser.hpp"
#include "net/server.hpp"
#include "plugin/host_table.hpp"
#include "plugin/registry.hpp"
#include "plugin/ticket_table.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/sim_io.hpp"
#include "tests/simulation/strict_readers.hpp"
#include "tests/unit/dialect/memory_files.hpp"

// The entries of the two plugins, renamed by CMake so that both can be linked.
extern "C" const sub0_plugin* sub0_plugin_value(void);
extern "C" const sub0_plugin* sub0_plugin_broadcast(void);

namespace sub0::fuzz {
namespace {

using simulation::Network;
using simulation::SimIo;
using simulation::World;

constexpr const char* kResources = R"([
  {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
  {"id": "hello", "resource": "hello", "actionables": [{"id": 1, "mode": "VALUE",
    "payload_validation": [{"field": {"name": {"type": "STRING"}}}, {"field": {"email": {"type": "EMAIL"}}}],
    "value": {"hello": "$PAYLOAD.name", "from": "$CONNECTION.uid"}}]},
  {"id": "private", "resource": "private", "protected": {"provide_as": "x-access-token"},
    "tokenize": {"type": "JWT", "algorithm": "HS256", "expiration": 60, "encryption_key": "$ENV.KEY"},
    "actionables": [{"id": 1, "mode": "VALUE", "value": "$PROTECTED"}]},
  {"id": "tell", "resource": "tell", "actionables": [{"id": 1, "mode": "BROADCAST",
    "broadcast": {"broadcast_type": "ALL", "action": "told", "exclude_sender": true}}]},
  {"id": "chain", "resource": "chain", "actionables": [
    {"id": 1, "mode": "VALUE", "value": {"rows": "$PAYLOAD.rows"}},
    {"id": 2, "mode": "VALUE", "value": ["$PAYLOAD", "$HEADER.x-app"],
      "broadcast_websocket_message": {"broadcast_type": "SINGLE", "action": "chained"}}]}
])";

std::optional<std::string> environment(std::string_view name) {
  if (name == "KEY") return "0123456789abcdef0123456789abcdef";
  return std::nullopt;
}

/// The host with one loop, wired as the process does it.
class Host {
 public:
  Host(World& world, Network& network) : world_(world), io(world, network, 0), loop(0, io) {
    loop::Loop* const loops[] = {&loop};
    table_.setLoops(loops);
    table_.setPool(&pool_);
    table_.setTicketTable(0, &tickets_);
    const auto unset = [](std::string_view) { return std::optional<std::string>(); };
    FUZZ_CHECK(registry_.add(sub0_plugin_value()) && registry_.add(sub0_plugin_broadcast()));
    FUZZ_CHECK(registry_.createAll(table_, unset) && registry_.startAll());
    dialect::LoadOptions options = dialect::usualOptions();
    options.modes = {{"VALUE", "value"}, {"BROADCAST", "broadcast"}};
    options.environment = environment;
    dialect::MemoryFiles files(
        std::map<std::string, std::string>{{"p/resources/all.json", kResources}});
    dialect::Problems problems;
    auto project = dialect::Project::load(files, "p", options, problems);
    auto plans = call::PlanSet::compile(std::move(project), registry_, problems);
    checkEqual(problems.hasErrors() ? problems.toText() : "", "", "the resources");
    net::Options net_options;
    net_options.allow_websocket = true;
    net_options.max_payload_bytes = 2000;
    server = std::make_unique<net::Server>(net_options);
    server->setLoops(1);
    server->listenOn(Network::kListener);
    calls_ = std::make_unique<call::Calls>(loop, tickets_, server->hub(), plans, call::Options());
    table_.setBroadcastSink(0, calls_.get());
    server->addLoop(loop, *calls_, plans);
    server->start();
    io.start([this] { loop.run(); });
    loop.post([this] { table_.startLoop(0, registry_); });
  }
  ~Host() {
    server.reset();
    calls_.reset();
    registry_.destroyAll();
  }

  /// Drains, stops, and looks for what is left.
  void end(Network& network) {
    server->drain(1000);
    run([this] { return server->isIdle(); }, 30);
    registry_.stopAll(0);
    loop.post([this] { table_.stopLoop(0, registry_); });
    run([this] { return loop.mailbox().empty() && io.isAsleep(); }, 30);
    FUZZ_CHECK(network.openDescriptors() == 0 && io.watches() == 0);
    FUZZ_CHECK(calls_->openCount() == 0 && tickets_.openCount() == 0);
    loop.stop();
    run([this] { return io.isFinished(); }, 30);
  }

  /// REQUIRES: it comes true within that time.
  void run(const std::function<bool()>& is_done, std::int64_t seconds) {
    const auto end = world_.run(is_done, world_.nowNs() + seconds * 1000 * simulation::kMs);
    checkEqual(world_.failedOracle() + world_.failure(), "", "the simulated world");
    FUZZ_CHECK(end == World::End::kDone);
  }

 private:
  World& world_;

 public:
  SimIo io;
  loop::Loop loop;
  std::unique_ptr<net::Server> server;

 private:
  loop::Pool pool_{0};
  plugin::HostTable table_;
  plugin::Registry registry_;
  plugin::TicketTable tickets_{loop, &pool_};
  std::unique_ptr<call::Calls> calls_;
};

constexpr std::string_view kUpgrade =
    "GET /ws?uid=a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

std::string messages(std::string_view lines) {
  std::string wire(kUpgrade);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
    wire += simulation::clientFrame(0x81, line, 0x11223344);
  }
  return wire;
}

/// A client that sends `bytes` in pieces and judges what comes.
class Client final : public simulation::Actor {
 public:
  Client(World& world, Network& network, std::string bytes, Choices& choices, bool finishes)
      : world_(world), network_(network), bytes_(std::move(bytes)), choices_(choices) {
    finishes_ = finishes;
    readMethods();
    link_ = network.connect(std::size_t{64} << 10, std::size_t{64} << 10, 0, "10.0.0.1");
    world.add(*this);
  }
  ~Client() { world_.remove(*this); }

  bool isReady() override {
    if (is_over_) return false;
    const bool can_send = sent_ < bytes_.size() && network_.clientHasRoom(*link_);
    const bool can_finish = sent_ == bytes_.size() && finishes_ && !link_->is_client_finished;
    return can_send || can_finish || network_.clientHasInput(*link_);
  }
  void act() override {
    if (network_.clientHasInput(*link_)) return receive();
    if (sent_ == bytes_.size()) return network_.clientFinish(*link_);
    const std::size_t piece = choices_.piece(bytes_.size() - sent_);
    sent_ += network_.clientSend(*link_, std::string_view(bytes_).substr(sent_, piece));
  }
  bool isOver() const { return is_over_; }
  std::size_t texts() const { return texts_; }

 private:
  /// What the requests ask, as our own parser finds them: HEAD has no body in its answer.
  void readMethods() {
    Padded padded(bytes_);
    std::span<char> input = padded.span();
    net::http::RequestParser parser;
    net::http::Request request;
    net::http::ParseFailure failure;
    net::http::RequestLimits limits;
    limits.max_body_bytes = 2000;
    while (true) {
      const auto event = parser.next(input, limits, request, failure);
      if (event == net::http::ParseEvent::kNeedMore) return;
      if (event == net::http::ParseEvent::kRequest) is_head_.push_back(request.isHead());
    }
  }

  void receive() {
    std::string bytes;
    const auto received = network_.clientReceive(*link_, 4096, bytes);
    input_ += bytes;
    is_socket_ ? readFrames() : readResponses();
    if (received == simulation::Received::kSome || received == simulation::Received::kNothing) {
      return;
    }
    // Whose socket has ended without a close frame may get half of a frame, or of the handshake.
    const bool may_be_socket = bytes_.find("Upgrade") != bytes_.npos;
    const bool has_left = may_be_socket && link_->is_client_finished;
    FUZZ_CHECK(received == simulation::Received::kReset || input_.empty() || has_left);
    network_.clientClose(*link_);
    is_over_ = true;
  }

  void readResponses() {
    std::string problem;
    simulation::Response response;
    while (!is_socket_) {
      const bool has_body = answered_ >= is_head_.size() || !is_head_[answered_];
      const auto read = simulation::readResponse(input_, has_body, response, problem);
      checkEqual(problem, "", "a response");
      if (read != simulation::Read::kOne) return;
      FUZZ_CHECK(!has_closed_);
      if (response.status == 100) continue;
      has_closed_ = response.closes;
      FUZZ_CHECK(++answered_ <= is_head_.size() + 1);  // and one refusal
      is_socket_ = response.status == 101;
    }
    readFrames();
  }

  void readFrames() {
    std::string problem;
    simulation::ServerFrame frame;
    while (true) {
      const auto read = frames_.next(input_, frame, problem);
      checkEqual(problem, "", "a frame");
      if (read != simulation::Read::kOne) return;
      if (frame.kind == simulation::ServerFrame::Kind::kText) ++texts_;
      if (frame.kind == simulation::ServerFrame::Kind::kClose) finishes_ = true;
    }
  }

  World& world_;
  Network& network_;
  const std::string bytes_;
  Choices& choices_;
  std::shared_ptr<simulation::Link> link_;
  std::string input_;
  std::vector<bool> is_head_;
  simulation::FrameReader frames_;
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  std::size_t texts_ = 0;
  bool finishes_ = false;
  bool has_closed_ = false;
  bool is_socket_ = false;
  bool is_over_ = false;
};

}  // namespace
}  // namespace sub0::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0::fuzz;
  const Input input(data, size);
  Choices choices(input);
  const std::uint32_t faults = (input.steer & 2) != 0 ? sub0::simulation::kShortReads |
                                                            sub0::simulation::kShortWrites |
                                                            sub0::simulation::kSpuriousWakes
                                                      : 0;
  World world(choices.below(1u << 30), faults, false);
  Network network(world);
  Host host(world, network);
  const bool is_messages = (input.steer & 1) != 0;
  const bool finishes = (input.steer & 4) != 0;
  Client client(world, network, is_messages ? messages(input.bytes) : std::string(input.bytes),
                choices, finishes);
  Client neighbour(world, network, messages(R"({"resource":"echo","payload":{"a":1}})"), choices,
                   false);
  host.run([&] { return neighbour.texts() > 0; }, 5);
  host.run([&] { return client.isOver(); }, 200);
  host.end(network);
  host.run([&] { return neighbour.isOver(); }, 30);
  return 0;
}
