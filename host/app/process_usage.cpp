// SPDX-License-Identifier: Apache-2.0
#include "app/process_usage.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace sub0::app {
namespace {

constexpr const char* kDescriptors = "/proc/self/fd";

/// Since Linux 6.2 the folder's size is their number; before, they have to be listed.
std::uint64_t countDescriptors() {
  struct stat folder {};
  if (::stat(kDescriptors, &folder) == 0 && folder.st_size > 0) {
    return static_cast<std::uint64_t>(folder.st_size);
  }
  DIR* listing = ::opendir(kDescriptors);
  if (listing == nullptr) return 0;
  std::uint64_t count = 0;
  while (::readdir(listing) != nullptr) ++count;
  ::closedir(listing);
  constexpr std::uint64_t kOthers = 3;  // ".", "..", the listing itself
  return count > kOthers ? count - kOthers : 0;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// /proc/self/stat from its third field on: behind the name, which may hold anything.
std::istringstream statFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  return std::istringstream(name_end == std::string::npos ? "" : line.substr(name_end + 1));
}

}  // namespace

ProcessUsage readProcessUsage() {
  ProcessUsage usage;
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0)
    usage.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) usage.max_descriptors = limit.rlim_cur;
  usage.open_descriptors = countDescriptors();
  std::istringstream fields = statFields();
  constexpr int kThreads = 20, kVirtual = 23, kResident = 24;  // proc(5)
  std::string field;
  for (int number = 3; number <= kResident && fields >> field; ++number) {
    if (number != kThreads && number != kVirtual && number != kResident) continue;
    const std::uint64_t value = std::stoull(field);
    if (number == kThreads) usage.threads = value;
    if (number == kVirtual) usage.virtual_bytes = value;
    if (number == kResident) {
      usage.resident_bytes = value * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  return usage;
}

}  // namespace sub0::app
