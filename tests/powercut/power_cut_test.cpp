// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "tests/powercut/seeds.hpp"
#include "tests/powercut/workload.hpp"

namespace sub0::powercut {

Seeds& seedsAsked() {
  static Seeds seeds;
  return seeds;
}

namespace {

// One database, its lives, and the cuts that end them; all of it by the seed.
class Story {
 public:
  Story(std::uint64_t seed, const Folder& folder, const Folder& aside)
      : folder_(folder), aside_(aside), chance_(seed) {}

  // Whether it is the same story each time: workload.hpp.
  bool repeatsExactly() const { return !mixes_calls_in_; }
  // What was wrong, a line each.
  std::string play() {
    constexpr Disk::Kind kKinds[] = {{512, true}, {4096, true}, {512, false}, {4096, false}};
    const Disk::Kind kind = kKinds[chance_.below(std::size(kKinds))];
    if (!chance_.oneIn(4)) {
      image_ = emptyDatabase();
      for (std::size_t i = 0; i < kSchemaStatements; ++i) {
        history_.ledger.done({Kind::kSchema, static_cast<std::int64_t>(i)}, 1);
      }
    }
    const int lives = chance_.oneIn(3) ? 2 : 1;
    for (int i = 0; i < lives && history_.errors.empty(); ++i) {
      live(kind);
      judge();
    }
    return history_.errors;
  }

 private:
  void live(const Disk::Kind& kind) {
    constexpr int kLogPages[] = {1000, 60, 8};
    Life life(folder_, image_, kind, kLogPages[chance_.below(std::size(kLogPages))]);
    Workload workload(life, history_, chance_);
    if (mixes_calls_in_) {
      workload.mixCallsIn();
    }
    const bool ends_first = chance_.oneIn(6);
    const auto operations = static_cast<std::uint64_t>(chance_.oneIn(3) ? chance_.between(1, 40)
                                                                        : chance_.between(40, 700));
    if (!ends_first) {
      life.disk().cutAt(operations);
    }
    if (life.start()) {
      if (workload.createSchema()) {
        while (life.disk().operations() < operations && history_.errors.empty()) {
          workload.step();
        }
      }
    } else if (life.disk().hasPower()) {
      history_.errors += "it does not start: " + life.host().allLogs() + "\n";
    }
    if (ends_first) {
      life.disk().cutAt(1 + chance_.below(12));  // of those that closing the file takes
    }
    life.end(history_.errors);
    life.disk().cut();
    image_ = life.disk().survivors(chance_);
  }

  // By a plain sqlite3 and on a copy: the next life has to mend the files itself.
  void judge() {
    aside_.fill(image_);
    const Contents found = readDatabase(aside_.file(kDatabaseName), history_.errors);
    history_.errors += history_.ledger.compare(found);
  }

  const Folder& folder_;
  const Folder& aside_;
  Random chance_;
  const bool mixes_calls_in_ = chance_.oneIn(2);
  Image image_;
  History history_;
};

// whatever survives of what was not synced, no write whose run had ended well is lost
TEST(PowerCut, LosesNoWriteThatWasAcknowledged) {
  const Folder folder, aside;
  const Seeds& asked = seedsAsked();
  for (std::uint64_t i = 0; i < asked.count * asked.times && !HasFailure(); ++i) {
    const std::uint64_t seed = asked.first + i / asked.times;
    Story story(seed, folder, aside);
    const std::string errors = story.play();
    if (!errors.empty() || HasFailure()) {
      ADD_FAILURE() << beginningOf(errors) << "seed " << seed << "; again: " << asked.program
                    << " --gtest_filter=PowerCut.LosesNoWriteThatWasAcknowledged --seed=" << seed
                    << (story.repeatsExactly() ? "" : " --times=100");
    }
  }
}

}  // namespace
}  // namespace sub0::powercut
