// Runs the plugin's handlers against a fake host; returns 1 if anything is not as expected.

#include <cstdio>
#include <sub0/testing/fake_host.hpp>

extern "C" const sub0_plugin* sub0_plugin_v0(void);

static int failures = 0;

#define EXPECT(condition)                                                      \
  do {                                                                         \
    if (condition) break;                                                      \
    std::fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
    ++failures;                                                                \
  } while (false)

int main() {
  sub0::testing::FakeHost host(sub0_plugin_v0());

  auto action = host.prepare("@PLUGIN_MODE@", {{"name", "$PAYLOAD.name"}});
  EXPECT(action.errors.empty());
  action.give("$PAYLOAD.name", sub0::Literal("Ada"));
  const auto end = action.run();
  EXPECT(end.isOk());
  EXPECT(end.value.find("text").asText() == "Hello Ada");

  action.give("$PAYLOAD.name", sub0::Literal(nullptr));
  EXPECT(action.run().code == SUB0_BAD_REQUEST);

  auto incomplete = host.prepare("@PLUGIN_MODE@", sub0::Tree::object());
  EXPECT(incomplete.errors.size() == 1);

  return failures == 0 ? 0 : 1;
}
