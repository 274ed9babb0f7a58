// SPDX-License-Identifier: Apache-2.0
#include "dialect/template.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/contains.hpp"
#include "base/text.hpp"
#include "dialect/accessor.hpp"
#include "dialect/suggest.hpp"
#include "dialect/value_hints.hpp"
#include "json/writer.hpp"

namespace sub0::dialect {

namespace detail {

struct Piece {
  std::string_view literal;
  const Accessor* accessor = nullptr;  // null: the literal
};

struct Node {
  enum class Kind : std::uint8_t { kConstant, kAccessor, kPieces, kArray, kObject, kGenerate };
  Kind kind = Kind::kConstant;
  GeneratorKind generator = GeneratorKind::kUuid;
  std::size_t count = 0;
  json::Value constant{};
  const Accessor* accessor = nullptr;
  const Piece* pieces = nullptr;
  const Node* items = nullptr;
  const sub0_text_view* keys = nullptr;
  std::string_view generated_name;  // empty: not kept
};

}  // namespace detail

using detail::Node;
using detail::Piece;

namespace {

constexpr std::size_t kFirstBlockBytes = 256;

// Compiles one value into a tree of nodes in `memory`, and notes what they read.
class Compiler {
 public:
  Compiler(const CompileContext& context, bool stands_in_file, Arena& memory, Needs& needs)
      : context_(context), memory_(memory), needs_(needs), stands_in_file_(stands_in_file) {}

  Node compile(const json::Value& source, const std::string& pointer) {
    switch (source.type) {
      case SUB0_TEXT:
        return compileText(json::chars(source), pointer);
      case SUB0_ARRAY:
        return compileArray(source, pointer);
      case SUB0_OBJECT:
        return isGenerator(source) ? compileGenerator(source, pointer)
                                   : compileObject(source, pointer);
      default:
        return constant(json::copy(source, memory_));
    }
  }

 private:
  static Node constant(const json::Value& value) {
    Node node;
    node.constant = value;
    return node;
  }

  Place placeOf(const std::string& pointer) const {
    if (context_.file == nullptr) return {};
    return context_.file->at(stands_in_file_ ? pointer : context_.action_pointer);
  }
  void error(const std::string& pointer, std::string_view rule, std::string message,
             std::string suggestion = {}) const {
    if (context_.problems == nullptr) return;
    context_.problems->error(placeOf(pointer), rule, std::move(message), std::move(suggestion));
  }
  void warn(const std::string& pointer, std::string_view rule, std::string message,
            std::string suggestion = {}) const {
    if (context_.problems == nullptr) return;
    context_.problems->warning(placeOf(pointer), rule, std::move(message), std::move(suggestion));
  }

  Node compileText(std::string_view text, const std::string& pointer) {
    std::vector<UnknownAccessor> unknown;
    const auto written = findAccessors(text, &unknown);
    for (UnknownAccessor& name : unknown) {
      warn(pointer, "S-61",
           "\"" + name.written + "\" is no accessor and stays as text" + accessorHint(name.written),
           std::move(name.suggestion));
    }
    for (std::string& form : foreignForms(text, written)) warn(pointer, "S-61", std::move(form));
    if (written.empty()) return constant(json::text(memory_.copy(text)));
    if (written.size() == 1 && written[0].begin == 0 && written[0].end == text.size()) {
      return compileAccessor(written[0], text, pointer);
    }
    std::vector<Piece> pieces;
    std::size_t at = 0;
    for (const WrittenAccessor& accessor : written) {
      const std::string running = runningEnd(accessor, text, context_.names);
      if (!running.empty()) warn(pointer, "S-61", running + "; put : or / behind the name");
      addLiteral(pieces, text.substr(at, accessor.begin - at));
      const Node node = compileAccessor(accessor, text, pointer);
      if (node.kind == Node::Kind::kAccessor) {
        // As text, a payload that is a string stands without its quotes: the raw one does not do.
        const bool is_whole = node.accessor->segment_count == 0;
        if (is_whole && node.accessor->kind == Accessor::Kind::kPayload)
          needs_.payload_fields = true;
        pieces.push_back({{}, node.accessor});
      } else {
        addLiteral(pieces, json::chars(node.constant));
      }
      at = accessor.end;
    }
    addLiteral(pieces, text.substr(at));
    return fromPieces(pieces);
  }

  static void addLiteral(std::vector<Piece>& pieces, std::string_view literal) {
    if (!literal.empty()) pieces.push_back({literal, nullptr});
  }

  // Keeps the pieces, or joins them where nothing is left to read.
  Node fromPieces(const std::vector<Piece>& pieces) {
    const bool is_constant = std::all_of(pieces.begin(), pieces.end(),
                                         [](const Piece& p) { return p.accessor == nullptr; });
    if (is_constant) {
      std::string joined;
      for (const Piece& piece : pieces) joined += piece.literal;
      return constant(json::text(memory_.copy(joined)));
    }
    Node node;
    node.kind = Node::Kind::kPieces;
    node.count = pieces.size();
    auto* kept = memory_.array<Piece>(pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      kept[i] = {memory_.copy(pieces[i].literal), pieces[i].accessor};
    }
    node.pieces = kept;
    return node;
  }

  Node compileAccessor(const WrittenAccessor& written, std::string_view text,
                       const std::string& pointer) {
    if (written.root == AccessorRoot::kEnv) return readEnvironment(written, pointer);
    auto* accessor = memory_.make<Accessor>();
    copySegments(written, *accessor);
    switch (written.root) {
      case AccessorRoot::kPayload:
        bindPayload(*accessor, pointer);
        break;
      case AccessorRoot::kProtected:
        bindClaim(*accessor, pointer);
        break;
      case AccessorRoot::kHeader:
        bindHeader(*accessor);
        break;
      case AccessorRoot::kDateTime:
        accessor->kind = Accessor::Kind::kDateTime;
        needs_.datetime = true;
        break;
      case AccessorRoot::kGenerator: {
        const auto kind = generatorOf(written.segments[0], pointer);
        if (!kind) return constant(json::text(memory_.copy(text)));
        accessor->kind = Accessor::Kind::kGenerator;
        accessor->generator = *kind;
        needs_.generators = true;
        break;
      }
      default:
        accessor->kind = written.segments[0] == "uid" ? Accessor::Kind::kConnectionUid
                                                      : Accessor::Kind::kConnectionId;
        needs_.connection = true;
    }
    Node node;
    node.kind = Node::Kind::kAccessor;
    node.accessor = accessor;
    return node;
  }

  void copySegments(const WrittenAccessor& written, Accessor& accessor) {
    auto* segments = memory_.array<Accessor::Segment>(written.segments.size());
    for (std::size_t i = 0; i < written.segments.size(); ++i) {
      Accessor::Segment segment;
      segment.name = memory_.copy(written.segments[i]);
      const char* const end = segment.name.data() + segment.name.size();
      const auto [stop, error] = std::from_chars(segment.name.data(), end, segment.index);
      segment.is_index = error == std::errc() && stop == end;
      segments[i] = segment;
    }
    accessor.segments = segments;
    accessor.segment_count = written.segments.size();
  }

  void bindPayload(Accessor& accessor, const std::string& pointer) {
    accessor.kind = Accessor::Kind::kPayload;
    if (accessor.segment_count == 0) {
      needs_.payload_whole = true;
      return;
    }
    const std::string_view first = accessor.segments[0].name;
    if (context_.names != nullptr && contains(context_.names->extracted, first)) {
      accessor.kind = Accessor::Kind::kExtracted;
      return;
    }
    if (context_.names != nullptr && contains(context_.names->generated, first)) {
      accessor.kind = Accessor::Kind::kGenerated;
      return;
    }
    needs_.payload_fields = true;
    if (context_.names != nullptr) {
      std::string near = misspelledField(first, *context_.names);
      if (!near.empty()) {
        warn(pointer, "S-61",
             "no payload_validation and no depends_on of this resource names \"" +
                 std::string(first) + "\"",
             std::move(near));
      }
    }
    if (first != "id") return;
    needs_.payload_id = true;
    if (context_.names != nullptr && context_.names->payload_id_is_uid) {
      warn(pointer, "S-113", "payload \"id\" is the caller's uid when this comes over a socket");
    }
  }

  void bindClaim(Accessor& accessor, const std::string& pointer) {
    accessor.kind = Accessor::Kind::kProtected;
    needs_.claims = true;
    if (context_.names == nullptr) return;
    if (context_.names->has_no_claims) {
      warn(pointer, "S-61", "$PROTECTED is always null here: the resource has no \"protected\"");
      return;
    }
    const std::vector<std::string>& claims = context_.names->extracted_claims;
    if (accessor.segment_count == 0 || claims.empty()) return;
    const std::string claim(accessor.segments[0].name);
    if (contains(claims, claim) || isStandardClaim(claim)) return;
    warn(pointer, "S-61",
         "claim \"" + claim + "\" is not in extract_claims: it is null unless the token has it",
         suggest(claim, {claims.begin(), claims.end()}));
  }

  void bindHeader(Accessor& accessor) {
    const std::string name = text::toLower(accessor.segments[0].name);
    if (name == "ip") {
      accessor.kind = Accessor::Kind::kIp;
      needs_.ip = true;
      return;
    }
    accessor.kind = Accessor::Kind::kHeader;
    accessor.header = memory_.copy(name);
    if (!contains(needs_.headers, name)) needs_.headers.push_back(name);
  }

  Node readEnvironment(const WrittenAccessor& written, const std::string& pointer) {
    std::optional<std::string> value;
    if (context_.environment != nullptr && *context_.environment) {
      value = (*context_.environment)(written.segments[0]);
    }
    const std::string name(written.segments[0]);
    if (value && !text::isUtf8(*value)) {
      error(pointer, "S-3", "$ENV." + name + " is no UTF-8: write its value in that encoding");
    }
    if (value) return constant(json::text(memory_.copy(*value)));
    warn(pointer, "S-3", "$ENV." + name + " is not set: it is null",
         context_.dot_env == nullptr ? "" : nearestVariable(name, *context_.dot_env));
    return constant(json::null());
  }

  std::optional<GeneratorKind> generatorOf(std::string_view name, const std::string& pointer) {
    const auto kind = generatorKindOf(name);
    if (kind) return kind;
    error(pointer, "S-62",
          "\"" + std::string(name) + "\" is no kind of generator" + generatorKinds(),
          suggest(name, {std::begin(kGeneratorKinds), std::end(kGeneratorKinds)}));
    return std::nullopt;
  }

  Node compileGenerator(const json::Value& object, const std::string& pointer) {
    const auto kind =
        generatorOf(json::chars(*json::find(object, "generate")), pointer + "/generate");
    Node node;
    if (!kind) return node;
    node.kind = Node::Kind::kGenerate;
    node.generator = *kind;
    needs_.generators = true;
    const json::Value* name = json::find(object, "for");
    if (name == nullptr) return node;
    if (!json::isText(*name) || name->count == 0) {
      error(pointer + "/for", "S-62", "\"for\" must be a name");
      return node;
    }
    node.generated_name = memory_.copy(json::chars(*name));
    return node;
  }

  Node compileArray(const json::Value& source, const std::string& pointer) {
    auto* items = memory_.array<Node>(source.count);
    bool is_constant = true;
    for (std::size_t i = 0; i < source.count; ++i) {
      items[i] = compile(source.as.items[i], pointer + "/" + std::to_string(i));
      is_constant = is_constant && items[i].kind == Node::Kind::kConstant;
    }
    Node node;
    if (is_constant) {
      auto* values = memory_.array<json::Value>(source.count);
      for (std::size_t i = 0; i < source.count; ++i) values[i] = items[i].constant;
      return constant(json::array(values, source.count));
    }
    node.kind = Node::Kind::kArray;
    node.items = items;
    node.count = source.count;
    return node;
  }

  Node compileObject(const json::Value& source, const std::string& pointer) {
    const json::Value* kind = json::find(source, "generate");
    if (kind != nullptr && source.count <= 2) {
      std::string doubt = almostSpecial(source);
      if (!doubt.empty()) warn(pointer, "S-62", "this object stays as it is: " + std::move(doubt));
    }
    auto* items = memory_.array<Node>(source.count);
    auto* keys = memory_.array<sub0_text_view>(source.count);
    bool is_constant = true;
    for (std::size_t i = 0; i < source.count; ++i) {
      const json::Member& member = source.as.members[i];
      keys[i] = json::toView(memory_.copy(json::toText(member.key)));
      std::string below = pointer;
      json::appendPointerSegment(below, json::toText(member.key));
      items[i] = compile(member.value, below);
      is_constant = is_constant && items[i].kind == Node::Kind::kConstant;
    }
    Node node;
    if (is_constant) {
      auto* members = memory_.array<json::Member>(source.count);
      for (std::size_t i = 0; i < source.count; ++i) members[i] = {keys[i], items[i].constant};
      return constant(json::object(members, source.count));
    }
    node.kind = Node::Kind::kObject;
    node.items = items;
    node.keys = keys;
    node.count = source.count;
    return node;
  }

  const CompileContext& context_;
  Arena& memory_;
  Needs& needs_;
  bool stands_in_file_;
};

// Appends a value as a part of a longer text: texts as they are, null as nothing, others as JSON.
void appendAsText(const json::Value& value, std::string& out) {
  if (json::isNull(value)) return;
  if (json::isText(value)) {
    out += json::chars(value);
  } else {
    json::write(value, out);
  }
}

json::Value evaluateNode(const Node& node, const Scope& scope, Arena& arena, bool allow_raw);

json::Value joinPieces(const Node& node, const Scope& scope, Arena& arena) {
  static thread_local std::string joined;  // kept: no allocation in the steady state
  joined.clear();
  for (std::size_t i = 0; i < node.count; ++i) {
    const Piece& piece = node.pieces[i];
    if (piece.accessor == nullptr) {
      joined += piece.literal;
    } else {
      appendAsText(readAccessor(*piece.accessor, scope, arena, false), joined);
    }
  }
  return json::text(arena.copy(joined));
}

json::Value makeGenerated(const Node& node, const Scope& scope, Arena& arena) {
  const json::Value value = freshValue(node.generator, scope, arena);
  if (!node.generated_name.empty() && scope.generated != nullptr) {
    scope.generated->add(node.generated_name, value, arena);
  }
  return value;
}

json::Value evaluateItems(const Node& node, const Scope& scope, Arena& arena, bool allow_raw) {
  if (node.kind == Node::Kind::kArray) {
    auto* items = arena.array<json::Value>(node.count);
    for (std::size_t i = 0; i < node.count; ++i) {
      items[i] = evaluateNode(node.items[i], scope, arena, allow_raw);
    }
    return json::array(items, node.count);
  }
  auto* members = arena.array<json::Member>(node.count);
  for (std::size_t i = 0; i < node.count; ++i) {
    members[i] = {node.keys[i], evaluateNode(node.items[i], scope, arena, allow_raw)};
  }
  return json::object(members, node.count);
}

json::Value evaluateNode(const Node& node, const Scope& scope, Arena& arena, bool allow_raw) {
  switch (node.kind) {
    case Node::Kind::kConstant:
      return node.constant;
    case Node::Kind::kAccessor:
      return readAccessor(*node.accessor, scope, arena, allow_raw);
    case Node::Kind::kPieces:
      return joinPieces(node, scope, arena);
    case Node::Kind::kGenerate:
      return makeGenerated(node, scope, arena);
    case Node::Kind::kArray:
    case Node::Kind::kObject:
      return evaluateItems(node, scope, arena, allow_raw);
  }
  return json::null();
}

}  // namespace

void Needs::merge(const Needs& other) {
  payload_fields = payload_fields || other.payload_fields;
  payload_whole = payload_whole || other.payload_whole;
  payload_id = payload_id || other.payload_id;
  claims = claims || other.claims;
  ip = ip || other.ip;
  connection = connection || other.connection;
  datetime = datetime || other.datetime;
  generators = generators || other.generators;
  for (const std::string& header : other.headers) {
    if (!contains(headers, header)) headers.push_back(header);
  }
}

Template::Template() = default;
Template::~Template() = default;
Template::Template(Template&&) noexcept = default;
Template& Template::operator=(Template&&) noexcept = default;

Template Template::compile(const json::Value& source, std::string_view pointer,
                           const CompileContext& context) {
  return compile(source, pointer, true, context);
}

Template Template::compileText(std::string_view text, const CompileContext& context) {
  return compile(json::text(text), "", false, context);
}

Template Template::compile(const json::Value& source, std::string_view pointer, bool stands_in_file,
                           const CompileContext& context) {
  Template compiled;
  compiled.memory_ = std::make_unique<Arena>(kFirstBlockBytes);
  Compiler compiler(context, stands_in_file, *compiled.memory_, compiled.needs_);
  auto* root = compiled.memory_->make<Node>();
  *root = compiler.compile(source, std::string(pointer));
  compiled.root_ = root;
  return compiled;
}

Template Template::constant(const json::Value& value) {
  Template compiled;
  compiled.memory_ = std::make_unique<Arena>(kFirstBlockBytes);
  auto* root = compiled.memory_->make<Node>();
  root->constant = json::copy(value, *compiled.memory_);
  compiled.root_ = root;
  return compiled;
}

json::Value Template::evaluate(const Scope& scope, Arena& arena, bool allow_raw) const {
  return root_ == nullptr ? json::null() : evaluateNode(*root_, scope, arena, allow_raw);
}

bool Template::isConstant() const {
  return root_ == nullptr || root_->kind == Node::Kind::kConstant;
}

bool Template::isOneAccessor() const {
  return root_ != nullptr && root_->kind == Node::Kind::kAccessor;
}

std::string_view Template::payloadField() const {
  const bool is_field = isOneAccessor() && root_->accessor->kind == Accessor::Kind::kPayload &&
                        root_->accessor->segment_count == 1;
  return is_field ? root_->accessor->segments[0].name : std::string_view();
}

bool Template::isWholePayload() const {
  return isOneAccessor() && root_->accessor->kind == Accessor::Kind::kPayload &&
         root_->accessor->segment_count == 0;
}

}  // namespace sub0::dialect
