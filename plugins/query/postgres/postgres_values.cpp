// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "column_text.hpp"
#include "parameter_text.hpp"

namespace sub0::query {
namespace {

// Numbers of the server's own types, fixed for ever (pg_type.dat).
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kOid = 26, kJson = 114,
              kText = 25, kVarchar = 1043, kFloat4 = 700, kFloat8 = 701, kTimestamp = 1114,
              kTimestampTz = 1184, kNumeric = 1700, kVoid = 2278, kJsonb = 3802;

// All but box[], whose elements have a semicolon between them.
constexpr std::pair<Oid, Oid> kArrays[] = {
    {143, 142},   {199, 114},   {210, 71},    {270, 75},    {271, 5069},  {272, 81},
    {273, 83},    {629, 628},   {651, 650},   {719, 718},   {775, 774},   {791, 790},
    {1000, 16},   {1001, 17},   {1002, 18},   {1003, 19},   {1005, 21},   {1006, 22},
    {1007, 23},   {1008, 24},   {1009, 25},   {1010, 27},   {1011, 28},   {1012, 29},
    {1013, 30},   {1014, 1042}, {1015, 1043}, {1016, 20},   {1017, 600},  {1018, 601},
    {1019, 602},  {1021, 700},  {1022, 701},  {1027, 604},  {1028, 26},   {1034, 1033},
    {1040, 829},  {1041, 869},  {1115, 1114}, {1182, 1082}, {1183, 1083}, {1185, 1184},
    {1187, 1186}, {1231, 1700}, {1263, 2275}, {1270, 1266}, {1561, 1560}, {1563, 1562},
    {2201, 1790}, {2207, 2202}, {2208, 2203}, {2209, 2204}, {2210, 2205}, {2211, 2206},
    {2949, 2970}, {2951, 2950}, {3221, 3220}, {3643, 3614}, {3645, 3615}, {3735, 3734},
    {3770, 3769}, {3807, 3802}, {3905, 3904}, {3907, 3906}, {3909, 3908}, {3911, 3910},
    {3913, 3912}, {3927, 3926}, {4073, 4072}, {4090, 4089}, {4097, 4096}, {4192, 4191},
    {5039, 5038}, {6150, 4451}, {6151, 4532}, {6152, 4533}, {6153, 4534}, {6155, 4535},
    {6157, 4536}};

sub0_value integerOr(std::string_view text, ResultTree& tree) {
  sub0_value value{};
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value.as.i);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) {
    return tree.text(SUB0_TEXT, text);
  }
  value.type = SUB0_INT;
  return value;
}

sub0_value doubleOr(std::string_view text) {
  sub0_value value{};
  double number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec == std::errc() && std::isfinite(number)) {
    value.type = SUB0_DOUBLE;
    value.as.d = number;
  }
  return value;  // NaN and the infinities: null
}

// Reads PostgreSQL's text of an array: {1,NULL,"a \"b\"",{...}}, with bounds in front where they do
// not begin at 1.
class ArrayReader {
 public:
  ArrayReader(const PostgresTypes& types, Oid element, std::string_view text, ResultTree& tree)
      : types_(types), element_(element), text_(text), tree_(tree) {}

  bool read(sub0_value& value) {
    if (peek() == '[') {
      at_ = std::min(text_.find('='), text_.size() - 1) + 1;
    }
    return array(value) && at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool array(sub0_value& value) {
    if (peek() != '{') {
      return false;
    }
    ++at_;
    std::vector<sub0_value> items;
    while (peek() != '}') {
      items.emplace_back();
      if (!(peek() == '{' ? array(items.back()) : item(items.back()))) {
        return false;
      }
      if (peek() == ',') {
        ++at_;
      } else if (peek() != '}') {
        return false;
      }
    }
    ++at_;
    sub0_value* copied = tree_.values(items.size());
    if (copied == nullptr) {
      return true;  // past the limit: the whole result is refused
    }
    std::copy(items.begin(), items.end(), copied);
    value.type = SUB0_ARRAY;
    value.count = static_cast<std::uint32_t>(items.size());
    value.as.items = copied;
    return true;
  }

  bool item(sub0_value& value) {
    std::string text;
    if (peek() != '"') {
      const std::size_t end = text_.find_first_of(",}", at_);
      if (end == std::string_view::npos) {
        return false;
      }
      text = text_.substr(at_, end - at_);
      at_ = end;
      value = text == "NULL" ? sub0_value{} : fromPostgres(types_, element_, text, tree_);
      return true;
    }
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      }
      text.push_back(peek());
    }
    ++at_;
    value = fromPostgres(types_, element_, text, tree_);
    return at_ <= text_.size();
  }

  const PostgresTypes& types_;
  Oid element_;
  std::string_view text_;
  ResultTree& tree_;
  std::size_t at_ = 0;
};

}  // namespace

void PostgresParameters::addText(std::string_view text) {
  char* const kept = static_cast<char*>(memory_.allocate(text.size() + 1, 1));
  *std::copy(text.begin(), text.end(), kept) = '\0';
  values_.push_back(kept);
}

void PostgresParameters::add(const sub0_value& value) {
  switch (value.type) {
    case SUB0_NULL:
      values_.push_back(nullptr);
      break;
    case SUB0_TEXT:
      addText(std::string_view(value.as.text, value.count));
      break;
    case SUB0_NUMBER:
      addText(plainDecimal(std::string_view(value.as.text, value.count)));
      break;
    default: {
      std::string json;
      appendJson(json, value);
      addText(json);
      break;
    }
  }
}

bool isJsonType(Oid type) { return type == kJson || type == kJsonb; }

PostgresTypes::PostgresTypes() : element_of_(std::begin(kArrays), std::end(kArrays)) {}

Oid PostgresTypes::elementOf(Oid type) const {
  const auto found = element_of_.find(type);
  return found == element_of_.end() ? 0 : found->second;
}

sub0_value fromPostgres(const PostgresTypes& types, Oid type, std::string_view text,
                        ResultTree& tree) {
  switch (type) {
    case kBool: {
      sub0_value value{};
      value.type = SUB0_BOOL;
      value.as.i = text == "t" ? 1 : 0;
      return value;
    }
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid:
      return integerOr(text, tree);
    case kFloat4:
    case kFloat8:
      return doubleOr(text);
    case kNumeric:
      return isJsonNumber(text) ? tree.text(SUB0_NUMBER, text) : sub0_value{};
    case kJson:
    case kJsonb:
      return tree.text(isJson(text) ? SUB0_RAW : SUB0_TEXT, text);
    case kVoid:
      return sub0_value{};
    case kText:
    case kVarchar:
      return tree.text(SUB0_TEXT, text);
    case kTimestamp:
    case kTimestampTz: {
      std::string instant;
      return tree.text(SUB0_TEXT, toIsoUtc(text, instant) ? std::string_view(instant) : text);
    }
    case kBytea: {
      std::string bytes;
      return tree.text(SUB0_TEXT, fromHex(text, bytes) ? base64(bytes) : std::string(text));
    }
    default:
      break;
  }
  const Oid element = types.elementOf(type);
  sub0_value value{};
  if (element != 0 && ArrayReader(types, element, text, tree).read(value)) {
    return value;
  }
  return tree.text(SUB0_TEXT, text);
}

}  // namespace sub0::query
