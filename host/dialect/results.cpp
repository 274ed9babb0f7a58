// SPDX-License-Identifier: Apache-2.0
#include "dialect/results.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "json/unique_keys.hpp"

namespace sub0::dialect {

ExtractPath::ExtractPath(std::string_view path) {
  if (path == "self_") {
    is_whole_ = true;
    return;
  }
  while (true) {
    const std::size_t dot = path.find('.');
    Segment segment;
    segment.name = std::string(path.substr(0, dot));
    const char* begin = segment.name.data();
    const char* end = begin + segment.name.size();
    const auto [stop, error] = std::from_chars(begin, end, segment.index);
    segment.is_index = begin != end && error == std::errc() && stop == end;
    segments_.push_back(std::move(segment));
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
}

json::Value ExtractPath::read(const json::Value& result) const {
  if (is_whole_ || segments_.empty()) return is_whole_ ? result : json::null();
  const json::Value* here = &result;
  std::size_t next = 0;
  const Segment& first = segments_.front();
  if (json::isArray(result) && !first.is_index) {
    here = json::at(result, 0);
  } else if (json::isObject(result) && first.is_index && first.index == 0 &&
             json::find(result, first.name) == nullptr) {
    next = 1;
  }
  for (; here != nullptr && next < segments_.size(); ++next) {
    const Segment& segment = segments_[next];
    if (json::isArray(*here)) {
      here = segment.is_index ? json::at(*here, segment.index) : nullptr;
    } else {
      here = json::find(*here, segment.name);
    }
  }
  return here == nullptr ? json::null() : *here;
}

bool hasNoRow(const json::Value& result) {
  return json::isNull(result) || (json::isArray(result) && result.count == 0);
}

bool extract(const Dependency& dependency, const json::Value* results, NamedValue* out) {
  if (dependency.extractions.empty()) return true;
  const bool has_row = std::any_of(dependency.actions.begin(), dependency.actions.end(),
                                   [&](std::size_t action) { return !hasNoRow(results[action]); });
  for (std::size_t i = 0; i < dependency.extractions.size(); ++i) {
    const Extraction& extraction = dependency.extractions[i];
    out[i] = {extraction.name, json::null()};
    for (const std::size_t action : dependency.actions) {
      out[i].value = extraction.path.read(results[action]);
      if (!json::isNull(out[i].value)) break;
    }
  }
  return has_row;
}

namespace {

json::Value keepOfObject(const json::Value& object, const std::vector<std::string>& keys,
                         Arena& arena, std::string_view also_keep) {
  auto* kept = arena.array<json::Member>(object.count);
  std::size_t count = 0;
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const auto key = json::toText(member.key);
    if ((!also_keep.empty() && key == also_keep) ||
        std::find(keys.begin(), keys.end(), key) != keys.end()) {
      kept[count++] = member;
    }
  }
  return json::object(kept, count);
}

json::Value dropOfObject(const json::Value& object, const std::vector<std::string>& keys,
                         Arena& arena) {
  auto* kept = arena.array<json::Member>(object.count);
  std::size_t count = 0;
  for (std::size_t i = 0; i < object.count; ++i) {
    const json::Member& member = object.as.members[i];
    const bool is_dropped =
        std::find(keys.begin(), keys.end(), json::toText(member.key)) != keys.end();
    if (!is_dropped) kept[count++] = member;
  }
  return json::object(kept, count);
}

json::Value concatenate(const json::Value* results, std::size_t count, Arena& arena) {
  std::size_t row_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (json::isArray(results[i])) {
      row_count += results[i].count;
    } else if (!json::isNull(results[i])) {
      ++row_count;
    }
  }
  auto* rows = arena.array<json::Value>(row_count);
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (json::isArray(results[i])) {
      for (std::size_t row = 0; row < results[i].count; ++row) {
        rows[next++] = results[i].as.items[row];
      }
    } else if (!json::isNull(results[i])) {
      rows[next++] = results[i];
    }
  }
  return json::array(rows, row_count);
}

}  // namespace

json::Value keepMembers(const json::Value& result, const std::vector<std::string>& keys,
                        Arena& arena, std::string_view also_keep) {
  if (json::isObject(result)) return keepOfObject(result, keys, arena, also_keep);
  if (!json::isArray(result)) return result;
  auto* rows = arena.array<json::Value>(result.count);
  for (std::size_t i = 0; i < result.count; ++i) {
    const json::Value& row = result.as.items[i];
    rows[i] = json::isObject(row) ? keepOfObject(row, keys, arena, also_keep) : row;
  }
  return json::array(rows, result.count);
}

json::Value dropMembers(const json::Value& result, const std::vector<std::string>& keys,
                        Arena& arena) {
  if (json::isObject(result)) return dropOfObject(result, keys, arena);
  if (!json::isArray(result)) return result;
  auto* rows = arena.array<json::Value>(result.count);
  for (std::size_t i = 0; i < result.count; ++i) {
    const json::Value& row = result.as.items[i];
    rows[i] = json::isObject(row) ? dropOfObject(row, keys, arena) : row;
  }
  return json::array(rows, result.count);
}

json::Value combine(const json::Value* results, std::size_t count, Arena& arena) {
  std::size_t member_count = 0;
  bool has_object = false;
  json::Value last_plain = json::null();
  for (std::size_t i = 0; i < count; ++i) {
    if (json::isArray(results[i])) return concatenate(results, count, arena);
    if (json::isObject(results[i])) {
      has_object = true;
      member_count += results[i].count;
    } else if (!json::isNull(results[i])) {
      last_plain = results[i];
    }
  }
  if (!has_object) return last_plain;
  auto* members = arena.array<json::Member>(member_count);
  std::size_t used = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!json::isObject(results[i])) continue;
    std::copy_n(results[i].as.members, results[i].count, members + used);
    used += results[i].count;
  }
  used = json::keepLastOfEqualKeys(members, used);
  return json::object(members, used);
}

}  // namespace sub0::dialect
