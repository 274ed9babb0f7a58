// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "dialect/problem.hpp"
#include "json/placed_document.hpp"

namespace sub0::dialect {

/// One resource file: its path, as people know it, and its placed tree. Owned by the Project, which
/// keeps the tree alive for all who point into it. Control thread only.
class SourceFile {
 public:
  SourceFile(std::string path, std::string text)
      : path_(std::move(path)), document_(std::move(text)), root_(document_.root()) {}

  const std::string& path() const { return path_; }
  const json::PlacedDocument& document() const { return document_; }

  /// The tree to be read: that of the document, until somebody sets one that leaves out what is as
  /// if it was not there. Pointers mean the same in both.
  const json::Value& root() const { return root_; }
  void setRoot(const json::Value& root) { root_ = root; }
  /// Lives as long as this.
  Arena& memory() { return memory_; }

  /// The place of the value that `pointer` names.
  Place at(std::string_view pointer) const;
  /// The place of the key of the member that `pointer` names.
  Place atKey(std::string_view pointer) const;

 private:
  static constexpr std::size_t kFirstBlockBytes = 256;
  std::string path_;
  json::PlacedDocument document_;
  Arena memory_{kFirstBlockBytes};
  json::Value root_;
};

/// A place that is worked out only when somebody reports it: finding a line means reading the file
/// from its beginning.
struct Spot {
  const SourceFile* file = nullptr;
  std::string pointer;

  operator Place() const { return file == nullptr ? Place() : file->at(pointer); }
};

}  // namespace sub0::dialect
