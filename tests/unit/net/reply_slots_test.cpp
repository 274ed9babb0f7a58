// SPDX-License-Identifier: Apache-2.0
#include "net/ws/reply_slots.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace sub0::net::ws {
namespace {

/// The rule of S-114, by looking at everything.
struct Model {
  struct Call {
    bool is_ordered;
    bool is_done = false;
    bool is_out = false;
  };
  std::vector<Call> calls;

  bool isHeldBack(std::size_t index) const {
    for (std::size_t i = 0; i < index; ++i) {
      if (calls[i].is_ordered && !calls[i].is_out) return true;
    }
    return false;
  }
  void release(std::vector<std::size_t>& out) {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (!calls[i].is_ordered || calls[i].is_out) continue;
      if (!calls[i].is_done) return;
      calls[i].is_out = true;
      out.push_back(i);
    }
  }
};

TEST(ReplySlots, OrderedRepliesGoOutInOrderHoweverTheCallsEnd) {
  // spec S-114
  std::uint32_t random = 1;
  const auto next = [&random](std::size_t bound) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % bound;
  };
  ReplySlots slots;
  Model model;
  std::vector<std::size_t> under_way;
  std::vector<std::size_t> out;
  std::vector<std::size_t> expected;
  for (int step = 0; step < 20'000; ++step) {
    if (under_way.empty() || (under_way.size() < 32 && next(2) == 0)) {
      const bool is_ordered = next(3) != 0;
      under_way.push_back(model.calls.size());
      slots.open(model.calls.size(), is_ordered);
      model.calls.push_back({is_ordered});
      continue;
    }
    // Now and then the oldest lives long.
    const std::size_t place = under_way.size() > 1 ? 1 + next(under_way.size() - 1) : 0;
    const std::size_t ended = next(100) == 0 ? under_way.front() : under_way[place];
    under_way.erase(std::find(under_way.begin(), under_way.end(), ended));
    ReplySlots::Slot* slot = slots.find(ended);
    ASSERT_NE(slot, nullptr);
    slot->is_done = true;
    Model::Call& call = model.calls[ended];
    call.is_done = true;
    const bool is_held_back = call.is_ordered && model.isHeldBack(ended);
    ASSERT_EQ(call.is_ordered && slots.isHeldBack(ended), is_held_back) << step;
    if (is_held_back) {
      slot->held = std::to_string(ended);
      slots.held_bytes += slot->held.size();
    } else {
      call.is_out = true;
    }
    slots.releaseHeld([&](const std::string& held) { out.push_back(std::stoul(held)); });
    model.release(expected);
    ASSERT_EQ(out, expected) << step;
    ASSERT_EQ(slots.hasSlots(), !under_way.empty());
    out.clear();
    expected.clear();
  }
}

}  // namespace
}  // namespace sub0::net::ws
