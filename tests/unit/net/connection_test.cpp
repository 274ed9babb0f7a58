// SPDX-License-Identifier: Apache-2.0
#include "net/connection.hpp"

#include <gtest/gtest.h>

#include "net/send_queue.hpp"
#include "net/ws/session.hpp"
#include "tests/unit/loop/idle_io.hpp"
#include "tests/unit/net/connection_harness.hpp"

namespace sub0::net::testing {
namespace {

TEST(Connection, AnIdleSocketConnectionHoldsLittleMemory) {
  EXPECT_LE(sizeof(Connection) + sizeof(ws::Session), 320U);
}

TEST(Connection, ASlowReaderIsClosedWith1008AndOthersAreServed) {
  // Q-81
  TestServer server(socketOptions());
  SocketClient slow(server.port(), "/ws?uid=slow");
  SocketClient sender(server.port(), "/ws?uid=sender");
  const std::string data = "\"" + std::string(60'000, 'd') + "\"";
  bool is_closed = false;
  for (int i = 0; i < 1000 && !is_closed; ++i) {
    sender.call("notify", "n", R"({"to":"slow","data":)" + data + "}");
    is_closed = sender.text() == R"({"uid":"sender","action":"n","data":0})";
  }
  EXPECT_TRUE(is_closed);
  Frame last;
  std::size_t frames = 0;
  do {
    last = slow.frame();
    ++frames;
  } while (last.opcode == 1);
  EXPECT_EQ(last.closeCode(), 1008);
  EXPECT_NE(last.payload.find("SUB0_UNSENT_LIMIT_BYTES"), std::string::npos);
  EXPECT_GT(frames, 10U);
  slow.send(maskedFrame(0x88, "\x03\xF0"));
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) {
    return totals.closedBy(CloseReason::kSlowReader) == 1 && totals.open_connections == 1;
  }));
}

TEST(Connection, APeerThatTakesNothingIsClosed) {
  // Q-3
  Options options = socketOptions();
  options.stall_deadline_ms = 30;
  TestServer server(options);
  SocketClient slow(server.port());
  slow.call("big", "a", R"({"size":30000000})");
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) {
    return totals.closedBy(CloseReason::kSlowReader) == 1 && totals.open_connections == 0;
  }));
}

TEST(Connection, ABurstOfBroadcastsArrivesOrTheConnectionIsClosed) {
  // Q-53
  TestServer server(socketOptions());
  SocketClient receiver(server.port(), "/ws?uid=r");
  SocketClient sender(server.port());
  constexpr int kMessages = 10'000;
  std::thread burst([&] {
    std::string all;
    for (int i = 0; i < kMessages; ++i) {
      all += textFrame(
          SocketClient::envelope("notify", "n", R"({"to":"r","data":)" + std::to_string(i) + "}"));
    }
    sender.send(all);
  });
  std::thread drain([&] {
    for (int i = 0; i < kMessages; ++i) sender.text();
  });
  int next = 0;
  for (Frame frame = receiver.frame(); frame.opcode == 1; frame = receiver.frame()) {
    ASSERT_EQ(frame.payload, R"({"action":"update","data":)" + std::to_string(next) + "}");
    if (++next == kMessages) break;
  }
  burst.join();
  drain.join();
  EXPECT_TRUE(next == kMessages || server.server.totals().closedBy(CloseReason::kSlowReader) == 1);
}

TEST(Connection, PartialHeadersThenFinOrResetAreFreed) {
  // Q-32
  TestServer server(socketOptions());
  const std::string frame = maskedFrame(0x81, std::string(70'000, 'x'));
  for (std::size_t size = 1; size <= 13; ++size) {
    SocketClient fin(server.port());
    fin.send(frame.substr(0, size));
    fin.socket().shutdownSend();
    EXPECT_EQ(fin.readToEnd(), "");
    SocketClient reset(server.port());
    reset.send(frame.substr(0, size));
    reset.socket().setLinger(true, 0);
    reset.socket().close();
  }
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
}

/// An Io that takes a few bytes of each send.
class StingyIo final : public loop::test::IdleIo {
 public:
  loop::IoResult send(int, const iovec* parts, int count) override {
    std::size_t room = 1 + sends++ % 700;
    std::size_t taken = 0;
    for (int i = 0; i < count && room > 0; ++i) {
      const std::size_t size = std::min(room, parts[i].iov_len);
      sent.append(static_cast<const char*>(parts[i].iov_base), size);
      taken += size;
      room -= size;
    }
    return {loop::IoStatus::kOk, taken, 0};
  }

  std::string sent;
  std::size_t sends = 0;
};

TEST(SendQueue, KeepsTheOrderOfOwnAndSharedBytesUnderPartialSends) {
  // Q-35
  StingyIo io;
  SendQueue queue;
  std::string expected;
  for (std::size_t i = 0; i < 400; ++i) {
    const std::string own(i % 37, static_cast<char>('a' + i % 26));
    queue.tail().append(own);
    expected += own;
    if (i % 3 == 0) {
      const std::string shared(i * 13, static_cast<char>('A' + i % 26));
      queue.append(SharedBytes::make([&](std::string& out) { out = shared; }));
      expected += shared;
    }
    ASSERT_EQ(queue.bytes() + io.sent.size(), expected.size());
    std::size_t sent_bytes = 0;
    if (i % 2 == 0) queue.send(io, 0, sent_bytes);
  }
  std::size_t sent_bytes = 0;
  while (!queue.empty()) {
    if (queue.send(io, 0, sent_bytes) == loop::IoStatus::kFailed) break;
  }
  EXPECT_EQ(io.sent, expected);
}

TEST(SendQueue, TakesBackWhatWasAppendedLast) {
  SendQueue queue;
  queue.tail().append("first");
  queue.tail().append("second");
  queue.removeTail(6);
  EXPECT_EQ(queue.bytes(), 5U);
  StingyIo io;
  io.sends = 300;
  std::size_t sent_bytes = 0;
  EXPECT_EQ(queue.send(io, 0, sent_bytes), loop::IoStatus::kOk);
  EXPECT_EQ(io.sent, "first");
}

TEST(ConnectionTable, AnOldIdFindsNobodyElse) {
  TestServer server(socketOptions());
  call::Sender old;
  {
    SocketClient first(server.port());
    first.call("hold", "a", "1");
    EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.messages == 1; }));
    server.onLoop(0, [&] { old = server.dispatchers[0]->held[0].sender; });
  }
  EXPECT_TRUE(server.waitUntil([](const Totals& totals) { return totals.open_connections == 0; }));
  SocketClient second(server.port());
  server.onLoop(0, [&] {
    EXPECT_EQ(server.connection(0, old), nullptr);
    server.dispatchers[0]->releaseHeld();  // swallowed
  });
  second.call("echo", "e", "2");
  EXPECT_EQ(second.text(), R"({"uid":null,"action":"e","data":2})");
}

TEST(OptionTable, EveryRowHasASettingAndAText) {
  for (const OptionRow& row : optionTable()) {
    EXPECT_FALSE(row.setting.empty());
    EXPECT_FALSE(row.text.empty()) << row.setting;
    EXPECT_EQ(row.unit.empty(), row.member.index() != 0) << row.setting;
  }
}

}  // namespace
}  // namespace sub0::net::testing
