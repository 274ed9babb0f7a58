// SPDX-License-Identifier: Apache-2.0
// Templates and parameters: the first line is one, the rest a payload. Nothing that a payload or a
// header brings is ever expanded (Q-62), a value is the same each time, and needs() tells all that
// an evaluation reads.
#include "base/arena.hpp"
#include "dialect/parameter.hpp"
#include "dialect/template.hpp"
#include "json/parser.hpp"
#include "json/writer.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace sub0::dialect {
namespace {

constexpr std::string_view kSecret = "kept-in-the-environment";

const EnvironmentLookup kEnvironment = [](std::string_view name) -> std::optional<std::string> {
  if (name == "SECRET") return std::string(kSecret);
  if (name == "TRAP") return "$PAYLOAD.a $ENV.SECRET";
  return std::nullopt;
};

void countUp(void* context, std::uint8_t* out, std::size_t size) {
  auto* next = static_cast<std::uint8_t*>(context);
  for (std::size_t i = 0; i < size; ++i) out[i] = (*next)++;
}

/// Without `$` nothing can look like an accessor.
std::string withoutDollars(std::string text) {
  for (char& c : text) c = c == '$' ? '~' : c;
  return text;
}

/// A copy whose texts (not its keys) hold no `$`.
json::Value withoutDollars(const json::Value& value, Arena& arena) {
  json::Value made = value;
  if (json::isText(value)) {
    made = json::text(arena.copy(withoutDollars(std::string(json::chars(value)))));
  } else if (json::isArray(value)) {
    json::Value* items = arena.array<json::Value>(value.count);
    for (std::size_t i = 0; i < value.count; ++i) {
      items[i] = withoutDollars(value.as.items[i], arena);
    }
    made = json::array(items, value.count);
  } else if (json::isObject(value)) {
    json::Member* members = arena.array<json::Member>(value.count);
    for (std::size_t i = 0; i < value.count; ++i) {
      members[i] = {value.as.members[i].key, withoutDollars(value.as.members[i].value, arena)};
    }
    made = json::object(members, value.count);
  }
  return made;
}

/// What a client sends, with and without dollars.
struct Client {
  json::Value payload{};
  std::string payload_json;
  std::string header;
  std::string uid;
};

std::optional<std::string_view> headerOf(void* context, std::string_view name) {
  if (name != "x-app") return std::nullopt;
  return static_cast<const Client*>(context)->header;
}

struct Evaluation {
  const Parameter& parameter;
  const json::Value& claims;
  const NamedValue& extracted;
  bool allow_raw;

  std::string of(Client& client, const Needs& given) const {
    Arena arena;
    GeneratedValues generated;
    std::uint8_t random = 0;
    GeneratorState generator_state;
    Scope scope;
    if (given.payloadParsed(allow_raw)) scope.payload = &client.payload;
    if (given.payload_whole) scope.payload_json = client.payload_json;
    if (given.claims) scope.claims = &claims;
    scope.extracted = &extracted;
    scope.extracted_count = 1;
    scope.generated = &generated;
    scope.header = headerOf;
    scope.header_context = &client;
    if (given.ip) scope.ip = "10.0.0.9";
    if (given.connection) {
      scope.connection_uid = client.uid;
      scope.connection_id = "42";
    }
    if (given.datetime || given.generators) scope.wall_ms = 1769860800123;
    scope.random = countUp;
    scope.random_context = &random;
    scope.generator_state = &generator_state;
    const json::Value value = parameter.evaluate(scope, arena, allow_raw);
    if (value.type == SUB0_RAW) return "raw " + std::string(json::chars(value));
    FUZZ_CHECK(json::isWellFormed(value, std::size_t{1} << 30));
    return json::toString(value);
  }
};

Needs everything() {
  Needs needs;
  needs.payload_fields = needs.payload_whole = needs.claims = needs.ip = needs.connection =
      needs.datetime = needs.generators = true;
  return needs;
}

void judge(const json::Value& source, Client& client, bool is_parameter, bool allow_raw) {
  Names names;
  names.extracted = {"user"};
  names.generated = {"order"};
  names.declared_payload = {"declared"};
  names.extracted_claims = {"role"};
  Problems problems;
  CompileContext context;
  context.names = &names;
  context.environment = &kEnvironment;
  context.problems = &problems;
  const Parameter parameter = is_parameter ? Parameter::compile(source, "/p", context)
                                           : Parameter(Template::compile(source, "/p", context));
  Arena arena;
  json::Parser parser;
  const json::Value claims = parser.parseCopy(R"({"id":7,"role":"admin"})", arena).value();
  const NamedValue extracted{"user", parser.parseCopy(R"({"name":"Ann"})", arena).value()};
  const Evaluation evaluation{parameter, claims, extracted, allow_raw};

  const std::string result = evaluation.of(client, everything());
  fuzz::checkEqual(result, evaluation.of(client, everything()), "evaluated twice");
  fuzz::checkEqual(result, evaluation.of(client, parameter.needs()), "with what it needs alone");

  Client tame;
  tame.payload = withoutDollars(client.payload, arena);
  tame.payload_json = json::toString(tame.payload);
  tame.header = withoutDollars(client.header);
  tame.uid = withoutDollars(client.uid);
  fuzz::checkEqual(withoutDollars(result), withoutDollars(evaluation.of(tame, everything())),
                   "dollars of the client");
  const std::string written = json::toString(source);
  const bool may_hold_it = written.find("ENV") != written.npos ||
                           written.find(kSecret) != written.npos ||
                           client.payload_json.find(kSecret) != std::string::npos;
  FUZZ_CHECK(may_hold_it || result.find(kSecret) == std::string::npos);
  if (parameter.isConstant()) {
    Client nobody;
    fuzz::checkEqual(result, evaluation.of(nobody, Needs()), "constant");
  }
}

}  // namespace
}  // namespace sub0::dialect

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sub0;
  const fuzz::Input input(data, size);
  const std::size_t line = input.bytes.find('\n');
  if (line == input.bytes.npos) return 0;
  Arena arena;
  static json::Parser parser;
  const auto source = parser.parseCopy(input.bytes.substr(0, line), arena);
  if (!source) return 0;
  const auto payload = parser.parseCopy(input.bytes.substr(line + 1), arena);
  if (!payload) return 0;
  dialect::Client client;
  client.payload = *payload;
  client.payload_json = json::toString(*payload);
  client.header = "$ENV.SECRET $PAYLOAD.a";
  client.uid = "$PROTECTED.role";
  dialect::judge(*source, client, (input.steer & 1) != 0, (input.steer & 2) != 0);
  return 0;
}
