// SPDX-License-Identifier: Apache-2.0
#include "json/placed_document.hpp"

#include <algorithm>

namespace sub0::json {
namespace {

constexpr std::size_t kMaxBytes = 16u << 20;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kSpace = " \t\r\n";

/// The position behind the string that begins at `index`; the end of the text if it is not closed.
std::size_t behindString(std::string_view text, std::size_t index) {
  for (++index; index < text.size(); ++index) {
    if (text[index] == '\\') {
      ++index;
    } else if (text[index] == '"') {
      return index + 1;
    }
  }
  return text.size();
}

std::size_t skipSpace(std::string_view text, std::size_t index) {
  return std::min(text.find_first_not_of(kSpace, index), text.size());
}

/// The position behind the value at `index` of valid JSON.
std::size_t behindValue(std::string_view text, std::size_t index) {
  if (text[index] == '"') return behindString(text, index);
  if (text[index] != '{' && text[index] != '[') {
    return std::min(text.find_first_of(",]} \t\r\n", index), text.size());
  }
  std::size_t depth = 0;
  while (index < text.size()) {
    const char c = text[index];
    if (c == '"') {
      index = behindString(text, index);
      continue;
    }
    ++index;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return index;
}

/// One segment of a pointer, decoded; `pointer` is left behind it.
std::string takeSegment(std::string_view& pointer) {
  pointer.remove_prefix(1);
  const std::string_view encoded = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(encoded.size());
  std::string segment;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '~' && i + 1 < encoded.size() &&
        (encoded[i + 1] == '0' || encoded[i + 1] == '1')) {
      segment.push_back(encoded[++i] == '0' ? '~' : '/');
    } else {
      segment.push_back(encoded[i]);
    }
  }
  return segment;
}

/// An array index of RFC 6901, or npos.
std::size_t indexOf(std::string_view segment) {
  if (segment.empty() || segment.size() > 9 || (segment[0] == '0' && segment.size() > 1)) {
    return std::string_view::npos;
  }
  std::size_t index = 0;
  for (const char c : segment) {
    if (c < '0' || c > '9') return std::string_view::npos;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

/// Whether the JSON string at `offset` stands for `key`.
bool isKey(std::string_view text, std::size_t offset, std::string_view key) {
  const std::size_t end = behindString(text, offset);
  const std::string_view inner = text.substr(offset + 1, end - offset - 2);
  if (inner.find('\\') == std::string_view::npos) return inner == key;
  std::string decoded;
  appendUnescaped(decoded, inner);
  return decoded == key;
}

}  // namespace

PlacedDocument::PlacedDocument(std::string text) : text_(std::move(text)) {
  if (text_.size() > kMaxBytes) {
    problems_.push_back({0, "the file is larger than 16 MiB"});
    return;
  }
  blanked_ = text_;
  if (text_.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) blanked_.replace(0, 3, "   ");
  blankComments();
  if (!problems_.empty()) return;
  blankTrailingCommas();
  TextReader reader(blanked_, &arena_, TextReader::BigIntegers::kKeptAsNumber);
  if (!reader.read(root_)) {
    root_ = null();
    problems_.push_back(reader.problem());
    return;
  }
  for (const auto& duplicate : reader.duplicates()) {
    const Position first = positionOf(duplicate.first_offset);
    problems_.push_back({duplicate.offset,
                         "the key \"" + std::string(duplicate.key) +
                             "\" stands here twice (first at line " + std::to_string(first.line) +
                             ", column " + std::to_string(first.column) + ")",
                         pointerToKey(duplicate.first_offset)});
  }
  std::sort(problems_.begin(), problems_.end(),
            [](const auto& a, const auto& b) { return a.offset < b.offset; });
}

void PlacedDocument::blankComments() {
  std::size_t index = 0;
  while (index < blanked_.size()) {
    const char c = blanked_[index];
    if (c == '"') {
      index = behindString(blanked_, index);
      continue;
    }
    const char following = index + 1 < blanked_.size() ? blanked_[index + 1] : '\0';
    if (c != '/' || (following != '/' && following != '*')) {
      ++index;
      continue;
    }
    std::size_t end = 0;
    if (following == '/') {
      end = std::min(blanked_.find_first_of("\r\n", index), blanked_.size());
    } else {
      end = blanked_.find("*/", index + 2);
      if (end == std::string::npos) {
        problems_.push_back({index, "this comment is never closed"});
        return;
      }
      end += 2;
    }
    for (; index < end; ++index) {
      if (blanked_[index] != '\n' && blanked_[index] != '\r') blanked_[index] = ' ';
    }
  }
}

void PlacedDocument::blankTrailingCommas() {
  std::size_t index = 0;
  char previous = '\0';
  while (index < blanked_.size()) {
    const char c = blanked_[index];
    if (c == '"') {
      index = behindString(blanked_, index);
      previous = c;
      continue;
    }
    if (c == ',' && previous != '[' && previous != '{' && previous != ',') {
      const std::size_t next = skipSpace(blanked_, index + 1);
      const char closing = next < blanked_.size() ? blanked_[next] : '\0';
      if (closing == ']' || closing == '}') blanked_[index] = ' ';
    }
    if (kSpace.find(c) == std::string_view::npos) previous = c;
    ++index;
  }
}

Position PlacedDocument::positionOf(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  std::string_view before(text_.data(), offset);
  if (before.substr(0, 3) == kByteOrderMark) before.remove_prefix(3);
  Position position{1, 1};
  position.line += static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_end = before.rfind('\n');
  if (line_end != std::string_view::npos) before.remove_prefix(line_end + 1);
  for (const char c : before) {
    if ((static_cast<unsigned char>(c) & 0xC0u) != 0x80u) ++position.column;
  }
  return position;
}

PlacedDocument::Place PlacedDocument::locate(std::string_view json_pointer) const {
  std::size_t offset = skipSpace(blanked_, 0);
  Place place{offset, offset};
  if (root_.type == SUB0_NULL) return place;  // also where the text is no JSON
  while (!json_pointer.empty() && json_pointer[0] == '/') {
    const std::string segment = takeSegment(json_pointer);
    const char opening = blanked_[place.value_offset];
    if (opening != '{' && opening != '[') return place;
    const std::size_t wanted_index = opening == '[' ? indexOf(segment) : std::string::npos;
    offset = skipSpace(blanked_, place.value_offset + 1);
    bool is_found = false;
    for (std::size_t item = 0; blanked_[offset] != '}' && blanked_[offset] != ']'; ++item) {
      const std::size_t key_offset = offset;
      if (opening == '{') {
        const std::size_t colon = skipSpace(blanked_, behindString(blanked_, offset));
        offset = skipSpace(blanked_, colon + 1);
      }
      is_found = opening == '{' ? isKey(blanked_, key_offset, segment) : item == wanted_index;
      if (is_found) {
        place = {key_offset, offset};
        break;
      }
      offset = skipSpace(blanked_, behindValue(blanked_, offset));
      if (blanked_[offset] == ',') offset = skipSpace(blanked_, offset + 1);
    }
    if (!is_found) return place;
  }
  return place;
}

/// REQUIRES: a key stands at `key_offset`, and the text is valid JSON.
std::string PlacedDocument::pointerToKey(std::size_t key_offset) const {
  std::string pointer;
  std::size_t offset = skipSpace(blanked_, 0);
  while (true) {
    const bool is_object = blanked_[offset] == '{';
    offset = skipSpace(blanked_, offset + 1);
    for (std::size_t item = 0;; ++item) {
      const std::size_t item_offset = offset;
      std::string segment = std::to_string(item);
      if (is_object) {
        const std::size_t key_end = behindString(blanked_, offset);
        segment.clear();
        appendUnescaped(segment,
                        std::string_view(blanked_).substr(offset + 1, key_end - offset - 2));
        offset = skipSpace(blanked_, skipSpace(blanked_, key_end) + 1);
      }
      const std::size_t end = behindValue(blanked_, offset);
      if (item_offset == key_offset || key_offset < end) {
        appendPointerSegment(pointer, segment);
        if (item_offset == key_offset) return pointer;
        break;  // the key is inside this value
      }
      offset = skipSpace(blanked_, skipSpace(blanked_, end) + 1);
    }
  }
}

std::size_t PlacedDocument::offsetOf(std::string_view json_pointer) const {
  return locate(json_pointer).value_offset;
}

std::size_t PlacedDocument::offsetOfKey(std::string_view json_pointer) const {
  return locate(json_pointer).key_offset;
}

void appendPointerSegment(std::string& pointer, std::string_view segment) {
  pointer.push_back('/');
  for (const char c : segment) {
    if (c == '~') {
      pointer.append("~0");
    } else if (c == '/') {
      pointer.append("~1");
    } else {
      pointer.push_back(c);
    }
  }
}

const Value* resolvePointer(const Value& root, std::string_view json_pointer) {
  if (!json_pointer.empty() && json_pointer[0] != '/') return nullptr;
  const Value* value = &root;
  while (value != nullptr && !json_pointer.empty()) {
    const std::string segment = takeSegment(json_pointer);
    value = isArray(*value) ? at(*value, indexOf(segment)) : find(*value, segment);
  }
  return value;
}

}  // namespace sub0::json
