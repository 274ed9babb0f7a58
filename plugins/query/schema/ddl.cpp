// SPDX-License-Identifier: Apache-2.0
#include "schema/ddl.hpp"

#include <sub0/plugin/value.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace sub0::query {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::string_view kMark = "sub0 model ";
constexpr std::string_view kOf = " of project ";

std::string quoted(std::string_view text, char quote) {
  std::string made(1, quote);
  for (const char c : text) {
    made.append(c == quote ? 2 : 1, c);
  }
  return made + quote;
}

// FNV-1a
template <typename Hash>
Hash hashOf(std::string_view text, Hash start, Hash prime) {
  Hash hash = start;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  }
  return hash;
}

// A name that is cut, or was taken, and what makes it another: at most 63 bytes.
std::string withHash(std::string_view name, std::string_view hashed) {
  std::array<char, 10> hash{};
  std::snprintf(hash.data(), hash.size(), "_%08x",
                static_cast<unsigned>(hashOf<std::uint32_t>(hashed, 2166136261U, 16777619U)));
  return std::string(name.substr(0, kLongestName - 9)) + hash.data();
}

}  // namespace

std::string quotedName(std::string_view name) { return quoted(name, '"'); }
std::string quotedText(std::string_view text) { return quoted(text, '\''); }

std::string nameList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += (list.empty() ? "" : ", ") + quotedName(name);
  }
  return list;
}

std::string indexName(std::string_view table, const std::vector<std::string>& columns,
                      std::string_view suffix) {
  std::string name(table);
  for (const std::string& column : columns) {
    name += "_" + column;
  }
  name += "_" + std::string(suffix);
  if (name.size() <= kLongestName) {
    return name;
  }
  return withHash(name, name);
}

void Names::add(std::string_view name) { addNew(name); }

bool Names::addNew(std::string_view name) {
  std::string small(name);
  std::transform(small.begin(), small.end(), small.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
  });
  return taken_.insert(std::move(small)).second;
}

std::string Names::take(std::string_view table, const std::vector<std::string>& columns,
                        std::string_view suffix) {
  const std::string wanted = indexName(table, columns, suffix);
  std::string name = wanted;
  std::string hashed = std::string(table) + "/" + nameList(columns);
  while (!addNew(name)) {
    name = withHash(wanted, hashed);
    hashed += "/";
  }
  return name;
}

bool isNameOfOurs(std::string_view name, std::string_view table,
                  const std::vector<std::string>& columns, std::string_view suffix) {
  constexpr int kTries = 4;
  const std::string wanted = indexName(table, columns, suffix);
  std::string hashed = std::string(table) + "/" + nameList(columns);
  bool is_ours = name == wanted;
  for (int i = 0; i < kTries && !is_ours; ++i) {
    is_ours = name == withHash(wanted, hashed);
    hashed += "/";
  }
  return is_ours;
}

std::string createIndex(Names& names, std::string_view table,
                        const std::vector<std::string>& columns, bool is_unique) {
  return std::string("CREATE ") + (is_unique ? "UNIQUE " : "") + "INDEX " +
         quotedName(names.take(table, columns, is_unique ? "key" : "idx")) + " ON " +
         quotedName(table) + " (" + nameList(columns) + ")";
}

Misfit tooLong(const std::string& length, std::int64_t most) {
  if (most <= 0) {
    return {};
  }
  const std::string bound = std::to_string(most);
  return {length + " > " + bound, "values of more than " + bound + " characters",
          "shorten them, or give the field a max_length that holds them"};
}

Misfit withFraction(const std::string& column) {
  const std::string name = quotedName(column);
  return {name + " <> round(" + name + ")", "values with a fraction",
          "round them (UPDATE), or keep the field a Float"};
}

Misfit notZeroOrOne(const std::string& column) {
  return {quotedName(column) + " NOT IN (0, 1)", "values other than 0 and 1",
          "set them to one of these (UPDATE), or keep the field a Number"};
}

std::string projectMark(std::string_view project) {
  std::array<char, 17> hash{};
  std::snprintf(hash.data(), hash.size(), "%016llx",
                static_cast<unsigned long long>(
                    hashOf<std::uint64_t>(project, 14695981039346656037ULL, 1099511628211ULL)));
  return hash.data();
}

std::string textOf(const Mark& mark) {
  return std::string(kMark) + mark.model + std::string(kOf) + mark.project;
}

Mark markIn(std::string_view text) {
  const std::size_t begin = text.find(kMark);
  if (begin == std::string_view::npos) {
    return {};
  }
  const std::string_view rest = text.substr(begin + kMark.size());
  const std::size_t end = std::min(rest.find(' '), rest.size());
  Mark mark{std::string(rest.substr(0, end)), ""};
  if (rest.substr(end, kOf.size()) == kOf) {
    const std::string_view project = rest.substr(end + kOf.size());
    mark.project = project.substr(0, project.find(' '));
  }
  return mark;
}

bool Rows::read(SqlSession& session, std::string_view sql, Failure& failure) {
  root_ = nullptr;
  if (sql.empty()) {
    return true;
  }
  tree_ = session.execute(sql, false, sub0_value{}, failure);
  if (tree_ == nullptr) {
    return false;
  }
  root_ = &tree_->finish();
  return true;
}

std::size_t Rows::size() const {
  return root_ == nullptr || root_->type == SUB0_NULL ? 0
         : root_->type == SUB0_ARRAY                  ? root_->count
                                                      : 1;
}

const sub0_value* Rows::find(std::size_t index, std::string_view column) const {
  const sub0_value& row = root_->type == SUB0_ARRAY ? root_->as.items[index] : *root_;
  return Value(row).find(column).raw();
}

std::string Rows::text(std::size_t index, std::string_view column) const {
  return Value(find(index, column)).toText();
}

std::int64_t Rows::number(std::size_t index, std::string_view column) const {
  return Value(find(index, column)).asInt();
}

bool Rows::truth(std::size_t index, std::string_view column) const {
  const Value value(find(index, column));
  return value.isBool() ? value.asBool() : value.asInt() != 0;
}

}  // namespace sub0::query
