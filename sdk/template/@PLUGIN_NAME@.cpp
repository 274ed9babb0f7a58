// Mode @PLUGIN_MODE@ of the plugin @PLUGIN_ID@.

#include <sub0/plugin.hpp>

namespace {

struct @PLUGIN_CLASS@ final : sub0::Handler<@PLUGIN_CLASS@> {
  static constexpr auto mode = "@PLUGIN_MODE@", key = "@PLUGIN_NAME@";
  static constexpr auto description = "Greets somebody by name.";
  static constexpr auto schema = R"({
    "type": "object",
    "required": ["name"],
    "properties": {"name": {"description": "a template: who is greeted"}}
  })";
  // It always ends its run within run(): remove this flag if you keep a Run for later.
  static constexpr uint32_t flags = SUB0_COMPLETES_IN_RUN;

  // At load, once for each action: look at the configuration, declare the inputs.
  explicit @PLUGIN_CLASS@(sub0::Preparation& p) {
    p.expectMembers({"name"});
    if (!p.config().find("name")) {
      p.error("", "name is missing");
      return;
    }
    name_ = p.input("/name");
    p.readsOnly();  // so a GET may call it
  }

  // At each call, with the inputs evaluated.
  void run(sub0::Run run) {
    const std::string name = run.text(name_);
    if (name.empty()) {
      run.fail(SUB0_BAD_REQUEST, "name is empty");
      return;
    }
    run.complete({{"text", "Hello " + name}});
  }

  sub0::Input name_;
};

}  // namespace

SUB0_PLUGIN("@PLUGIN_ID@", "1.0.0", @PLUGIN_CLASS@)
