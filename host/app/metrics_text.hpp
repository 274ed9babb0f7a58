// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sub0::app {

/// Writes the text format 0.0.4 of Prometheus: for each metric its HELP and TYPE, then its samples.
/// Escapes whatever stands in texts and labels. One thread; knows no metric.
class MetricsText {
 public:
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
  using Label = std::pair<std::string_view, std::string_view>;
  using Labels = std::initializer_list<Label>;

  /// Samples that follow are of this metric; `type` is counter, gauge or histogram.
  void begin(std::string_view name, std::string_view type, std::string_view text);
  void sample(Labels labels, std::uint64_t value) { sample({}, labels, value); }
  void sample(Labels labels, double value);
  /// Of a histogram: `suffix` is _bucket, _sum or _count.
  void sample(std::string_view suffix, Labels labels, std::uint64_t value);
  void sample(std::string_view suffix, Labels labels, double value);

  std::string take() { return std::move(out_); }

 private:
  void appendSeries(std::string_view suffix, Labels labels);

  std::string out_;
  std::string name_;
};

/// A number as short as it can be read back.
std::string shortest(double value);

}  // namespace sub0::app
