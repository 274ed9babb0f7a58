// SPDX-License-Identifier: Apache-2.0
#include "app/migration.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>

#include "sub0/plugin/value.hpp"
#include "sub0/schema.h"

namespace sub0::app {
namespace {

constexpr std::chrono::milliseconds kLook{100};

using Done = std::function<void(const MigrationResult&)>;

Tree fieldTree(const dialect::ModelField& field, const dialect::Project& project) {
  Tree tree{{"name", field.name}, {"type", dialect::nameOf(field.type)}};
  const std::pair<const char*, bool> flags[] = {{"optional", field.optional},
                                                {"primary_key", field.primary_key},
                                                {"auto_increment", field.auto_increment},
                                                {"indexable", field.indexable},
                                                {"fts", field.fts}};
  for (const auto& [name, is_set] : flags) {
    if (is_set) tree.set(name, Literal(true));
  }
  if (field.max_length) tree.set("max_length", Literal(*field.max_length));
  if (field.foreign_key) {
    tree.set("foreign_key", {{"model", project.models()[field.foreign_key->model].name},
                             {"key", field.foreign_key->key}});
  }
  return tree;
}

Tree modelTree(const dialect::TableModel& model, const dialect::TableChoice& choice,
               const std::vector<std::string>& unique_fields, const dialect::Project& project) {
  Tree tree{{"model", model.name}, {"table", choice.table}, {"is_used", choice.is_used}};
  Tree fields = Tree::array();
  for (const dialect::ModelField& field : model.fields) fields.push(fieldTree(field, project));
  tree.set("fields", fields);
  Tree unique = Tree::array();
  for (const std::string& field : unique_fields) unique.push(Tree::array().push(Literal(field)));
  tree.set("unique", unique);
  return tree;
}

Tree modelsTree(const call::PlanSet& plans) {
  Tree models = Tree::array();
  const dialect::Project& project = plans.project();
  for (std::size_t i = 0; i < project.models().size(); ++i) {
    models.push(
        modelTree(project.models()[i], plans.tables()[i], plans.uniqueFields()[i], project));
  }
  return models;
}

MigrationStep stepOf(Value step) {
  MigrationStep read;
  read.table = step.find("table").asText();
  read.text = step.find("text").asText();
  const std::string_view kind = step.find("kind").asText();
  if (kind == "note") read.kind = MigrationStep::Kind::kNote;
  if (kind == "destructive") read.kind = MigrationStep::Kind::kDestructive;
  if (kind == "done") read.kind = MigrationStep::Kind::kDone;
  return read;
}

void onMigrated(void* user, std::int32_t code, const sub0_value* steps,
                const sub0_text_view* message) {
  const std::unique_ptr<Done> done(static_cast<Done*>(user));
  MigrationResult result;
  result.code = code;
  if (message != nullptr) result.message = json::toText(*message);
  for (const Value step : Value(steps).items()) result.steps.push_back(stepOf(step));
  (*done)(result);
}

}  // namespace

std::size_t MigrationResult::count(MigrationStep::Kind kind) const {
  return static_cast<std::size_t>(std::count_if(
      steps.begin(), steps.end(), [kind](const MigrationStep& step) { return step.kind == kind; }));
}

Migration::Migration(const plugin::Registry& registry, const call::PlanSet& plans)
    : plans_(plans), extension_(registry.extension(SUB0_SCHEMA_EXTENSION)) {}

void Migration::begin(std::uint32_t flags, Done done) const {
  const auto& schema = *static_cast<const sub0_schema*>(extension_.table);
  const Tree models = modelsTree(plans_);
  auto user = std::make_unique<Done>(std::move(done));
  const std::int32_t status =
      schema.migrate(extension_.self, &models.raw(), flags, onMigrated, user.get());
  if (status == SUB0_OK) {
    (void)user.release();  // onMigrated frees it
    return;
  }
  MigrationResult refused;
  refused.code = status;
  refused.message = status == SUB0_BUSY ? "another migration is under way"
                                        : "the plugin " + extension_.plugin->id + " refused";
  (*user)(refused);
}

std::optional<MigrationResult> Migration::run(std::uint32_t flags,
                                              const std::function<bool()>& gives_up) const {
  // Shared: the migration may outlive the wait.
  const auto promise = std::make_shared<std::promise<MigrationResult>>();
  auto future = promise->get_future();
  begin(flags, [promise](const MigrationResult& result) { promise->set_value(result); });
  while (future.wait_for(kLook) != std::future_status::ready) {
    if (gives_up()) return std::nullopt;
  }
  return future.get();
}

}  // namespace sub0::app
