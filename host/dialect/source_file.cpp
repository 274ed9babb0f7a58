// SPDX-License-Identifier: Apache-2.0
#include "dialect/source_file.hpp"

namespace sub0::dialect {

Place SourceFile::at(std::string_view pointer) const {
  return {path_, std::string(pointer), document_.positionOf(document_.offsetOf(pointer))};
}

Place SourceFile::atKey(std::string_view pointer) const {
  return {path_, std::string(pointer), document_.positionOf(document_.offsetOfKey(pointer))};
}

}  // namespace sub0::dialect
