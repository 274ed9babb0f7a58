// SPDX-License-Identifier: Apache-2.0
#include "dialect/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <utility>

namespace sub0::dialect {

namespace {

constexpr std::size_t kMaxSourceBytes = 1000;
// Steps of the program, each of which may cost something at each byte of a hostile text.
constexpr int kMaxProgramSize = 2000;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 20;

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxBytes);
  return options;
}

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct Pattern::Engine {
  explicit Engine(std::string_view source) : text(source), expression(piece(source), options()) {}

  std::string text;
  RE2 expression;
  std::uint64_t size = 0;
};

Pattern::Pattern(std::unique_ptr<const Engine> engine) : engine_(std::move(engine)) {}
Pattern::~Pattern() = default;

std::shared_ptr<const Pattern> Pattern::compile(std::string_view source, std::string& problem) {
  if (source.size() > kMaxSourceBytes) {
    problem = "longer than " + std::to_string(kMaxSourceBytes) + " bytes";
    return nullptr;
  }
  auto engine = std::make_unique<Engine>(source);
  if (!engine->expression.ok()) {
    problem = engine->expression.error();
    return nullptr;
  }
  // The reverse program too, which would otherwise be made by the first match.
  const int size =
      std::max(engine->expression.ProgramSize(), engine->expression.ReverseProgramSize());
  if (size > kMaxProgramSize) {
    problem =
        "too large; write fewer or smaller repetitions, and lengths as min_length, max_length";
    return nullptr;
  }
  engine->size = static_cast<std::uint64_t>(size);
  return std::shared_ptr<const Pattern>(new Pattern(std::move(engine)));
}

bool Pattern::isIn(std::string_view text) const {
  return engine_->expression.Match(piece(text), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
}

const std::string& Pattern::source() const { return engine_->text; }

std::uint64_t Pattern::costOf(std::size_t text_bytes) const { return engine_->size * text_bytes; }

}  // namespace sub0::dialect
