// SPDX-License-Identifier: Apache-2.0
#include "dialect/table_model_reader.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "dialect/keys.hpp"
#include "dialect/resource_reader.hpp"
#include "dialect/suggest.hpp"
#include "dialect/table_names.hpp"

namespace sub0::dialect {
namespace {

constexpr std::pair<std::string_view, ModelType> kModelTypes[] = {
    {"String", ModelType::kString},        {"Number", ModelType::kNumber},
    {"Float", ModelType::kFloat},          {"Boolean", ModelType::kBoolean},
    {"DateTime", ModelType::kDateTime},    {"JSON_OBJECT", ModelType::kJsonObject},
    {"JSON_ARRAY", ModelType::kJsonArray},
};

std::string pointerTo(std::string_view field) {
  std::string pointer;
  json::appendPointerSegment(pointer, field);
  return pointer;
}

std::string modelNameOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  return file.substr(0, file.size() - std::string_view(".json").size());
}

class ModelReader {
 public:
  ModelReader(const SourceFile& file, bool strict, Problems& problems)
      : file_(file), strict_(strict), problems_(problems) {}

  TableModel read() {
    model_.name = modelNameOf(file_.path());
    model_.place = Spot{&file_, ""};
    const json::Value& root = file_.root();
    if (!json::isObject(root)) {
      error("", "a model is an object of fields, {\"email\": {\"type\": \"String\"}}");
      return std::move(model_);
    }
    if (root.count == (json::find(root, "$schema") == nullptr ? 0u : 1u)) {
      error("", "the model has no field");
    }
    (void)checkObject(root, modelDeclaration(), "", KeyCheck{file_, problems_, strict_, nullptr});
    for (std::size_t i = 0; i < root.count; ++i) {
      const json::Member& member = root.as.members[i];
      if (json::isObject(member.value)) readField(json::toText(member.key), member.value);
    }
    return std::move(model_);
  }

 private:
  void error(const std::string& pointer, std::string message, std::string_view rule = "S-100") {
    problems_.error(file_.at(pointer), rule, std::move(message));
  }

  void readField(std::string_view name, const json::Value& source) {
    ModelField field;
    field.name = name;
    const std::string type = textOf(source, "type");
    const auto* const known = std::find_if(std::begin(kModelTypes), std::end(kModelTypes),
                                           [&](const auto& pair) { return pair.first == type; });
    if (known == std::end(kModelTypes)) return;  // its declaration said so
    field.type = known->second;
    field.optional = boolOf(source, "optional");
    field.primary_key = boolOf(source, "primary_key");
    field.auto_increment = boolOf(source, "auto_increment");
    field.indexable = boolOf(source, "indexable");
    field.fts = boolOf(source, "fts") && field.type == ModelType::kString;
    const json::Value* const length = json::find(source, "max_length");
    if (length != nullptr && length->type == SUB0_INT && length->as.i > 0 &&
        field.type == ModelType::kString) {
      field.max_length = length->as.i;
    }
    checkField(field);
    model_.fields.push_back(std::move(field));
  }

  void checkField(const ModelField& field) {
    const std::string pointer = pointerTo(field.name);
    if (!isIdentifier(field.name)) {
      error(pointer, "the field's name \"" + field.name +
                         "\" cannot be that of a column: letters, digits and _, at most 63, no "
                         "digit first");
    }
    for (const ModelField& other : model_.fields) {
      if (text::equalsIgnoreCase(other.name, field.name)) {
        error(pointer, "fields \"" + other.name + "\" and \"" + field.name +
                           "\" differ in case only: to some databases they are one column");
      }
      if (other.primary_key && field.primary_key) {
        error(pointer + "/primary_key",
              "a model has one primary key; \"" + other.name + "\" is one already");
      }
    }
    if (field.primary_key && field.optional) {
      error(pointer + "/optional", "a primary key cannot be optional");
    }
    if (!field.auto_increment) return;
    if (field.type != ModelType::kNumber) {
      error(pointer + "/auto_increment",
            "auto_increment is for type Number, not " + std::string(nameOf(field.type)), "S-104");
    } else if (!field.primary_key) {
      error(pointer + "/auto_increment",
            "auto_increment needs primary_key beside it: it is the key that is numbered", "S-104");
    }
  }

  const SourceFile& file_;
  const bool strict_;
  Problems& problems_;
  TableModel model_;
};

// What models say about each other.
class ModelLinker {
 public:
  ModelLinker(std::vector<TableModel>& models, Problems& problems)
      : models_(models), problems_(problems) {}

  void link() {
    for (TableModel& model : models_) {
      const json::Value& root = model.place.file->root();
      for (ModelField& field : model.fields) {
        const json::Value* const source = json::find(root, field.name);
        const json::Value* const key = json::find(*source, "foreign_key");
        if (key != nullptr && json::isObject(*key)) linkKey(model, field, *key);
      }
    }
  }

 private:
  void error(const TableModel& model, const std::string& pointer, std::string message,
             std::string suggestion = {}) {
    problems_.error(model.place.file->at(pointer), "S-100", std::move(message),
                    std::move(suggestion));
  }

  void linkKey(const TableModel& model, ModelField& field, const json::Value& source) {
    const std::string pointer = pointerTo(field.name) + "/foreign_key";
    const std::string of = textOf(source, "of");
    const std::string key = textOf(source, "key");
    if (of.empty() || key.empty()) return;  // its declaration said so
    const std::vector<std::size_t> meant = modelsCalled(of);
    if (meant.empty()) {
      std::vector<std::string_view> names;
      for (const TableModel& other : models_) names.push_back(other.name);
      error(model, pointer + "/of", "no model is called \"" + of + "\"", suggest(of, names));
    } else if (meant.size() > 1) {
      error(model, pointer + "/of",
            "\"" + of + "\" may be model " + models_[meant[0]].name + " or " +
                models_[meant[1]].name + ": write its name");
    } else {
      linkTo(model, field, pointer, meant.front(), key);
    }
  }

  void linkTo(const TableModel& model, ModelField& field, const std::string& pointer,
              std::size_t index, const std::string& key) {
    const TableModel& other = models_[index];
    const ModelField* const target = other.find(key);
    if (target == nullptr) {
      std::vector<std::string_view> names;
      for (const ModelField& one : other.fields) names.push_back(one.name);
      error(model, pointer + "/key", "model " + other.name + " has no field \"" + key + "\"",
            suggest(key, names));
    } else if (!target->primary_key) {
      error(model, pointer + "/key",
            "a foreign key refers to a primary key; \"" + key + "\" of model " + other.name +
                " is none");
    } else if (target->type != field.type) {
      error(model, pointer,
            "it is a " + std::string(nameOf(field.type)) + ", but \"" + key + "\" of model " +
                other.name + " is a " + std::string(nameOf(target->type)));
    } else {
      field.foreign_key = ForeignKey{index, key};
    }
  }

  std::vector<std::size_t> modelsCalled(const std::string& name) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < models_.size(); ++i) {
      if (models_[i].name == name) return {i};
      std::vector<std::string> names = tableCandidates(models_[i].name);
      if (models_[i].settled_table) names.push_back(*models_[i].settled_table);
      if (std::find(names.begin(), names.end(), name) != names.end()) found.push_back(i);
    }
    return found;
  }

  std::vector<TableModel>& models_;
  Problems& problems_;
};

// models/_names.json: model → table. spec S-101
void settleTables(const SourceFile& names, std::vector<TableModel>& models, Problems& problems) {
  const json::Value& root = names.root();
  if (!json::isObject(root)) {
    problems.error(names.at(""), "S-101",
                   "_names.json is an object of models and their tables, {\"_user\": \"users\"}");
    return;
  }
  for (std::size_t i = 0; i < root.count; ++i) {
    const json::Member& member = root.as.members[i];
    const std::string name(json::toText(member.key));
    if (name == "$schema") continue;
    const std::string pointer = pointerTo(name);
    const auto model = std::find_if(models.begin(), models.end(),
                                    [&](const TableModel& one) { return one.name == name; });
    if (model == models.end()) {
      std::vector<std::string_view> known;
      for (const TableModel& one : models) known.push_back(one.name);
      problems.error(names.atKey(pointer), "S-101", "no model is called \"" + name + "\"",
                     suggest(name, known));
    } else if (!json::isText(member.value) || !isIdentifier(json::chars(member.value))) {
      problems.error(names.at(pointer), "S-101",
                     "a table's name is a text of letters, digits and _, at most 63, no digit "
                     "first");
    } else {
      model->settled_table = json::chars(member.value);
    }
  }
}

}  // namespace

std::string_view nameOf(ModelType type) {
  const auto* const found = std::find_if(std::begin(kModelTypes), std::end(kModelTypes),
                                         [type](const auto& pair) { return pair.second == type; });
  return found->first;
}

const ModelField* TableModel::find(std::string_view field) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [field](const ModelField& one) { return one.name == field; });
  return found == fields.end() ? nullptr : &*found;
}

std::vector<TableModel> readModels(const std::vector<std::unique_ptr<SourceFile>>& files,
                                   const SourceFile* names, bool strict, Problems& problems) {
  std::vector<TableModel> models;
  for (const auto& file : files) models.push_back(ModelReader(*file, strict, problems).read());
  if (names != nullptr) settleTables(*names, models, problems);
  for (const TableModel& model : models) {
    if (model.settled_table || isIdentifier(model.name)) continue;
    problems.error(model.place, "S-100",
                   "the model's name \"" + model.name +
                       "\" cannot be that of a table: letters, digits and _, at most 63, no digit "
                       "first; rename the file, or name its table in models/_names.json");
  }
  ModelLinker(models, problems).link();
  return models;
}

}  // namespace sub0::dialect
