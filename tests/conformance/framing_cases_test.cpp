// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "tests/conformance/echo_peer.hpp"
#include "tests/conformance/echo_session.hpp"
#include "tests/unit/net/connection_harness.hpp"
#include "tests/unit/net/frame_feed.hpp"

// What a client may probe of RFC 6455, by group: 1 framing, 2 pings and pongs, 3 reserved bits,
// 4 opcodes, 5 fragments, 6 UTF-8, 7 closing, 9 sizes, 10 sending in pieces. Every case runs
// against an EchoPeer whole, in pieces of several sizes, and (short ones) cut at every byte, and
// against an echo server on a socket.
namespace sub0::conformance {
namespace {

using net::ws::test::bigEndian;
using net::ws::test::clientFrame;
using net::ws::test::clientHeader;
using net::ws::test::closeFrame;

using Frames = std::vector<ServerFrame>;

struct Case {
  std::string name;
  std::string bytes;
  Frames expected;
};

ServerFrame text(std::string payload) { return {1, std::move(payload)}; }
ServerFrame binary(std::string payload) { return {2, std::move(payload)}; }
ServerFrame pong(std::string payload) { return {10, std::move(payload)}; }

/// A close frame; of its payload only the code counts.
ServerFrame closed(unsigned code) { return {8, code == 0 ? std::string() : bigEndian(code, 2)}; }

Frames framesOf(const EchoPeer& peer) {
  Frames frames;
  EXPECT_TRUE(readServerFrames(peer.sent(), frames));
  for (ServerFrame& frame : frames) {
    if (frame.opcode == 8) frame.payload.resize(std::min<std::size_t>(frame.payload.size(), 2));
  }
  return frames;
}

Frames runInPieces(std::string_view bytes, std::size_t piece_bytes) {
  EchoPeer peer;
  for (std::size_t index = 0; index < bytes.size(); index += piece_bytes) {
    peer.receive(bytes.substr(index, piece_bytes));
  }
  return framesOf(peer);
}

/// A server on the host's own connections; one for all cases.
net::testing::TestServer& echoServer() {
  static const auto kServer = [] {
    net::Options options = net::testing::socketOptions();
    options.max_address_connections = 0;
    auto server = std::make_unique<net::testing::TestServer>(options);
    server->onLoop(0, [&server] { server->server.services(0).make_session = &EchoSession::make; });
    return server;
  }();
  return *kServer;
}

/// All frames of a connection that sends `bytes`, then a close.
Frames runOnSocket(std::string_view bytes) {
  net::testing::SocketClient client(echoServer().port());
  std::thread sender([&] {
    client.send(bytes);
    client.send(closeFrame(1000));
  });
  Frames frames;
  EXPECT_TRUE(readServerFrames(client.readToEnd(), frames));
  sender.join();
  for (ServerFrame& frame : frames) {
    if (frame.opcode == 8) frame.payload.resize(std::min<std::size_t>(frame.payload.size(), 2));
  }
  return frames;
}

void run(const Case& test) {
  SCOPED_TRACE(test.name);
  const std::size_t size = test.bytes.size();
  ASSERT_EQ(runInPieces(test.bytes, size + 1), test.expected) << "whole";
  Frames on_socket = test.expected;
  if (on_socket.back().opcode != 8) on_socket.push_back(closed(1000));
  ASSERT_EQ(runOnSocket(test.bytes), on_socket) << "on a socket";
  for (const std::size_t piece : {1u, 2u, 64u, 997u, 65536u}) {
    if (size / piece > 20000) continue;
    ASSERT_EQ(runInPieces(test.bytes, piece), test.expected) << "in pieces of " << piece;
  }
  for (std::size_t cut = 1; size < 1000 && cut < size; ++cut) {
    EchoPeer peer;
    peer.receive(std::string_view(test.bytes).substr(0, cut));
    peer.receive(std::string_view(test.bytes).substr(cut));
    ASSERT_EQ(framesOf(peer), test.expected) << "cut at " << cut;
  }
}

void runAll(const std::vector<Case>& cases) {
  for (const Case& test : cases) run(test);
}

const std::string kBye = closeFrame(1000);

TEST(Conformance, Group1MessagesOfEverySizeClassAreEchoed) {
  //
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 128u, 65535u, 65536u}) {
    const std::string letters(size, '*');
    const std::string bytes(size, '\xFE');
    const std::string number = std::to_string(size);
    runAll(
        {{"text of " + number, clientFrame(0x81, letters) + kBye, {text(letters), closed(1000)}},
         {"binary of " + number, clientFrame(0x82, bytes) + kBye, {binary(bytes), closed(1000)}}});
  }
}

TEST(Conformance, Group2PingsAreAnsweredWithTheirPayload) {
  //
  const std::string longest(125, '\xFE');
  std::string ten;
  Frames ten_pongs;
  for (int index = 0; index < 10; ++index) {
    ten += clientFrame(0x89, "ping " + std::to_string(index));
    ten_pongs.push_back(pong("ping " + std::to_string(index)));
  }
  runAll({
      {"empty", clientFrame(0x89, ""), {pong("")}},
      {"letters", clientFrame(0x89, "hello"), {pong("hello")}},
      {"bytes",
       clientFrame(0x89, std::string("\x00\xFF\xFE\xFD", 4)),
       {pong(std::string("\x00\xFF\xFE\xFD", 4))}},
      {"125 bytes", clientFrame(0x89, longest), {pong(longest)}},
      {"126 bytes", clientFrame(0x89, longest + "x"), {closed(1002)}},
      {"unasked pong", clientFrame(0x8A, "") + kBye, {closed(1000)}},
      {"unasked pong with payload, then ping",
       clientFrame(0x8A, "x") + clientFrame(0x89, "y"),
       {pong("y")}},
      {"ten", ten, ten_pongs},
  });
}

TEST(Conformance, Group3ReservedBitsFail) {
  //
  for (unsigned bits = 1; bits < 8; ++bits) {
    for (const unsigned opcode : {1u, 2u, 8u, 9u, 10u}) {
      run({"bits " + std::to_string(bits) + " on opcode " + std::to_string(opcode),
           clientFrame(0x81, "before") +
               clientFrame(0x80 | bits << 4 | opcode, opcode == 8 ? "" : "x") +
               clientFrame(0x89, "after"),
           {text("before"), closed(1002)}});
    }
  }
}

TEST(Conformance, Group4UnknownOpcodesFail) {
  //
  for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    const std::string number = std::to_string(opcode);
    runAll({{"first, " + number, clientFrame(0x80 | opcode, ""), {closed(1002)}},
            {"with payload, " + number,
             clientFrame(0x81, "before") + clientFrame(0x80 | opcode, "x") + clientFrame(0x89, ""),
             {text("before"), closed(1002)}}});
  }
}

TEST(Conformance, Group5Fragments) {
  //
  const std::string start = clientFrame(0x01, "frag1");
  const std::string middle = clientFrame(0x00, "frag2");
  const std::string end = clientFrame(0x80, "frag3");
  const Frames whole = {text("frag1frag2frag3")};
  runAll({
      {"ping without FIN", clientFrame(0x09, "frag1") + end, {closed(1002)}},
      {"pong without FIN", clientFrame(0x0A, "frag1") + end, {closed(1002)}},
      {"close without FIN", clientFrame(0x08, "") + end, {closed(1002)}},
      {"two", start + end, {text("frag1frag3")}},
      {"three", start + middle + end, whole},
      {"binary", clientFrame(0x02, "\xFF") + clientFrame(0x80, "\xFE"), {binary("\xFF\xFE")}},
      {"ping between",
       start + clientFrame(0x89, "p") + middle + end,
       {pong("p"), text("frag1frag2frag3")}},
      {"pong between", start + clientFrame(0x8A, "p") + middle + end, whole},
      {"pings everywhere",
       clientFrame(0x89, "0") + start + clientFrame(0x89, "1") + middle + clientFrame(0x89, "2") +
           end + clientFrame(0x89, "3"),
       {pong("0"), pong("1"), pong("2"), text("frag1frag2frag3"), pong("3")}},
      {"continuation with FIN and no start", end + start, {closed(1002)}},
      {"continuation without FIN and no start", middle + end, {closed(1002)}},
      {"continuation behind a message", start + end + middle, {text("frag1frag3"), closed(1002)}},
      {"continuation behind a whole message",
       clientFrame(0x81, "a") + end,
       {text("a"), closed(1002)}},
      {"text inside fragments", start + clientFrame(0x81, "x"), {closed(1002)}},
      {"binary inside fragments", start + clientFrame(0x82, "x"), {closed(1002)}},
      {"start inside fragments", start + start, {closed(1002)}},
      {"close inside fragments", start + kBye, {closed(1000)}},
      {"all empty",
       clientFrame(0x01, "") + clientFrame(0x00, "") + clientFrame(0x80, ""),
       {text("")}},
      {"only the middle has bytes",
       clientFrame(0x01, "") + middle + clientFrame(0x80, ""),
       {text("frag2")}},
  });
}

struct Text {
  const char* name;
  std::string bytes;
  bool is_valid;
};

std::vector<Text> texts() {
  return {
      {"mixed scripts", "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0\xC3\xA1-UTF-8!!",
       true},
      {"Greek", "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", true},
      {"NUL is a character", std::string("a\0b", 3), true},
      {"first of two bytes", "\xC2\x80", true},
      {"last of two bytes", "\xDF\xBF", true},
      {"first of three bytes", "\xE0\xA0\x80", true},
      {"last before the surrogates", "\xED\x9F\xBF", true},
      {"first behind the surrogates", "\xEE\x80\x80", true},
      {"replacement character", "\xEF\xBF\xBD", true},
      {"non-characters are allowed", "\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xB7\x90", true},
      {"first of four bytes", "\xF0\x90\x80\x80", true},
      {"last code point", "\xF4\x8F\xBF\xBF", true},
      {"non-character of plane 1", "\xF0\x9F\xBF\xBE", true},
      {"above the last", "\xF4\x90\x80\x80", false},
      {"F5", "\xF5\x80\x80\x80", false},
      {"five bytes", "\xF8\x88\x80\x80\x80", false},
      {"six bytes", "\xFC\x84\x80\x80\x80\x80", false},
      {"FE", "\xFE", false},
      {"FF", "\xFF", false},
      {"FE FE FF FF", "\xFE\xFE\xFF\xFF", false},
      {"lone continuations", "\x80\xBF\x80", false},
      {"lead without continuation", "\xC3 ", false},
      {"three bytes, last missing", "\xE2\x82 ", false},
      {"four bytes, last missing", "\xF0\x9F\x98 ", false},
      {"ends behind a lead of four", "a\xF0", false},
      {"ends one byte short", "a\xF0\x9F\x98", false},
      {"overlong of two", "\xC0\xAF", false},
      {"overlong of two, last", "\xC1\xBF", false},
      {"overlong of three", "\xE0\x80\xAF", false},
      {"overlong of three, last", "\xE0\x9F\xBF", false},
      {"overlong of four", "\xF0\x80\x80\xAF", false},
      {"overlong of four, last", "\xF0\x8F\xBF\xBF", false},
      {"overlong NUL", "\xC0\x80", false},
      {"first high surrogate", "\xED\xA0\x80", false},
      {"last high surrogate", "\xED\xAF\xBF", false},
      {"first low surrogate", "\xED\xB0\x80", false},
      {"last low surrogate", "\xED\xBF\xBF", false},
      {"pair of surrogates", "\xED\xA0\x80\xED\xB0\x80", false},
      {"surrogate inside a text", "\xCE\xBA\xE1\xBD\xB9\xED\xA0\x80 edited", false},
  };
}

std::string utf8(std::uint32_t code) {
  const auto tail = [code](int shift) {
    return static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  const auto lead = [code](std::uint32_t mark, int shift) {
    return static_cast<char>(mark | code >> shift);
  };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {lead(0xC0, 6), tail(0)};
  if (code < 0x10000) return {lead(0xE0, 12), tail(6), tail(0)};
  return {lead(0xF0, 18), tail(12), tail(6), tail(0)};
}

/// Whole families of texts, by rule.
std::vector<Text> families() {
  std::vector<Text> rows;
  const std::string greek = "\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";
  const std::vector<std::size_t> whole = {2, 5, 7, 9, 11};  // ends of its characters
  for (std::size_t size = 1; size <= greek.size(); ++size) {
    const bool is_whole = std::find(whole.begin(), whole.end(), size) != whole.end();
    rows.push_back({"cut behind any byte", greek.substr(0, size), is_whole});
  }
  for (unsigned lead = 0xC0; lead < 0x100; ++lead) {
    rows.push_back({"lead alone", std::string(1, static_cast<char>(lead)) + " ", false});
  }
  std::string continuations;
  for (unsigned byte = 0x80; byte < 0xC0; ++byte) {
    continuations.push_back(static_cast<char>(byte));
    rows.push_back({"continuations alone", continuations, false});
  }
  std::string incomplete;
  for (const char* start :
       {"\xC3", "\xE2\x82", "\xF0\x9F\x98", "\xDF", "\xEF\xBF", "\xF7\xBF\xBF"}) {
    incomplete += start;
    rows.push_back({"incomplete ones in a row", incomplete + " ", false});
  }
  for (std::uint32_t plane = 0; plane <= 16; ++plane) {
    for (const std::uint32_t last : {0xFFFEU, 0xFFFFU}) {
      rows.push_back({"non-character of a plane", utf8(plane << 16 | last), true});
    }
  }
  for (std::uint32_t code = 0xFFF9; code <= 0xFFFD; ++code) {
    rows.push_back({"special", utf8(code), true});
  }
  for (const std::uint32_t code :
       {0x0U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    rows.push_back({"border of a length", utf8(code), true});
  }
  return rows;
}

TEST(Conformance, Group6FamiliesOfTexts) {
  //
  for (const Text& sample : families()) {
    SCOPED_TRACE(sample.name);
    const Frames expected = {sample.is_valid ? text(sample.bytes) : closed(1007)};
    run({"whole", clientFrame(0x81, sample.bytes), expected});
    const std::size_t half = sample.bytes.size() / 2;
    run({"two fragments",
         clientFrame(0x01, sample.bytes.substr(0, half)) +
             clientFrame(0x80, sample.bytes.substr(half)),
         expected});
  }
}

TEST(Conformance, Group6TextIsUtf8) {
  //
  for (const Text& sample : texts()) {
    SCOPED_TRACE(sample.name);
    const Frames expected = {sample.is_valid ? text(sample.bytes) : closed(1007)};
    run({"whole", clientFrame(0x81, sample.bytes), expected});
    std::string bytewise = clientFrame(0x01, "");
    for (const char c : sample.bytes) bytewise += clientFrame(0x00, std::string(1, c));
    run({"a fragment per byte", bytewise + clientFrame(0x80, ""), expected});
    const std::size_t half = sample.bytes.size() / 2;
    run({"two fragments with a ping between",
         clientFrame(0x01, "") + clientFrame(0x00, sample.bytes.substr(0, half)) +
             clientFrame(0x80, sample.bytes.substr(half)),
         expected});
    run({"binary is not looked at", clientFrame(0x82, sample.bytes), {binary(sample.bytes)}});
  }
}

TEST(Conformance, Group6BadTextFailsBeforeItIsComplete) {
  //
  for (const Text& sample : texts()) {
    if (sample.is_valid || sample.bytes.back() == '\x98' || sample.bytes.back() == '\xF0') continue;
    EchoPeer peer;
    peer.receive(clientFrame(0x01, "\xCE\xBA" + sample.bytes));
    EXPECT_EQ(framesOf(peer), Frames{closed(1007)}) << sample.name;
    EchoPeer other;
    const std::string frame = clientFrame(0x81, sample.bytes + std::string(1000, ' '));
    other.receive(std::string_view(frame).substr(0, 8 + sample.bytes.size()));
    EXPECT_EQ(framesOf(other), Frames{closed(1007)}) << sample.name;
  }
}

TEST(Conformance, Group7Closing) {
  //
  runAll({
      {"normal", clientFrame(0x81, "a") + kBye, {text("a"), closed(1000)}},
      {"twice", kBye + kBye, {closed(1000)}},
      {"ping behind", kBye + clientFrame(0x89, ""), {closed(1000)}},
      {"text behind", kBye + clientFrame(0x81, "late"), {closed(1000)}},
      {"message begun before, ended behind",
       clientFrame(0x01, "a") + kBye + clientFrame(0x80, "b"),
       {closed(1000)}},
      {"large message, then close",
       clientFrame(0x81, std::string(262144, 'b')) + kBye,
       {text(std::string(262144, 'b')), closed(1000)}},
      {"empty", clientFrame(0x88, ""), {closed(0)}},
      {"one byte", clientFrame(0x88, "a"), {closed(1002)}},
      {"code alone", closeFrame(1000), {closed(1000)}},
      {"with reason", closeFrame(1000, "goodbye"), {closed(1000)}},
      {"longest reason", closeFrame(1000, std::string(123, '*')), {closed(1000)}},
      {"reason too long", closeFrame(1000, std::string(124, '*')), {closed(1002)}},
      {"reason is no UTF-8", closeFrame(1000, "\xCE\xBA\xED\xA0\x80"), {closed(1007)}},
  });
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u,
                              1013u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
    run({"code " + std::to_string(code), closeFrame(code), {closed(code)}});
  }
  for (const unsigned code :
       {0u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    run({"code " + std::to_string(code), closeFrame(code), {closed(1002)}});
  }
}

TEST(Conformance, Group9LargeMessages) {
  //
  for (const std::size_t size : {64u << 10, 256u << 10, 1u << 20, 4u << 20}) {
    const std::string letters(size, '*');
    std::string in_fragments;
    const std::size_t fragment = size / 64;
    for (std::size_t index = 0; index < size; index += fragment) {
      const unsigned opcode = index == 0 ? 2u : 0u;
      in_fragments += clientFrame(opcode, letters.substr(index, fragment));
    }
    in_fragments += clientFrame(0x80, "");
    runAll({{"text", clientFrame(0x81, letters), {text(letters)}},
            {"binary in fragments", in_fragments, {binary(letters)}}});
  }
  EchoPeer peer;
  peer.receive(clientHeader(0x82, 64u << 20));
  EXPECT_EQ(framesOf(peer), Frames{closed(1009)});
  EXPECT_EQ(peer.heldBytes(), 0u);
}

TEST(Conformance, Group9UpTo16MiBWholeAndInFragments) {
  //
  for (const std::size_t size : {8U << 20, 16U << 20}) {
    const std::string letters(size, '*');
    ASSERT_EQ(runInPieces(clientFrame(0x81, letters), 65536), Frames{text(letters)});
    ASSERT_EQ(runInPieces(clientFrame(0x82, letters), 65536), Frames{binary(letters)});
  }
  const std::string letters(4U << 20, '*');
  for (std::size_t fragment = 64; fragment <= letters.size(); fragment *= 4) {
    std::string bytes;
    for (std::size_t at = 0; at < letters.size(); at += fragment) {
      const unsigned fin = at + fragment >= letters.size() ? 0x80 : 0;
      bytes += clientFrame(fin | (at == 0 ? 1U : 0U), letters.substr(at, fragment));
    }
    ASSERT_EQ(runInPieces(bytes, 65536), Frames{text(letters)}) << fragment;
  }
}

TEST(Conformance, Group9MessagesInPiecesOfEverySize) {
  //
  const std::string letters(1U << 20, '*');
  for (const std::size_t piece : {64U, 128U, 256U, 512U, 1024U, 2048U}) {
    ASSERT_EQ(runInPieces(clientFrame(0x81, letters), piece), Frames{text(letters)}) << piece;
    ASSERT_EQ(runInPieces(clientFrame(0x82, letters), piece), Frames{binary(letters)}) << piece;
  }
}

TEST(Conformance, Group10FragmentsOf1300Bytes) {
  //
  const std::string letters(65536, '*');
  std::string bytes;
  for (std::size_t at = 0; at < letters.size(); at += 1300) {
    const unsigned fin = at + 1300 >= letters.size() ? 0x80 : 0;
    bytes += clientFrame(fin | (at == 0 ? 1U : 0U), letters.substr(at, 1300));
  }
  run({"fragments", bytes, {text(letters)}});
}

TEST(Conformance, Group10MessageInSmallReads) {
  //
  const std::string letters(65536, '*');
  const std::string bytes = clientFrame(0x81, letters);
  for (const std::size_t piece : {1u, 3u, 1300u}) {
    EXPECT_EQ(runInPieces(bytes, piece), Frames{text(letters)}) << piece;
  }
}

TEST(Conformance, AThousandMessagesComeBackInOrder) {
  //
  std::string bytes;
  Frames expected;
  for (unsigned index = 0; index < 1000; ++index) {
    const std::string payload = std::to_string(index) + std::string(index % 300, '.');
    bytes += clientFrame(index % 2 == 0 ? 0x81 : 0x82, payload);
    expected.push_back(index % 2 == 0 ? text(payload) : binary(payload));
  }
  run({"a thousand", bytes, expected});
}

}  // namespace
}  // namespace sub0::conformance
