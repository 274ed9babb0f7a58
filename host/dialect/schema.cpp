// SPDX-License-Identifier: Apache-2.0
#include "dialect/schema.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "dialect/keys.hpp"

namespace sub0::dialect {

namespace {

std::string jsonText(std::string_view text) {
  std::string out;
  text::appendJsonString(out, text);
  return out;
}

// A JSON object or array in the making, as text.
class Container {
 public:
  explicit Container(char opening) : text_(1, opening) {}

  Container& member(std::string_view name, const std::string& value) {
    return item(jsonText(name) + ":" + value);
  }
  Container& item(const std::string& value) {
    if (text_.size() > 1) text_ += ',';
    text_ += value;
    return *this;
  }
  std::string close() const { return text_ + (text_[0] == '{' ? "}" : "]"); }
  bool isEmpty() const { return text_.size() == 1; }

 private:
  std::string text_;
};

std::string jsonList(const std::vector<std::string_view>& words) {
  Container list('[');
  for (const auto word : words) list.item(jsonText(word));
  return list.close();
}

std::string typesOf(JsonTypes types) {
  constexpr std::pair<JsonTypes, std::string_view> kNames[] = {
      {kText, "string"},  {kWhole, "integer"}, {kReal, "number"},
      {kBool, "boolean"}, {kArray, "array"},   {kObject, "object"}};
  std::vector<std::string_view> names;
  for (const auto& [type, name] : kNames) {
    if (type == kWhole && (types & kReal) != 0) continue;  // a number of any kind
    if ((types & type) != 0) names.push_back(name);
  }
  return names.size() == 1 ? jsonText(names[0]) : jsonList(names);
}

// Two spaces a level; empty containers stay on their line.
std::string indented(std::string_view compact) {
  std::string out;
  std::size_t depth = 0;
  bool is_in_string = false;
  const auto break_line = [&] { out += "\n" + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (is_in_string || c == '"') {
      out += c;
      if (c == '\\' && is_in_string) {
        out += compact[++i];
      } else if (c == '"') {
        is_in_string = !is_in_string;
      }
      continue;
    }
    const bool closes = c == '}' || c == ']';
    const bool opens = c == '{' || c == '[';
    const bool is_empty = closes && (out.back() == '{' || out.back() == '[');
    if (closes) --depth;
    if (closes && !is_empty) break_line();
    out += c;
    if (opens) ++depth;
    const bool is_empty_ahead = opens && (compact[i + 1] == '}' || compact[i + 1] == ']');
    if (c == ':') out += ' ';
    if (c == ',' || (opens && !is_empty_ahead)) break_line();
  }
  return out + "\n";
}

class SchemaMaker {
 public:
  explicit SchemaMaker(const SchemaOptions& options) : options_(options) {
    if (!options_.modes.empty()) return;
    for (const KeyDeclaration& key : actionableDeclaration()) {
      if (!key.mode.empty() && !key.is_of_later_plugin) {
        options_.modes.push_back({std::string(key.mode), std::string(key.name), {}});
      }
      if (key.is_effect) options_.effects.push_back({std::string(key.name), {}});
    }
  }

  std::string make() const {
    const std::string resource = R"({"$ref":"#/definitions/resource"})";
    Container definitions('{');
    definitions.member("resource", object(resourceDeclaration()))
        .member("actionable", object(actionableDeclaration()))
        .member("field_type", object(fieldTypeDeclaration()));
    Container schema('{');
    schema.member("$schema", jsonText("http://json-schema.org/draft-07/schema#"))
        .member("title", jsonText("sub0 resource file"))
        .member("description", jsonText("One resource, or an array of resources (S-1)."))
        .member("if", R"({"type":"array"})")
        .member("then", R"({"items":)" + resource + "}")
        .member("else", resource)
        .member("definitions", definitions.close());
    return indented(schema.close());
  }

  std::string makeModel() const {
    Container schema('{');
    schema.member("$schema", jsonText("http://json-schema.org/draft-07/schema#"))
        .member("title", jsonText("sub0 model file"))
        .member("description", jsonText("The fields of a table, each by its name (S-100)."))
        .member("type", jsonText("object"))
        .member("properties", R"({"$schema":{"type":"string"}})")
        .member("propertyNames", R"({"pattern":"^(\\$schema|[A-Za-z_][A-Za-z0-9_]{0,62})$"})")
        .member("minProperties", "1");
    addObject(schema, modelDeclaration());
    return indented(schema.close());
  }

 private:
  // The schema that the plugin gives to one of its keys; null if no plugin has that key.
  const std::string* schemaOfPlugin(std::string_view key) const {
    for (const ModeDeclaration& one : options_.modes) {
      if (one.config_key == key) return &one.schema;
    }
    for (const EffectDeclaration& one : options_.effects) {
      if (one.key == key) return &one.schema;
    }
    return nullptr;
  }

  static std::string description(const KeyDeclaration& key, std::string_view more) {
    std::string text = std::string(key.text) + " (" + std::string(key.rule) + ")";
    if (!key.of_types.empty()) {
      text += "; for";
      for (const auto type : text::split(key.of_types, "|")) text += " " + std::string(type);
    }
    if (!key.later_values.empty()) {
      text += "; not yet: ";
      const auto later = text::split(key.later_values, "|");
      for (const auto value : later) {
        text += std::string(value) + (value == later.back() ? "" : ", ");
      }
    }
    return jsonText(text + std::string(more));
  }

  std::string object(const ObjectDeclaration& declaration) const {
    Container schema('{');
    addObject(schema.member("type", jsonText("object")), declaration);
    return schema.close();
  }

  void addObject(Container& schema, const ObjectDeclaration& declaration) const {
    if (declaration.each != nullptr) {
      schema.member("additionalProperties", declaration.each == &fieldTypeDeclaration()
                                                ? R"({"$ref":"#/definitions/field_type"})"
                                                : object(*declaration.each));
      return;
    }
    const bool is_actionable = &declaration == &actionableDeclaration();
    Container properties('{');
    Container required('[');
    Container needs('{');
    Container needed_by_type('[');
    for (const KeyDeclaration& key : declaration) {
      properties.member(key.name, property(key, is_actionable));
      if (key.required && key.of_types.empty() && key.unless.empty()) {
        required.item(jsonText(key.name));
      }
      if (key.required && !key.unless.empty())
        schema.member("anyOf", eitherOf(key.name, key.unless));
      if (key.required && !key.of_types.empty()) needed_by_type.item(ofItsTypes(key));
      if (!key.needs.empty()) needs.member(key.name, neededBeside(key));
    }
    if (is_actionable) addKeysOfPlugins(properties);
    schema.member("properties", properties.close());
    if (!required.isEmpty()) schema.member("required", required.close());
    if (!needs.isEmpty()) schema.member("dependencies", needs.close());
    if (is_actionable) schema.member("allOf", keysOfModes());
    if (!needed_by_type.isEmpty()) schema.member("allOf", needed_by_type.close());
    if (options_.strict) schema.member("additionalProperties", "false");
  }

  // A key that is needed where another one does not stand beside it.
  static std::string eitherOf(std::string_view key, std::string_view other) {
    return R"([{"required":[)" + jsonText(key) + R"(]},{"required":[)" + jsonText(other) + "]}]";
  }

  // What a key needs beside it, as draft-07 says dependencies.
  static std::string neededBeside(const KeyDeclaration& key) {
    Container ways('[');
    ways.item(R"({"properties":{)" + jsonText(key.name) + R"(:{"enum":)" + absent(key) + "}}}");
    ways.item(R"({"required":[)" + jsonText(key.needs) + "]}");
    if (!key.unless.empty()) ways.item(R"({"required":[)" + jsonText(key.unless) + "]}");
    return R"({"anyOf":)" + ways.close() + "}";
  }

  // A key that some values of `type` need.
  static std::string ofItsTypes(const KeyDeclaration& key) {
    return R"({"if":{"properties":{"type":{"enum":)" + jsonList(text::split(key.of_types, "|")) +
           R"(}},"required":["type"]},"then":{"required":[)" + jsonText(key.name) + "]}}";
  }

  void addKeysOfPlugins(Container& properties) const {
    std::vector<std::string> keys;
    for (const ModeDeclaration& one : options_.modes) keys.push_back(one.config_key);
    for (const EffectDeclaration& one : options_.effects) keys.push_back(one.key);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto here = keys.begin() + static_cast<std::ptrdiff_t>(i);
      if (keys[i].empty() || actionableDeclaration().find(keys[i]) != nullptr ||
          std::find(keys.begin(), here, keys[i]) != here) {
        continue;
      }
      const std::string& schema = *schemaOfPlugin(keys[i]);
      properties.member(keys[i], schema.empty() ? "{}" : schema);
    }
  }

  // Each mode needs its key (S-40).
  std::string keysOfModes() const {
    Container rules('[');
    for (const ModeDeclaration& mode : options_.modes) {
      if (mode.config_key.empty()) continue;
      rules.item(R"({"if":{"properties":{"mode":{"const":)" + jsonText(mode.mode) +
                 R"(}},"required":["mode"]},"then":{"required":[)" + jsonText(mode.config_key) +
                 "]}}");
    }
    return rules.close();
  }

  // What counts as a missing key (withoutAbsent).
  static std::string absent(const KeyDeclaration& key) {
    if (key.may_be_off) return "[false,null,0,[]]";
    return key.types == kObject && key.of_types.empty() ? "[false,null]" : "[null]";
  }

  std::string property(const KeyDeclaration& key, bool is_of_actionable) const {
    const std::string* const of_plugin = is_of_actionable ? schemaOfPlugin(key.name) : nullptr;
    if (of_plugin != nullptr && key.support == Support::kOffOnly) {
      return of_plugin->empty() ? "{}" : *of_plugin;
    }
    const bool is_missing_effect = key.is_effect && of_plugin == nullptr;
    Container schema('{');
    if (key.support == Support::kNever || key.support == Support::kNotYet || is_missing_effect) {
      schema.member("description",
                    description(key, key.support == Support::kNever ? "; not supported"
                                                                    : "; not supported yet"));
      return schema.member("enum", "[null]").close();
    }
    if (key.support == Support::kOffOnly) {
      schema.member("description",
                    description(key, "; not supported yet: only values that switch it off"));
      return schema
          .member("enum", key.is_off_when_empty ? "[false,null,0,[],{}]" : "[false,null,0,[]]")
          .close();
    }
    schema.member("description", description(key, ""));
    if (key.types != kAnyType && !key.required) {
      Container value('{');
      addValue(value, key, is_of_actionable);
      schema.member("anyOf", R"([{"enum":)" + absent(key) + "}," + value.close() + "]");
    } else {
      addValue(schema, key, is_of_actionable);
    }
    return schema.close();
  }

  void addValue(Container& schema, const KeyDeclaration& key, bool is_of_actionable) const {
    if (key.types != kAnyType) schema.member("type", typesOf(key.types));
    if (is_of_actionable && key.name == "mode") {
      std::vector<std::string_view> modes;
      for (const ModeDeclaration& one : options_.modes) modes.push_back(one.mode);
      schema.member("enum", jsonList(modes));
    } else if (!key.values.empty()) {
      schema.member("enum", jsonList(text::split(key.values, "|")));
    }
    if (key.least != INT64_MIN) schema.member("minimum", std::to_string(key.least));
    if (key.most != INT64_MAX) schema.member("maximum", std::to_string(key.most));
    if (!key.may_be_empty) {
      schema.member((key.types & kText) != 0    ? "minLength"
                    : (key.types & kArray) != 0 ? "minItems"
                                                : "minProperties",
                    "1");
    }
    if ((key.types & kArray) != 0 && key.types != kAnyType) {
      schema.member("items", items(key));
    } else if (key.members != nullptr) {
      addObject(schema, *key.members);
    }
  }

  std::string items(const KeyDeclaration& key) const {
    if (key.members == &actionableDeclaration()) return R"({"$ref":"#/definitions/actionable"})";
    if (key.members != nullptr) return object(*key.members);
    return key.item_types == kAnyType ? "{}" : R"({"type":)" + typesOf(key.item_types) + "}";
  }

  SchemaOptions options_;
};

}  // namespace

std::string resourceSchema(const SchemaOptions& options) { return SchemaMaker(options).make(); }

std::string modelSchema(const SchemaOptions& options) { return SchemaMaker(options).makeModel(); }

}  // namespace sub0::dialect
