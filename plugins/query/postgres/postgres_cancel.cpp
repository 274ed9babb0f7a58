// SPDX-License-Identifier: Apache-2.0
#include "postgres/postgres_cancel.hpp"

#include <array>
#include <system_error>
#include <thread>

namespace sub0::query {

void cancelApart(PGcancel* cancel, const std::function<void()>& done) {
  try {
    std::thread([cancel, done] {
      std::array<char, 256> error{};
      PQcancel(cancel, error.data(), static_cast<int>(error.size()));
      PQfreeCancel(cancel);
      done();
    }).detach();
  } catch (const std::system_error&) {  // no thread: it is not asked
    PQfreeCancel(cancel);
    done();
  }
}

}  // namespace sub0::query
