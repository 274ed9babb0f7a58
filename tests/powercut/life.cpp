// SPDX-License-Identifier: Apache-2.0
#include "tests/powercut/life.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/powercut/ledger.hpp"

extern "C" const sub0_plugin* sub0_plugin_v0(void);

namespace sub0::powercut {
namespace {

using testing::LoopAction;
using testing::LoopHost;

std::atomic<int> log_pages_of_new_connections{0};

// For each connection that is opened; the plugin's own are out of reach.
int limitLog(sqlite3* database, char**, const sqlite3_api_routines*) {
  return sqlite3_wal_autocheckpoint(database, log_pages_of_new_connections);
}

void (*limitLogEntry())() { return reinterpret_cast<void (*)()>(&limitLog); }

}  // namespace

Folder::Folder() {
  const std::filesystem::path memory = "/dev/shm";
  const bool has_memory = access(memory.c_str(), W_OK) == 0;
  path_ = ((has_memory ? memory : std::filesystem::temp_directory_path()) / "sub0-power-XXXXXX");
  if (mkdtemp(path_.data()) == nullptr) {
    std::abort();
  }
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::fill(const Image& image) const {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) {
    std::filesystem::remove_all(entry.path());
  }
  for (const auto& [name, bytes] : image) {
    std::ofstream(file(name), std::ios::binary) << bytes;
  }
}

const Image& emptyDatabase() {
  static const Image image = [] {
    const Folder folder;
    const std::string file = folder.file(kDatabaseName);
    sqlite3* database = nullptr;
    bool is_made = sqlite3_open_v2(file.c_str(), &database,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "unix") == SQLITE_OK;
    for (std::size_t i = 0; is_made && i < kSchemaStatements; ++i) {
      is_made = sqlite3_exec(database, kSchema[i], nullptr, nullptr, nullptr) == SQLITE_OK;
    }
    sqlite3_close(database);
    if (!is_made) {
      std::abort();
    }
    std::ostringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    return Image{{kDatabaseName, bytes.str()}};
  }();
  return image;
}

Life::Life(const Folder& folder, const Image& image, Disk::Kind kind, int log_pages)
    : file_(folder.file(kDatabaseName)), disk_(kind, image), vfs_(disk_) {
  folder.fill(image);
  log_pages_of_new_connections = log_pages;
  sqlite3_auto_extension(limitLogEntry());
  host_ = std::make_unique<LoopHost>(sub0_plugin_v0(), Tree{{"DATABASE_URL", "sqlite:" + file_},
                                                            {"SUB0_STATE", folder.path()},
                                                            {"SUB0_PROJECT", folder.path()}});
}

Life::~Life() {
  std::string ignored;
  end(ignored);
  sqlite3_cancel_auto_extension(limitLogEntry());
}

bool Life::start() {
  host_->start();
  return host_->start_code == SUB0_OK;
}

void Life::end(std::string& errors) {
  if (host_ == nullptr) {
    return;
  }
  host_->stop(10000);
  for (const sub0_ticket ticket : tickets_) {
    const int times = host_->end(ticket).times;
    if (times != 1) {
      errors += "a run ended " + std::to_string(times) + " times\n";
    }
  }
  actions_.clear();
  host_.reset();
}

void Life::checkpoint(const std::string& mode) {
  sqlite3* other = nullptr;
  if (sqlite3_open(file_.c_str(), &other) == SQLITE_OK) {
    const std::string sql = "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(" + mode + ")";
    sqlite3_exec(other, sql.c_str(), nullptr, nullptr, nullptr);
  }
  sqlite3_close(other);
}

LoopAction& Life::prepare(const std::string& sql, std::size_t parameters) {
  Tree list = Tree::array();
  for (std::size_t i = 0; i < parameters; ++i) {
    list.push(Literal("$PAYLOAD.p" + std::to_string(i)));
  }
  Tree config{{"query", sql}};
  config.set("parameters", list);
  actions_.push_back(host_->prepare(config));
  return *actions_.back();
}

sub0_ticket Life::begin(LoopAction& action, const std::vector<Tree>& values) {
  tickets_.push_back(host_->begin(action, values));
  return tickets_.back();
}

sub0_ticket Life::beginInCall(std::uint64_t call, LoopAction& action,
                              const std::vector<Tree>& values) {
  tickets_.push_back(host_->beginInCall(call, action, values));
  return tickets_.back();
}

sub0_ticket Life::beginCommit(std::uint64_t call) {
  tickets_.push_back(host_->beginCommit(call));
  return tickets_.back();
}

}  // namespace sub0::powercut
