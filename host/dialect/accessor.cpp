// SPDX-License-Identifier: Apache-2.0
#include "dialect/accessor.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "dialect/suggest.hpp"

namespace sub0::dialect {

namespace {

constexpr std::size_t kAnyNumberOf = 1000;

struct RootForm {
  std::string_view name;
  AccessorRoot root;
  std::size_t min_segments;
  std::size_t max_segments;
};

constexpr RootForm kRoots[] = {
    {"ENV", AccessorRoot::kEnv, 1, 1},
    {"PAYLOAD", AccessorRoot::kPayload, 0, kAnyNumberOf},
    {"PROTECTED", AccessorRoot::kProtected, 0, kAnyNumberOf},
    {"HEADER", AccessorRoot::kHeader, 1, 1},
    {"DATETIME", AccessorRoot::kDateTime, 0, 0},
    {"GENERATOR", AccessorRoot::kGenerator, 1, 1},
    {"CONNECTION", AccessorRoot::kConnection, 1, 1},
};

bool isSegmentCharacter(char c) { return isNameCharacter(c) || c == '-'; }

std::size_t endOf(std::string_view text, std::size_t begin, bool (*belongs)(char)) {
  while (begin < text.size() && belongs(text[begin])) ++begin;
  return begin;
}

// Reads segments behind the root's name; false: too few, or a member that CONNECTION has not.
bool readSegments(std::string_view text, const RootForm& form, WrittenAccessor& accessor) {
  while (accessor.segments.size() < form.max_segments && accessor.end < text.size() &&
         text[accessor.end] == '.') {
    const std::size_t begin = accessor.end + 1;
    const std::size_t end = endOf(text, begin, isSegmentCharacter);
    if (end == begin) break;
    accessor.segments.push_back(text.substr(begin, end - begin));
    accessor.end = end;
  }
  if (accessor.segments.size() < form.min_segments) return false;
  return form.root != AccessorRoot::kConnection || accessor.segments[0] == "uid" ||
         accessor.segments[0] == "id";
}

std::string nearestRoot(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RootForm& form : kRoots) names.push_back(form.name);
  const std::string near = suggest(name, names);
  return near.empty() ? near : "$" + near;
}

}  // namespace

std::vector<WrittenAccessor> findAccessors(std::string_view text,
                                           std::vector<UnknownAccessor>* unknown) {
  std::vector<WrittenAccessor> found;
  for (std::size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at)) {
    const std::size_t name_end = endOf(text, at + 1, isNameCharacter);
    const std::string_view name = text.substr(at + 1, name_end - at - 1);
    const auto* const form = std::find_if(std::begin(kRoots), std::end(kRoots),
                                          [&](const RootForm& f) { return f.name == name; });
    WrittenAccessor accessor;
    accessor.begin = at;
    accessor.end = name_end;
    if (form != std::end(kRoots) && readSegments(text, *form, accessor)) {
      accessor.root = form->root;
      at = accessor.end;
      found.push_back(std::move(accessor));
      continue;
    }
    if (unknown != nullptr && !name.empty() && isNameStart(name.front())) {
      std::string suggestion;
      if (form == std::end(kRoots)) suggestion = nearestRoot(name);
      unknown->push_back({std::string(text.substr(at, accessor.end - at)), std::move(suggestion)});
    }
    at = name_end;
  }
  return found;
}

namespace {

const json::Value* walk(const json::Value* here, const Accessor& accessor, std::size_t next) {
  for (; here != nullptr && next < accessor.segment_count; ++next) {
    const Accessor::Segment& segment = accessor.segments[next];
    if (json::isArray(*here)) {
      here = segment.is_index ? json::at(*here, segment.index) : nullptr;
    } else {
      here = json::find(*here, segment.name);
    }
  }
  return here;
}

json::Value orNull(const json::Value* value) { return value == nullptr ? json::null() : *value; }

json::Value textOrNull(std::string_view text) {
  return text.empty() ? json::null() : json::text(text);
}

json::Value readPayload(const Accessor& accessor, const Scope& scope, bool allow_raw) {
  if (accessor.segment_count == 0 && allow_raw) {
    return json::raw(scope.payload_json.empty() ? std::string_view("{}") : scope.payload_json);
  }
  return orNull(walk(scope.payload, accessor, 0));
}

}  // namespace

const json::Value* findExtracted(const Scope& scope, std::string_view name) {
  for (std::size_t i = 0; i < scope.extracted_count; ++i) {
    if (scope.extracted[i].name == name) return &scope.extracted[i].value;
  }
  return nullptr;
}

json::Value freshValue(GeneratorKind kind, const Scope& scope, Arena& arena) {
  if (scope.random == nullptr || scope.generator_state == nullptr) return json::null();
  GeneratorState& state = *scope.generator_state;
  if (!state.is_seeded) {
    std::uint8_t seed[kGeneratorSeedBytes];
    scope.random(scope.random_context, seed, sizeof seed);
    seedGenerators(state, seed);
  }
  std::uint8_t random[kGeneratorRandomBytes];
  scope.random(scope.random_context, random, sizeof random);
  char* const out = arena.array<char>(kGeneratorTextBytes);
  return json::text({out, generate(kind, random, scope.wall_ms, state, out)});
}

json::Value readAccessor(const Accessor& accessor, const Scope& scope, Arena& arena,
                         bool allow_raw) {
  switch (accessor.kind) {
    case Accessor::Kind::kPayload:
      return readPayload(accessor, scope, allow_raw);
    case Accessor::Kind::kExtracted:
      return orNull(walk(findExtracted(scope, accessor.segments[0].name), accessor, 1));
    case Accessor::Kind::kGenerated: {
      if (scope.generated == nullptr) return json::null();
      return orNull(walk(scope.generated->find(accessor.segments[0].name), accessor, 1));
    }
    case Accessor::Kind::kProtected:
      return orNull(walk(scope.claims, accessor, 0));
    case Accessor::Kind::kHeader: {
      if (scope.header == nullptr) return json::null();
      const auto value = scope.header(scope.header_context, accessor.header);
      return value ? json::text(*value) : json::null();
    }
    case Accessor::Kind::kIp:
      return textOrNull(scope.ip);
    case Accessor::Kind::kDateTime: {
      char* const out = arena.array<char>(kDateTimeBytes);
      formatDateTime(scope.wall_ms, out);
      return json::text({out, kDateTimeBytes});
    }
    case Accessor::Kind::kGenerator:
      return freshValue(accessor.generator, scope, arena);
    case Accessor::Kind::kConnectionUid:
      return textOrNull(scope.connection_uid);
    case Accessor::Kind::kConnectionId:
      return textOrNull(scope.connection_id);
  }
  return json::null();
}

}  // namespace sub0::dialect
