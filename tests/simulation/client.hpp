// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/judge.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/scenario.hpp"
#include "tests/simulation/strict_readers.hpp"
#include "tests/simulation/world.hpp"

namespace sub0::simulation {

/// What both kinds of clients share: a connection, its bytes in and out in pieces, steps at their
/// times, and an end. What the bytes are is the derived class's. Its chance is its own, so that it
/// does the same whoever else is there.
class Client : public Actor {
 public:
  Client(World& world, Network& network, Judge& judge, const Scenario& scenario,
         const ClientPlan& plan);
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool isDone() const { return is_done_; }
  /// Where it stands, for who waits for it.
  std::string describe() const;
  /// Tells the judge what it has seen.
  virtual void report() {}

  bool isReady() override;
  void act() override;
  std::int64_t dueNs() override;

 protected:
  virtual void onConnected() = 0;
  /// Its next step's time has come, or the time it set by wakeIn().
  virtual void onTime() = 0;
  /// Something has been added to input_.
  virtual void onInput() = 0;
  virtual void onEnd(bool is_reset) = 0;

  void write(std::string_view bytes) { output_.append(bytes); }
  bool hasOutput() const { return output_sent_ < output_.size(); }
  void wakeIn(std::int64_t delay_ms) { due_ns_ = world_.nowNs() + delay_ms * kMs; }
  std::int64_t msSince(std::int64_t then_ns) const { return (world_.nowNs() - then_ns) / kMs; }
  std::int64_t sinceLastReadMs() const { return msSince(last_read_ns_); }
  void neverWake() { due_ns_ = -1; }
  void setReading(bool is_reading) { is_reading_ = is_reading; }
  /// FIN, and nothing is written any more.
  void finishWriting();
  /// Lets go of the connection: in order, or by RST.
  void leave(bool by_reset);
  void fail(std::string_view oracle, const std::string& text);
  /// A client that does nothing wrong, on a connection that nothing happens to.
  bool isFaithful() const { return plan_.isGood() && !is_hurt_; }
  /// Its connection is slow: deadlines and limits of the network may hit it.
  bool isSlow() const;
  std::string padOf(const Step& step);
  /// The next step, or null.
  const Step* step() const {
    return next_step_ < plan_.steps.size() ? &plan_.steps[next_step_] : nullptr;
  }
  /// Time until which the server must have let go, after everything of it is over.
  std::int64_t patienceMs() const;

  World& world_;
  Network& network_;
  Judge& judge_;
  const Scenario& scenario_;
  const ClientPlan& plan_;
  Random random_;
  std::shared_ptr<Link> link_;
  std::string input_;
  std::size_t next_step_ = 0;
  bool is_hurt_ = false;  // the network broke it

 private:
  bool mayConnect() const;
  void connect();
  void send();
  void receive();

  std::string output_;
  std::size_t output_sent_ = 0;
  std::int64_t due_ns_ = 0;
  std::int64_t last_read_ns_ = 0;
  bool is_reading_ = true;
  bool finishes_ = false;
  bool is_done_ = false;
};

/// Makes the client of a plan.
std::unique_ptr<Client> makeClient(World& world, Network& network, Judge& judge,
                                   const Scenario& scenario, const ClientPlan& plan);

}  // namespace sub0::simulation
