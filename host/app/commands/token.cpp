// SPDX-License-Identifier: Apache-2.0
#include <Poco/NumberParser.h>

#include <iostream>
#include <optional>

#include "app/commands.hpp"
#include "app/workspace.hpp"
#include "auth/token_issuer.hpp"
#include "auth/token_verifier.hpp"
#include "json/parser.hpp"
#include "json/writer.hpp"
#include "loop/real_io.hpp"

namespace sub0::app {
namespace {

CommandDeclaration declareMint() {
  CommandDeclaration command{"token mint",
                             "RESOURCE --claim NAME=VALUE... [--expires S] [--resources DIR]",
                             "Prints a token that RESOURCE accepts, alone on one line. A claim's "
                             "value is JSON, or text as it "
                             "stands.",
                             projectOptions()};
  command.options.push_back({"claim", "NAME=VALUE", "a claim; may be repeated", true});
  command.options.push_back(
      {"expires", "S", "seconds until it expires; default the resource's", false});
  return command;
}

CommandDeclaration declareCheckToken() {
  return {"token check", "RESOURCE TOKEN [--resources DIR]",
          "Says whether RESOURCE accepts TOKEN, and prints its claims.", projectOptions()};
}

/// The plan of the resource that the command names, with its key; says what is missing.
const call::Plan* planOf(Workspace& workspace, const std::string& name) {
  workspace.loadPlugins();
  workspace.loadProject();
  workspace.createPluginsOffline();
  if (workspace.sortedProblems().hasErrors()) {
    workspace.reportProblems();
    return nullptr;
  }
  workspace.compile();  // SQL that does not suit the database at hand makes no token worse
  const call::Plan* found = nullptr;
  for (const auto& plan : workspace.plans()->plans()) {
    if (plan->resource->id == name || plan->resource->route == name) found = plan.get();
  }
  if (found == nullptr) {
    std::cerr << "sub0-host: no resource \"" << name << "\"; see sub0-host routes\n";
  } else if (!found->resource->tokenize) {
    std::cerr << "sub0-host: resource \"" << name << "\" has no tokenize\n";
  } else if (!found->key) {
    workspace.reportErrors();
    std::cerr << "sub0-host: the encryption_key of resource \"" << name
              << "\" has no usable value: is its $ENV variable set?\n";
  } else {
    return found;
  }
  return nullptr;
}

/// NAME=VALUE; a value that is JSON is taken as such.
std::optional<json::Member> parseClaim(const std::string& word, json::Parser& parser,
                                       Arena& arena) {
  const auto equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::string_view name = arena.copy(word.substr(0, equals));
  const std::string_view text = arena.copy(word.substr(equals + 1));
  const auto parsed = parser.parseCopy(text, arena);
  return json::Member{json::toView(name), parsed ? *parsed : json::text(text)};
}

}  // namespace

const CommandDeclaration kMintToken = declareMint();
const CommandDeclaration kCheckToken = declareCheckToken();

int mintToken(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kMintToken, words);
  if (exit_code) return *exit_code;
  if (arguments.positional().size() != 1) return usageError(kMintToken, "name one resource");
  Arena arena;
  json::Parser parser;
  std::vector<json::Member> claims;
  for (const auto& word : arguments.all("claim")) {
    const auto claim = parseClaim(word, parser, arena);
    if (!claim) return usageError(kMintToken, "--claim " + word + ": expected NAME=VALUE");
    claims.push_back(*claim);
  }
  Workspace workspace(arguments, arguments.value("resources", "."), false);
  const call::Plan* plan = planOf(workspace, arguments.positional().front());
  if (plan == nullptr) return kExitConfiguration;
  if (!plan->key->canIssue()) {
    std::cerr << "sub0-host: the encryption_key of resource \"" << plan->resource->id
              << "\" is a public key, which only verifies; a token takes the private one\n";
    return kExitConfiguration;
  }
  std::int64_t lifetime_s = plan->resource->tokenize->expiration_s;
  Poco::Int64 wanted_s = 0;
  if (arguments.has("expires")) {
    const bool is_number = Poco::NumberParser::tryParse64(arguments.value("expires"), wanted_s);
    lifetime_s = is_number ? wanted_s : 0;
  }
  if (lifetime_s <= 0) return usageError(kMintToken, "--expires: expected seconds above 0");
  loop::RealIo io;
  const std::int64_t now_s = io.wallMs() / 1000;
  const auto token = auth::issueToken(*plan->key, json::object(claims.data(), claims.size()), now_s,
                                      now_s + lifetime_s, &io, workspace.plans()->revokesTokens());
  if (!token) {
    const Error& error = token.error();
    std::cerr << "sub0-host: " << (error.log.empty() ? error.clientMessage() : error.log) << '\n';
    return kExitFailure;
  }
  std::cout << *token << '\n';
  return kExitOk;
}

int checkToken(const Words& words) {
  auto [arguments, exit_code] = parseArguments(kCheckToken, words);
  if (exit_code) return *exit_code;
  if (arguments.positional().size() != 2) {
    return usageError(kCheckToken, "name a resource and a token");
  }
  Workspace workspace(arguments, arguments.value("resources", "."), false);
  const call::Plan* plan = planOf(workspace, arguments.positional().front());
  if (plan == nullptr) return kExitConfiguration;
  Arena arena;
  loop::RealIo io;
  const auto verified =
      auth::verifyToken(*plan->key, arguments.positional().back(), io.wallMs() / 1000, arena,
                        workspace.settings().whole("SUB0_TOKEN_LEEWAY"));
  if (!verified) {
    std::cerr << "sub0-host: " << codeInfo(verified.error().code).name << ": "
              << (verified.error().log.empty() ? std::string(verified.error().clientMessage())
                                               : verified.error().log)
              << '\n';
    return kExitFailure;
  }
  std::cout << json::toString(verified->claims) << '\n';
  return kExitOk;
}

}  // namespace sub0::app
