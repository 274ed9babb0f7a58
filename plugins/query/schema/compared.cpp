// SPDX-License-Identifier: Apache-2.0
#include "schema/compared.hpp"

#include <algorithm>

namespace sub0::query {
namespace {

bool isTakenAway(const ExistingTable& table, const ExistingReference& reference,
                 const std::vector<Compared>& all) {
  return std::any_of(all.begin(), all.end(), [&](const Compared& compared) {
    return compared.existing == &table &&
           std::any_of(compared.changes.begin(), compared.changes.end(), [&](const Change& change) {
             return change.reference == &reference ||
                    (change.kind == ChangeKind::kDropColumn && change.name == reference.column);
           });
  });
}

bool changesType(const std::vector<Compared>& all, const std::string& table,
                 const std::string& column, bool allows) {
  return std::any_of(all.begin(), all.end(), [&](const Compared& compared) {
    return compared.existing->name == table &&
           std::any_of(compared.changes.begin(), compared.changes.end(), [&](const Change& change) {
             return change.kind == ChangeKind::kChangeType && isSameName(change.name, column) &&
                    (allows || !change.is_destructive);
           });
  });
}

bool isSaid(const Compared& compared, const ExistingReference& there) {
  const Column* const column = compared.wanted->find(there.column);
  return column != nullptr && column->reference && there.is_whole && there.is_plain &&
         column->reference->table == there.table &&
         isSameName(column->reference->column, there.key);
}

}  // namespace

bool touchesReferences(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kDropColumn:
    case ChangeKind::kChangeType:
    case ChangeKind::kRequire:
    case ChangeKind::kRelax:
    case ChangeKind::kAddIdentity:
    case ChangeKind::kDropReference:
    case ChangeKind::kAddReference:
      return true;
    default:
      return false;
  }
}

std::string reasonAgainstDrop(const ExistingTable& table,
                              const std::vector<const ExistingTable*>& gone,
                              const std::vector<ExistingTable>& existing,
                              const std::vector<Compared>& compared, bool ignores_case) {
  for (const ExistingTable& other : existing) {
    if (std::find(gone.begin(), gone.end(), &other) != gone.end()) {
      continue;
    }
    for (const ExistingReference& reference : other.references) {
      const bool leads_here =
          ignores_case ? isSameName(reference.table, table.name) : reference.table == table.name;
      if (leads_here && !isTakenAway(other, reference, compared)) {
        return "column " + reference.column + " of table " + other.name +
               " refers to it, and no migration takes that away: do so by SQL";
      }
    }
  }
  return {};
}

void detachReferences(std::vector<Compared>& all, bool allows) {
  for (Compared& compared : all) {
    for (const ExistingReference& reference : compared.existing->references) {
      if (!isSaid(compared, reference) ||
          (!changesType(all, compared.existing->name, reference.column, allows) &&
           !changesType(all, reference.table, reference.key, allows))) {
        continue;
      }
      for (const ChangeKind kind : {ChangeKind::kDropReference, ChangeKind::kAddReference}) {
        Change change;
        change.kind = kind;
        change.name = compared.wanted->find(reference.column)->name;
        change.reference = &reference;
        compared.changes.push_back(std::move(change));
      }
    }
  }
}

}  // namespace sub0::query
