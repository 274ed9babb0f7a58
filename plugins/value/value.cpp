// SPDX-License-Identifier: Apache-2.0

// Mode VALUE (spec S-39): the result is a template, evaluated.

#include <sub0/plugin.hpp>

namespace {

struct ValueMode final : sub0::Handler<ValueMode> {
  static constexpr auto mode = "VALUE", key = "value";
  static constexpr auto description = "The result is the template `value`, evaluated.";
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN | SUB0_ACCEPTS_RAW;

  explicit ValueMode(sub0::Preparation& preparation) : template_(preparation.input("")) {
    preparation.readsOnly();
  }
  void run(sub0::Run run) { run.complete(run.input(template_)); }

  sub0::Input template_;
};

}  // namespace

SUB0_PLUGIN("dev.sub0.value", "0.1.0", ValueMode)
