// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

struct passwd;

// What a database server of a test's own needs, whichever it is: a port, a process that ends with
// the test, data that is made once per build folder. Errors throw std::runtime_error.
namespace sub0::testing {

// Free on 127.0.0.1 just now; somebody else may take it before its server does.
int freePort();

// Runs a program in `folder`, with its output behind what is in folder/log; as `user` where that is
// not null. The kernel sends it `signal_at_end` when the test is over, also when that crashes.
pid_t spawnIn(const std::string& folder, const std::vector<std::string>& command, int signal_at_end,
              const passwd* user = nullptr);

// What is in folder/log.
std::string logIn(const std::string& folder);

// Makes folder/data: a copy of `kept`, which the first test of the build folder makes by
// `initialise`, a program that writes folder/data; the others wait for it. What a test that was
// killed leaves half done lies beside `kept`. True: it is a copy.
bool makeDataIn(const std::string& folder, const std::string& kept,
                const std::function<pid_t()>& initialise);

}  // namespace sub0::testing
