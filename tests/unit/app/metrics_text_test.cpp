// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_text.hpp"

#include <gtest/gtest.h>

namespace sub0::app {
namespace {

TEST(MetricsText, EachMetricHasHelpAndTypeBeforeItsSamples) {
  MetricsText out;
  out.begin("a_total", "counter", "All that came.");
  out.sample({}, std::uint64_t{7});
  out.begin("b_seconds", "gauge", "How long.");
  out.sample({{"loop", "0"}, {"kind", "x"}}, 0.25);
  EXPECT_EQ(out.take(),
            "# HELP a_total All that came.\n# TYPE a_total counter\na_total 7\n"
            "# HELP b_seconds How long.\n# TYPE b_seconds gauge\n"
            "b_seconds{loop=\"0\",kind=\"x\"} 0.25\n");
}

TEST(MetricsText, QuotesBackslashesAndLineEndsInLabelsAreEscaped) {
  MetricsText out;
  out.begin("a", "gauge", "one\ntwo \\ \"three\"");
  out.sample({{"resource", "a\"} 9\n\\b"}}, std::uint64_t{1});
  EXPECT_EQ(out.take(),
            "# HELP a one\\ntwo \\\\ \"three\"\n# TYPE a gauge\n"
            "a{resource=\"a\\\"} 9\\n\\\\b\"} 1\n");
}

TEST(MetricsText, NumbersAreWrittenWhole) {
  MetricsText out;
  out.begin("a", "gauge", "x");
  out.sample({}, std::uint64_t{18446744073709551615U});
  out.sample("_sum", {}, 1e-9);
  EXPECT_EQ(out.take(), "# HELP a x\n# TYPE a gauge\na 18446744073709551615\na_sum 1e-09\n");
}

}  // namespace
}  // namespace sub0::app
