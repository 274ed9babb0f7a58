// SPDX-License-Identifier: Apache-2.0
#include "dialect/table_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace sub0::dialect {
namespace {

constexpr std::size_t kMaxIdentifierBytes = 63;

constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kIrregular = {{
    {"person", "people"},      {"child", "children"},    {"man", "men"},
    {"woman", "women"},        {"foot", "feet"},         {"tooth", "teeth"},
    {"mouse", "mice"},         {"goose", "geese"},       {"life", "lives"},
    {"wife", "wives"},         {"knife", "knives"},      {"leaf", "leaves"},
    {"half", "halves"},        {"shelf", "shelves"},     {"wolf", "wolves"},
    {"quiz", "quizzes"},       {"hero", "heroes"},       {"potato", "potatoes"},
    {"tomato", "tomatoes"},    {"datum", "data"},        {"medium", "media"},
    {"criterion", "criteria"}, {"analysis", "analyses"}, {"basis", "bases"},
    {"series", "series"},      {"news", "news"},         {"equipment", "equipment"},
}};

// Words that have these plurals besides the regular ones.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kSecond = {{
    {"index", "indices"},
    {"matrix", "matrices"},
    {"vertex", "vertices"},
    {"vortex", "vortices"},
    {"apex", "apices"},
    {"codex", "codices"},
    {"cortex", "cortices"},
    {"appendix", "appendices"},
    {"helix", "helices"},
    {"radix", "radices"},
}};

// They end in -man, and no man is in them.
constexpr std::array<std::string_view, 10> kNoMan = {"human",  "german", "talisman", "shaman",
                                                     "roman",  "norman", "ottoman",  "caiman",
                                                     "cayman", "brahman"};

bool endsIn(std::string_view word, std::string_view end) {
  return word.size() >= end.size() && word.substr(word.size() - end.size()) == end;
}

bool isVowel(char c) { return std::string_view("aeiou").find(c) != std::string_view::npos; }

// Of a word in small letters.
std::string regularPlural(std::string_view word) {
  std::string plural(word);
  if (word.size() > 1 && word.back() == 'y' && !isVowel(word[word.size() - 2])) {
    plural.pop_back();
    return plural + "ies";
  }
  for (const std::string_view end : {"s", "x", "z", "ch", "sh"}) {
    if (endsIn(word, end)) return plural + "es";
  }
  return plural + "s";
}

// The plural that a word in small letters has besides the other one: index → indices, and by the
// end of a compound salesman → salesmen; empty: none.
std::string secondPlural(std::string_view word) {
  if (std::find(kNoMan.begin(), kNoMan.end(), word) != kNoMan.end()) return {};
  for (const auto& [singular, plural] : kSecond) {
    if (endsIn(word, singular))
      return std::string(word.substr(0, word.size() - singular.size())) + std::string(plural);
  }
  if (!endsIn(word, "man") || word.size() == 3) return {};
  return std::string(word.substr(0, word.size() - 3)) + "men";
}

void addOnce(std::vector<std::string>& names, std::string name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(std::move(name));
  }
}

bool isCandidate(const std::vector<std::string>& candidates, std::string_view table) {
  return std::any_of(candidates.begin(), candidates.end(), [table](const std::string& candidate) {
    return text::equalsIgnoreCase(candidate, table);
  });
}

std::string placeText(const Spot& spot) {
  const Place place = spot;
  return place.file + ":" + std::to_string(place.position.line);
}

// What SQL uses, and how to mend it where that is not one thing. spec S-101
TableChoice choose(const TableModel& model, const std::vector<TableUse>& uses, Problems& problems) {
  if (model.settled_table) return {*model.settled_table, true};
  const std::vector<std::string> candidates = tableCandidates(model.name);
  const TableUse* used = nullptr;
  for (const TableUse& use : uses) {
    if (!isCandidate(candidates, use.table)) continue;
    if (used == nullptr) {
      used = &use;
    } else if (used->table != use.table) {
      problems.error(model.place, "S-101",
                     "model " + model.name + " may be the table \"" + used->table + "\" (" +
                         placeText(used->place) + ") or \"" + use.table + "\" (" +
                         placeText(use.place) +
                         "): use one of them, or settle it in models/_names.json: {\"" +
                         model.name + "\": \"" + used->table + "\"}");
      break;
    }
  }
  return used == nullptr ? TableChoice{model.name, false} : TableChoice{used->table, true};
}

// Where a database keeps a table's words in a table of their own, that is TABLE_fts. spec S-100
void checkWords(const std::vector<TableModel>& models, const std::vector<TableChoice>& choices,
                std::size_t index, Problems& problems) {
  const TableModel& model = models[index];
  const bool has_words = std::any_of(model.fields.begin(), model.fields.end(),
                                     [](const ModelField& field) { return field.fts; });
  for (std::size_t i = 0; has_words && i < models.size(); ++i) {
    if (!text::equalsIgnoreCase(choices[i].table, choices[index].table + "_fts")) continue;
    problems.error(models[i].place, "S-100",
                   "model " + models[i].name + " is the table \"" + choices[i].table +
                       "\", which holds the words of model " + model.name +
                       ", because of its fts: name it otherwise in models/_names.json");
  }
}

// Plurals are longer than their models, and some names are taken by those who keep tables.
void checkTableName(const TableModel& model, const TableChoice& choice, Problems& problems) {
  const auto refuse = [&](const std::string& why) {
    problems.error(model.place, "S-101",
                   "model " + model.name + " is the table \"" + choice.table + "\", " + why +
                       ": name the table otherwise in models/_names.json");
  };
  if (choice.table.size() > kMaxIdentifierBytes) {
    refuse("whose name has " + std::to_string(choice.table.size()) + " bytes, of at most " +
           std::to_string(kMaxIdentifierBytes));
  }
  for (const std::string_view taken : {"sqlite_", "_sub0_"}) {
    if (text::equalsIgnoreCase(choice.table.substr(0, taken.size()), taken)) {
      refuse("and names that begin with " + std::string(taken) +
             (taken == "_sub0_" ? " are the host's own" : " are SQLite's own"));
    }
  }
}

}  // namespace

std::vector<std::string> pluralsOf(std::string_view name) {
  const std::size_t underscore = name.rfind('_');
  const std::size_t begin = underscore == std::string_view::npos ? 0 : underscore + 1;
  const std::string word = text::toLower(name.substr(begin));
  if (word.empty()) return {std::string(name)};
  const auto irregular = std::find_if(kIrregular.begin(), kIrregular.end(),
                                      [&word](const auto& pair) { return pair.first == word; });
  const bool is_irregular = irregular != kIrregular.end();
  std::vector<std::string> plurals;
  addOnce(plurals, is_irregular ? std::string(irregular->second) : regularPlural(word));
  if (!is_irregular) addOnce(plurals, secondPlural(word));
  for (std::string& plural : plurals) {
    std::string made(name.substr(0, begin));
    // Letters that both have stay as they were written: UserRole, UserRoles.
    for (std::size_t i = 0; i < plural.size(); ++i) {
      const bool is_same = i < word.size() && word.compare(0, i + 1, plural, 0, i + 1) == 0;
      made += is_same ? name[begin + i] : plural[i];
    }
    plural = std::move(made);
  }
  return plurals;
}

std::vector<std::string> tableCandidates(std::string_view model) {
  const std::string_view bare = model.substr(std::min(model.find_first_not_of('_'), model.size()));
  std::vector<std::string> names;
  addOnce(names, std::string(model));
  addOnce(names, std::string(bare));
  for (const std::string_view name : {model, bare}) {
    for (std::string& plural : pluralsOf(name)) addOnce(names, std::move(plural));
  }
  return names;
}

bool isIdentifier(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && name.size() <= kMaxIdentifierBytes && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

std::vector<TableChoice> chooseTables(const std::vector<TableModel>& models,
                                      const std::vector<TableUse>& uses, Problems& problems) {
  std::vector<TableChoice> choices;
  for (const TableModel& model : models) {
    TableChoice choice = choose(model, uses, problems);
    checkTableName(model, choice, problems);
    for (std::size_t i = 0; i < choices.size(); ++i) {
      if (!text::equalsIgnoreCase(choices[i].table, choice.table)) continue;
      problems.error(model.place, "S-101",
                     "models " + models[i].name + " and " + model.name + " are both the table \"" +
                         choice.table +
                         "\": keep one of them, or name their tables in models/_names.json");
    }
    choices.push_back(std::move(choice));
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    checkWords(models, choices, i, problems);
  }
  return choices;
}

}  // namespace sub0::dialect
