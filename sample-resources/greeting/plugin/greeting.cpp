// SPDX-License-Identifier: Apache-2.0

// Mode GREETING: {"name": template} -> {"text": "Hello <name>"}

#include <sub0/plugin.hpp>

namespace {

struct Greeting final : sub0::Handler<Greeting> {
  static constexpr auto mode = "GREETING", key = "greeting";
  static constexpr auto description = "Greets somebody by name.";
  static constexpr auto schema =
      R"({"type": "object", "required": ["name"], "properties": {"name": {}}})";
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN;

  explicit Greeting(sub0::Preparation& p) : name_(p.input("/name")) { p.readsOnly(); }

  void run(sub0::Run run) {
    const std::string name = run.text(name_);
    if (name.empty()) return void(run.fail(SUB0_BAD_REQUEST, "name is missing"));
    run.complete({{"text", "Hello " + name}});
  }

  sub0::Input name_;
};

}  // namespace

SUB0_PLUGIN("org.example.greeting", "1.0.0", Greeting)
