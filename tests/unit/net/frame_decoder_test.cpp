// SPDX-License-Identifier: Apache-2.0
#include "net/ws/frame_decoder.hpp"

#include <gtest/gtest.h>

#include "net/ws/frame_encoder.hpp"
#include "tests/unit/net/frame_feed.hpp"

namespace sub0::net::ws::test {
namespace {

struct FrameCase {
  const char* name;
  std::string bytes;
  Events events;
};

const std::string kEuro = "\xE2\x82\xAC";

/// Frames after which the connection goes on.
std::vector<FrameCase> goodCases() {
  const std::string long_text(300, 'x');
  return {
      {"text", clientFrame(0x81, "hello"), {"text:hello"}},
      {"empty text", clientFrame(0x81, ""), {"text:"}},
      {"125 bytes",
       clientFrame(0x81, long_text.substr(0, 125)),
       {"text:" + long_text.substr(0, 125)}},
      {"126 bytes",
       clientFrame(0x81, long_text.substr(0, 126)),
       {"text:" + long_text.substr(0, 126)}},
      {"300 bytes", clientFrame(0x81, long_text), {"text:" + long_text}},
      {"not ASCII", clientFrame(0x81, "12345678" + kEuro), {"text:12345678" + kEuro}},
      {"key of zeros", clientFrame(0x81, "zero", 0, std::string(4, '\0')), {"text:zero"}},
      {"empty ping", clientFrame(0x89, ""), {"ping:"}},
      {"ping of 125",
       clientFrame(0x89, long_text.substr(0, 125)),
       {"ping:" + long_text.substr(0, 125)}},
      {"ping that is not UTF-8", clientFrame(0x89, "\xFF\xFE"), {"ping:\xFF\xFE"}},
      {"unasked pong", clientFrame(0x8A, "p"), {"pong:p"}},
      {"two fragments", clientFrame(0x01, "he") + clientFrame(0x80, "llo"), {"text:hello"}},
      {"empty fragments",
       clientFrame(0x01, "") + clientFrame(0x00, "") + clientFrame(0x80, ""),
       {"text:"}},
      {"code point split between fragments",
       clientFrame(0x01, kEuro.substr(0, 1)) + clientFrame(0x00, kEuro.substr(1, 1)) +
           clientFrame(0x80, kEuro.substr(2)),
       {"text:" + kEuro}},
      //
      {"ping between fragments",
       clientFrame(0x01, "a") + clientFrame(0x89, "p") + clientFrame(0x00, "b") +
           clientFrame(0x8A, "q") + clientFrame(0x80, "c"),
       {"ping:p", "pong:q", "text:abc"}},
      //
      {"empty masked ping, then text",
       clientFrame(0x89, "") + clientFrame(0x81, "next"),
       {"ping:", "text:next"}},
      // the ends of each range of code points
      {"first and last code points",
       clientFrame(0x81,
                   "\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
                   "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"),
       {"text:\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"
        "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"}},
  };
}

TEST(FrameDecoder, GoodFramesGiveTheirEventsHoweverTheyAreCut) {
  //
  for (const FrameCase& test : goodCases()) {
    SCOPED_TRACE(test.name);
    expectEvents(test.bytes, test.events);
  }
}

TEST(FrameDecoder, AllGoodFramesInOneSegment) {
  //
  std::string bytes;
  Events events;
  for (const FrameCase& test : goodCases()) {
    bytes += test.bytes;
    events.insert(events.end(), test.events.begin(), test.events.end());
  }
  expectEvents(bytes, events);
}

/// Frames that end the connection, each behind all good ones too.
void expectRefusals(const std::vector<FrameCase>& cases, const FrameLimits& limits = {}) {
  std::string before;
  Events before_events;
  for (const FrameCase& test : goodCases()) {
    before += test.bytes;
    before_events.insert(before_events.end(), test.events.begin(), test.events.end());
  }
  for (const FrameCase& test : cases) {
    SCOPED_TRACE(test.name);
    const std::string behind = test.bytes + clientFrame(0x81, "never read");
    expectEvents(behind, test.events, limits);
    if (limits.max_message_bytes < 1024) continue;
    Events all = before_events;
    all.insert(all.end(), test.events.begin(), test.events.end());
    EXPECT_EQ(decodeWhole(before + behind, limits), all) << "in one segment";
  }
}

TEST(FrameDecoder, UnmaskedClientFrameIsRefused) {
  //
  expectRefusals({
      {"text", "\x81\x05hello", {"error:1002"}},
      {"empty text", std::string("\x81\x00", 2), {"error:1002"}},
      {"ping", std::string("\x89\x00", 2), {"error:1002"}},
      {"close", std::string("\x88\x02\x03\xE8", 4), {"error:1002"}},
      {"extended length", std::string("\x81\x7E\x01\x00", 4), {"error:1002"}},
  });
}

TEST(FrameDecoder, ReservedBitsAreRefused) {
  //
  for (const unsigned bits : {0x40u, 0x20u, 0x10u, 0x70u}) {
    for (const unsigned opcode : {0x1u, 0x2u, 0x8u, 0x9u, 0xAu}) {
      SCOPED_TRACE(bits + opcode);
      expectRefusals({{"", clientFrame(0x80 + bits + opcode, "x"), {"error:1002"}}});
    }
  }
  expectRefusals(
      {{"on a continuation", clientFrame(0x01, "a") + clientFrame(0xC0, "b"), {"error:1002"}}});
}

TEST(FrameDecoder, UnknownOpcodesAreRefused) {
  //
  for (const unsigned opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    SCOPED_TRACE(opcode);
    expectRefusals({{"whole", clientFrame(0x80 + opcode, "x"), {"error:1002"}},
                    {"without FIN", clientFrame(opcode, ""), {"error:1002"}},
                    {"inside a message",
                     clientFrame(0x01, "a") + clientFrame(0x80 + opcode, "x"),
                     {"error:1002"}}});
  }
}

TEST(FrameDecoder, LongOrFragmentedControlFramesAreRefused) {
  //
  const std::string long_payload(126, 'x');
  expectRefusals({
      {"ping of 126", clientFrame(0x89, long_payload), {"error:1002"}},
      {"pong of 126", clientFrame(0x8A, long_payload), {"error:1002"}},
      {"close of 126", clientFrame(0x88, long_payload), {"error:1002"}},
      {"ping with a 64-bit length", clientHeader(0x89, 5, 8), {"error:1002"}},
      {"ping without FIN", clientFrame(0x09, "x"), {"error:1002"}},
      {"pong without FIN", clientFrame(0x0A, "x"), {"error:1002"}},
      {"close without FIN", clientFrame(0x08, bigEndian(1000, 2)), {"error:1002"}},
  });
}

TEST(FrameDecoder, LengthsNotInTheirShortestFormAreRefused) {
  //
  const std::string text(125, 'x');
  expectRefusals({
      {"0 in 16 bits", clientFrame(0x81, "", 2), {"error:1002"}},
      {"125 in 16 bits", clientFrame(0x81, text, 2), {"error:1002"}},
      {"125 in 64 bits", clientFrame(0x81, text, 8), {"error:1002"}},
      {"65535 in 64 bits", clientHeader(0x81, 65535, 8), {"error:1002"}},
      {"top bit", clientHeader(0x81, std::uint64_t{1} << 63, 8), {"error:1002"}},
      {"all bits", clientHeader(0x81, ~std::uint64_t{0}, 8), {"error:1002"}},
  });
}

TEST(FrameDecoder, HugeDeclaredLengthIsRefusedFromTheHeader) {
  //
  for (const std::uint64_t length :
       {std::uint64_t{1} << 31, std::uint64_t{1} << 32, ~std::uint64_t{0} >> 1}) {
    SCOPED_TRACE(length);
    const std::string header = clientHeader(0x81, length);
    expectEvents(header.substr(0, 10), {"error:1009"});  // before the masking key
    expectRefusals({{"as a continuation",
                     clientFrame(0x01, "a") + clientHeader(0x80, length),
                     {"error:1009"}}});
    FrameDecoder decoder;
    Events events;
    feed(decoder, header, {}, events);
    EXPECT_EQ(decoder.heldBytes(), 0u);
  }
}

TEST(FrameDecoder, MemoryGrowsWithBytesReceivedNotDeclared) {
  //
  FrameDecoder decoder;
  Events events;
  feed(decoder, clientHeader(0x81, 1u << 20, 0, std::string(4, '\0')) + "some", {}, events);
  EXPECT_TRUE(events.empty());
  EXPECT_LT(decoder.heldBytes(), 4096u);
}

TEST(FrameDecoder, MessageAtTheLimitPassesAndOneByteMoreDoesNot) {
  //
  FrameLimits limits;
  limits.max_message_bytes = 200;
  for (const std::size_t size : {199u, 200u, 201u}) {
    SCOPED_TRACE(size);
    const std::string text(size, 't');
    const Events expected = size > 200 ? Events{"error:1009"} : Events{"text:" + text};
    expectEvents(clientFrame(0x81, text), expected, limits);
    expectEvents(clientFrame(0x01, text.substr(0, 100)) + clientFrame(0x00, text.substr(100, 50)) +
                     clientFrame(0x80, text.substr(150)),
                 expected, limits);
    expectEvents(clientFrame(0x01, text) + clientFrame(0x80, ""), expected, limits);
  }
}

TEST(FrameDecoder, LimitCountsEachMessageAlone) {
  //
  FrameLimits limits;
  limits.max_message_bytes = 4;
  expectEvents(clientFrame(0x01, "ab") + clientFrame(0x80, "cd") + clientFrame(0x81, "efgh") +
                   clientFrame(0x01, "ij") + clientFrame(0x80, "kl"),
               {"text:abcd", "text:efgh", "text:ijkl"}, limits);
}

TEST(FrameDecoder, OneByteFragmentsEndAtTheSizeLimit) {
  //
  FrameLimits limits;
  limits.max_message_bytes = 100;
  std::string bytes = clientFrame(0x01, "x");
  for (int index = 0; index < 100; ++index) bytes += clientFrame(0x00, "x");
  EXPECT_EQ(decodeWhole(bytes, limits), Events{"error:1009"});
  EXPECT_EQ(decodeInPieces(bytes, 1, limits), Events{"error:1009"});
}

TEST(FrameDecoder, AMessageHasAtMost1024Fragments) {
  //
  std::string bytes = clientFrame(0x01, "");
  for (int index = 0; index < 1022; ++index) bytes += clientFrame(0x00, "");
  EXPECT_EQ(decodeWhole(bytes + clientFrame(0x80, "end")), Events{"text:end"});
  EXPECT_EQ(decodeInPieces(bytes + clientFrame(0x80, "end"), 1), Events{"text:end"});
  const std::string full = bytes + clientFrame(0x00, "");
  EXPECT_EQ(decodeWhole(full), Events{});
  EXPECT_EQ(decodeWhole(full + clientFrame(0x80, "")), Events{"error:1008"});
  EXPECT_EQ(decodeInPieces(full + clientFrame(0x00, ""), 1), Events{"error:1008"});
  EXPECT_EQ(decodeWhole(full + clientFrame(0x89, "p")), Events{"ping:p"});
}

TEST(FrameDecoder, FragmentsOutOfPlaceAreRefused) {
  //
  expectRefusals({
      {"continuation without start", clientFrame(0x80, "x"), {"error:1002"}},
      {"continuation without start or FIN", clientFrame(0x00, "x"), {"error:1002"}},
      {"continuation behind a whole message",
       clientFrame(0x81, "a") + clientFrame(0x80, "b"),
       {"text:a", "error:1002"}},
      {"continuation behind a fragmented message",
       clientFrame(0x01, "a") + clientFrame(0x80, "b") + clientFrame(0x80, "c"),
       {"text:ab", "error:1002"}},
      {"new message inside a fragmented one",
       clientFrame(0x01, "a") + clientFrame(0x81, "b"),
       {"error:1002"}},
      {"new fragmented message inside one",
       clientFrame(0x01, "a") + clientFrame(0x01, "b"),
       {"error:1002"}},
  });
}

TEST(FrameDecoder, InvalidUtf8IsRefused) {
  //
  const std::vector<std::pair<const char*, std::string>> texts = {
      {"lone continuation", "a\x80"},
      {"FF", "12345678\xFF"},
      {"overlong slash", "\xC0\xAF"},
      {"overlong of three", "\xE0\x9F\xBF"},
      {"overlong of four", "\xF0\x8F\xBF\xBF"},
      {"first surrogate", "\xED\xA0\x80"},
      {"last surrogate", "\xED\xBF\xBF"},
      {"above U+10FFFF", "\xF4\x90\x80\x80"},
      {"five bytes", "\xF8\x88\x80\x80\x80"},
      {"ends inside", "ab\xE2\x82"},
      {"lead behind lead", "\xE2\xE2\x82\xAC"},
      {"behind a block of ASCII", std::string(64, 'a') + "\xC1\x81"},
  };
  for (const auto& [name, text] : texts) {
    SCOPED_TRACE(name);
    expectRefusals({{"whole", clientFrame(0x81, text), {"error:1007"}},
                    {"in two fragments",
                     clientFrame(0x01, text.substr(0, text.size() - 1)) +
                         clientFrame(0x80, text.substr(text.size() - 1)),
                     {"error:1007"}},
                    {"behind an empty fragment",
                     clientFrame(0x01, "") + clientFrame(0x80, text),
                     {"error:1007"}}});
  }
}

TEST(FrameDecoder, InvalidUtf8OfALongMessageIsRefusedAtItsFirstBadByte) {
  //
  const std::string text = std::string(5000, 'a') + "\xED\xA0\x80" + std::string(500000, 'b');
  const std::string bytes = clientFrame(0x81, text);
  const std::size_t bad_byte = clientHeader(0x81, text.size()).size() + 5001;
  FrameDecoder decoder;
  Events events;
  feed(decoder, std::string_view(bytes).substr(0, bad_byte), {}, events);
  EXPECT_TRUE(events.empty());
  feed(decoder, std::string_view(bytes).substr(bad_byte, 1), {}, events);
  EXPECT_EQ(events, Events{"error:1007"});
}

TEST(FrameDecoder, CloseCodesAreJudged) {
  //
  for (const unsigned code :
       {0u, 1u, 999u, 1004u, 1005u, 1006u, 1015u, 1016u, 1100u, 2000u, 2999u, 5000u, 65535u}) {
    SCOPED_TRACE(code);
    expectRefusals({{"refused", closeFrame(code), {"error:1002"}}});
  }
  for (const unsigned code : {1000u, 1001u, 1002u, 1003u, 1007u, 1008u, 1009u, 1010u, 1011u, 1012u,
                              1013u, 1014u, 3000u, 3999u, 4000u, 4999u}) {
    SCOPED_TRACE(code);
    expectRefusals(
        {{"accepted", closeFrame(code, "bye"), {"close:" + std::to_string(code) + ":bye"}}});
  }
}

TEST(FrameDecoder, CloseBodiesAreJudged) {
  //
  const std::string reason(123, 'r');
  expectRefusals({
      {"no body", clientFrame(0x88, ""), {"close:0:"}},
      {"one byte", clientFrame(0x88, "\x03"), {"error:1002"}},
      {"reason of 123 bytes", closeFrame(1000, reason), {"close:1000:" + reason}},
      {"reason not ASCII", closeFrame(1000, kEuro), {"close:1000:" + kEuro}},
      {"reason is no UTF-8", closeFrame(1000, "\xFF"), {"error:1007"}},
      {"reason ends inside", closeFrame(1000, kEuro.substr(0, 2)), {"error:1007"}},
      {"inside a message", clientFrame(0x01, "a") + closeFrame(1001), {"close:1001:"}},
  });
}

TEST(FrameDecoder, DataBehindACloseFrameIsIgnored) {
  //
  expectEvents(closeFrame(1000) + clientFrame(0x81, "x") + "\xFF\xFF garbage", {"close:1000:"});
}

TEST(FrameDecoder, BinaryMessageIsRefusedUnlessAccepted) {
  //
  expectRefusals({
      {"whole", clientFrame(0x82, "x"), {"error:1003"}},
      {"in fragments", clientFrame(0x02, "x") + clientFrame(0x80, "y"), {"error:1003"}},
      {"from its first byte", "\x82", {"error:1003"}},
  });
  FrameLimits limits;
  limits.accept_binary = true;
  expectEvents(clientFrame(0x82, "\xFF") + clientFrame(0x02, "\xFE") + clientFrame(0x80, "\x80"),
               {"binary:\xFF", "binary:\xFE\x80"}, limits);
}

TEST(FrameDecoder, ThreeMessagesBackToBackCutAtEveryPlace) {
  //
  const std::string first(1331, 'a');
  const std::string second(5120, 'b');
  const std::string third(200, 'c');
  const std::string bytes =
      clientFrame(0x81, first) + clientFrame(0x81, second) + clientFrame(0x81, third);
  const Events expected{"text:" + first, "text:" + second, "text:" + third};
  EXPECT_EQ(decodeWhole(bytes), expected);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    ASSERT_EQ(decodeCutAt(bytes, cut), expected) << cut;
  }
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 1024u, 1500u}) {
    EXPECT_EQ(decodeInPieces(bytes, piece), expected) << piece;
  }
}

TEST(FrameDecoder, TenThousandMessagesInOneSegmentAndOneInTenThousand) {
  //
  std::string bytes;
  for (int index = 0; index < 10000; ++index) bytes += clientFrame(0x81, "m");
  EXPECT_EQ(decodeWhole(bytes), Events(10000, "text:m"));
  const std::string text(9990, 't');
  EXPECT_EQ(decodeInPieces(clientFrame(0x81, text), 1), Events{"text:" + text});
}

TEST(FrameDecoder, WholeMessagesAreHandedOutInPlaceAndKeepNothing) {
  FrameDecoder decoder;
  std::string bytes = clientFrame(0x81, "first") + clientFrame(0x81, "second");
  const std::size_t size = bytes.size();
  bytes.append(kSpareBytes, ' ');
  std::span<char> input(bytes.data(), size);
  Message message;
  ASSERT_EQ(decoder.next(input, {}, message), FrameEvent::kText);
  EXPECT_EQ(message.payload.data(), bytes.data() + 6);
  EXPECT_EQ(decoder.heldBytes(), 0u);
  ASSERT_EQ(decoder.next(input, {}, message), FrameEvent::kText);
  EXPECT_EQ(decoder.heldBytes(), 0u);
  EXPECT_EQ(decoder.next(input, {}, message), FrameEvent::kNeedMore);
  EXPECT_LE(sizeof(FrameDecoder), 32u);
}

TEST(FrameDecoder, NothingIsHeldBetweenMessages) {
  FrameDecoder decoder;
  Events events;
  const std::string bytes = clientFrame(0x01, "a") + clientFrame(0x80, "b");
  feed(decoder, std::string_view(bytes).substr(0, 9), {}, events);
  EXPECT_TRUE(decoder.isInsideMessage());
  EXPECT_GT(decoder.heldBytes(), 0u);
  feed(decoder, std::string_view(bytes).substr(9), {}, events);
  EXPECT_EQ(events, Events{"text:ab"});
  EXPECT_FALSE(decoder.isInsideMessage());
  EXPECT_EQ(decoder.heldBytes(), 0u);
}

TEST(FrameDecoder, ASingleHeaderByteCountsAsBegun) {
  //
  for (std::size_t size = 1; size <= 13; ++size) {
    FrameDecoder decoder;
    Events events;
    feed(decoder, std::string_view(clientHeader(0x81, 70000)).substr(0, size), {}, events);
    EXPECT_TRUE(events.empty());
    EXPECT_TRUE(decoder.isInsideMessage()) << size;
  }
}

TEST(FrameDecoder, UnmaskGivesTheBytesBackAtEveryLength) {
  for (std::size_t size = 0; size < 100; ++size) {
    std::string plain;
    for (std::size_t index = 0; index < size; ++index) {
      plain.push_back(static_cast<char>(index % 128));
    }
    const std::string frame = clientFrame(0x82, plain);
    std::string masked = frame.substr(frame.size() - size);
    std::uint32_t key;
    std::memcpy(&key, "\x37\xFA\x21\x3D", 4);
    EXPECT_TRUE(unmask({masked.data(), masked.size()}, key)) << size;
    EXPECT_EQ(masked, plain) << size;
    for (std::size_t place = 0; place < size; ++place) {
      std::string not_ascii = plain;
      not_ascii[place] = static_cast<char>(not_ascii[place] | 0x80);
      const std::string other = clientFrame(0x82, not_ascii);
      masked = other.substr(other.size() - size);
      ASSERT_FALSE(unmask({masked.data(), masked.size()}, key)) << size << " " << place;
      ASSERT_EQ(masked, not_ascii);
    }
  }
}

TEST(FrameEncoder, HeadersHaveTheShortestLength) {
  //
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, std::string("\x81\x00", 2)},
      {125, "\x81\x7D"},
      {126, std::string("\x81\x7E\x00\x7E", 4)},
      {65535, "\x81\x7E\xFF\xFF"},
      {65536, std::string("\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10)},
  };
  for (const auto& [size, expected] : cases) {
    char header[kMaxHeaderBytes];
    EXPECT_EQ(std::string(header, writeHeader(header, Opcode::kText, size)), expected);
    EXPECT_EQ(headerBytes(size), expected.size());
  }
}

TEST(FrameEncoder, ControlFrames) {
  std::string out;
  appendFrame(out, Opcode::kPong, "p");
  appendClose(out, 1000, "bye");
  appendClose(out, 0, "ignored");
  EXPECT_EQ(out, std::string("\x8A\x01p\x88\x05\x03\xE8"
                             "bye\x88\x00",
                             12));
}

TEST(FrameEncoder, LongCloseReasonIsCutBetweenCodePoints) {
  const std::string reason = std::string(122, 'r') + kEuro;
  EXPECT_EQ(closePayload(1008, reason), "\x03\xF0" + std::string(122, 'r'));
}

}  // namespace
}  // namespace sub0::net::ws::test
