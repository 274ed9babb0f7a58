// SPDX-License-Identifier: Apache-2.0
#include "app/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

namespace sub0::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

bool endsWith(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

constexpr std::string_view kTableBegin = "| name | type | labels | meaning |\n|---|---|---|---|\n";

std::string table() {
  std::string rows;
  for (const MetricDeclaration& metric : allMetrics()) {
    rows += "| `" + metric.name + "` | " + metric.type + " | " + metric.labels + " | " +
            metric.text + " |\n";
  }
  return rows;
}

/// The table of docs/metrics.md is made from the declarations: UPDATE_EXPECT=1 rewrites it.
TEST(Metrics, TheReferenceTellsAllOfThem) {
  const std::string path = SUB0_SOURCE_DIR "/docs/metrics.md";
  std::ifstream file(path);
  std::string text(std::istreambuf_iterator<char>(file), {});
  const auto begin = text.find(kTableBegin);
  ASSERT_NE(begin, std::string::npos) << path;
  const auto rows = begin + kTableBegin.size();
  const auto end = std::min(text.find("\n\n", rows), text.size() - 1) + 1;
  if (std::getenv("UPDATE_EXPECT") != nullptr) {
    text.replace(rows, end - rows, table());
    std::ofstream(path) << text;
    return;
  }
  EXPECT_EQ(text.substr(rows, end - rows), table());
}

TEST(Metrics, NamesSayUnitAndKindAndAreThereOnce) {
  std::set<std::string> names;
  for (const MetricDeclaration& metric : allMetrics()) {
    SCOPED_TRACE(metric.name);
    EXPECT_TRUE(names.insert(metric.name).second);
    EXPECT_TRUE(metric.name.rfind("sub0_", 0) == 0 || metric.name.rfind("process_", 0) == 0);
    EXPECT_EQ(metric.type == "counter", endsWith(metric.name, "_total"));
    EXPECT_EQ(metric.name.find("_ms"), std::string::npos);
    EXPECT_FALSE(metric.text.empty());
  }
}

TEST(Metrics, EveryMetricIsOnThePageOfAnEmptyHost) {
  const std::string page = metricsPage({});
  for (const MetricDeclaration& metric : allMetrics()) {
    EXPECT_THAT(page, HasSubstr("# TYPE " + metric.name + " " + metric.type + "\n"));
  }
}

TEST(Metrics, CallsAreShownByResourceAndCode) {
  MetricsSnapshot snapshot;
  snapshot.resources["idle"];
  call::ResourceCounts counts;
  counts.add(Code::kOk, 0);
  counts.add(Code::kOk, 30'000'000);
  counts.add(Code::kTimeout, 20'000'000'000);
  snapshot.resources["busy"].add(counts);
  const std::string page = metricsPage(snapshot);
  EXPECT_THAT(page, HasSubstr("\nsub0_calls_total{resource=\"busy\",code=\"ok\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_calls_total{resource=\"busy\",code=\"timeout\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_calls_total{resource=\"idle\",code=\"ok\"} 0\n"));
  EXPECT_THAT(page, Not(HasSubstr("resource=\"idle\",code=\"timeout\"")));
  const auto bucket = [&page](const std::string& bound) {
    const std::string series =
        "\nsub0_call_duration_seconds_bucket{resource=\"busy\",le=\"" + bound + "\"} ";
    const auto place = page.find(series);
    return place == std::string::npos ? '-' : page[place + series.size()];
  };
  EXPECT_EQ(bucket("0.001"), '1');
  EXPECT_EQ(bucket("0.025"), '1');
  EXPECT_EQ(bucket("0.1"), '2');
  EXPECT_EQ(bucket("10"), '2');
  EXPECT_EQ(bucket("+Inf"), '3');
  EXPECT_THAT(page, HasSubstr("\nsub0_call_duration_seconds_sum{resource=\"busy\"} 20.03\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_call_duration_seconds_count{resource=\"busy\"} 3\n"));
}

TEST(Metrics, HashesAreShownByWhatBecameOfThem) {
  MetricsSnapshot snapshot;
  call::HashCounts counts;
  counts.add(200'000'000);
  counts.add(2'000'000);
  counts.refused.add(3);
  counts.abandoned.add();
  snapshot.hashes.add(counts);
  snapshot.hashes.add(counts);
  snapshot.hashes_waiting = 5;
  const std::string page = metricsPage(snapshot);
  EXPECT_THAT(page, HasSubstr("\nsub0_hashes_total{result=\"done\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hashes_total{result=\"refused\"} 6\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hashes_total{result=\"abandoned\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hashes_waiting 5\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hash_duration_seconds_bucket{le=\"0.005\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hash_duration_seconds_bucket{le=\"0.5\"} 4\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hash_duration_seconds_sum 0.404\n"));
  EXPECT_THAT(page, HasSubstr("\nsub0_hash_duration_seconds_count 4\n"));
}

TEST(Metrics, ADurationOnABoundIsWithinIt) {
  call::ResourceCounts counts;
  counts.add(Code::kOk, 1'000'000);
  counts.add(Code::kOk, 1'000'001);
  EXPECT_EQ(counts.durations[0].get(), 1U);
  EXPECT_EQ(counts.durations[1].get(), 1U);
}

TEST(Metrics, MoreSocketsThanConnectionsAreNeverShownAsNegative) {
  MetricsSnapshot snapshot;  // counters are read one after the other while they go on
  snapshot.net.open_connections = 1;
  snapshot.net.open_sockets = 2;
  EXPECT_THAT(metricsPage(snapshot), HasSubstr("\nsub0_connections{kind=\"http\"} 0\n"));
}

}  // namespace
}  // namespace sub0::app
