// SPDX-License-Identifier: Apache-2.0
// Verification happens in memory. These tests do it in a process that the kernel ends at the first
// system call that could open a file or reach a network.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "auth/token_verifier.hpp"
#include "tests/unit/auth/signed_token.hpp"

namespace sub0::auth {
namespace {

/// Ends the process at the next open, socket, connect, sendto, execve or process of its own.
bool closeTheWorld() {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const unsigned call : {
#ifdef SYS_open
           unsigned{SYS_open},
#endif
           unsigned{SYS_openat}, unsigned{SYS_openat2}, unsigned{SYS_socket}, unsigned{SYS_connect},
           unsigned{SYS_sendto}, unsigned{SYS_execve}, unsigned{SYS_clone}}) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// How `work` ends in there: "true", "false" (what it returned) or "killed".
std::string endOf(const std::function<bool()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    if (!closeTheWorld()) _exit(2);
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGSYS ? "killed" : "crashed";
  return WEXITSTATUS(status) == 0 ? "true" : WEXITSTATUS(status) == 1 ? "false" : "not closed";
}

TEST(ClosedWorld, FilesAndSocketsEndTheProcess) {
  EXPECT_EQ(endOf([] { return open("/etc/passwd", O_RDONLY) >= 0; }), "killed");
  EXPECT_EQ(endOf([] { return socket(AF_INET, SOCK_STREAM, 0) >= 0; }), "killed");
  EXPECT_EQ(endOf([] { return true; }), "true");
}

void expectHintsIgnored(const Key& key) {
  const auto verdict = [&](const std::string& header_members) {
    const std::string token = signedToken(
        key, R"({"alg":")" + std::string(nameOf(key.algorithm())) + "\"" + header_members + "}",
        R"({"id":7})");
    return endOf([&] {
      Arena arena;
      return bool(verifyToken(key, token, 1000, arena));
    });
  };
  for (const char* ignored :
       {"", R"(,"jku":"http://127.0.0.1:9/keys.json")", R"(,"jku":"file:///etc/passwd")",
        R"(,"x5u":"https://localhost/c.pem")", R"(,"x5c":["MIIB"])", R"(,"x5t":"AAAA")",
        R"(,"jwk":{"kty":"oct","k":"AAAA"})", R"(,"kid":"/etc/passwd")", R"(,"kid":"../../k")",
        R"(,"kid":"' OR '1'='1")", R"(,"kid":"|id")", R"(,"kid":"\u0000")", R"(,"kid":{"a":[1]})",
        R"(,"kid":null)", R"(,"typ":"x","cty":"y","b64":false,"zip":"DEF")"}) {
    EXPECT_EQ(verdict(ignored), "true") << ignored;
  }
  for (const char* refused :
       {R"(,"crit":["exp"])", R"(,"crit":[])", R"(,"crit":["b64"],"b64":false)", R"(,"crit":null)",
        R"(,"crit":"exp")", R"(,"crit":["http://x/"],"http://x/":1)", R"(,"crit":{"a":1})"}) {
    EXPECT_EQ(verdict(refused), "false") << refused;
  }
}

TEST(ClosedWorld, KeyHintsOfATokenOpenNeitherFileNorConnection) {  // Q-43
  for (const Key& key : keysOfAllAlgorithms()) expectHintsIgnored(key);
}

TEST(ClosedWorld, ATokenOfPasetoIsOpenedWithoutAny) {  // Q-43, Q-47
  const Key key = keyOf(Algorithm::kV4Local, "0123456789abcdef0123456789abcdef");
  const std::string token = key.seal(R"({"id":7,"kid":"/etc/passwd"})", KeyNonce{}).value();
  const auto verifies = [&key](const std::string& tried) {
    return endOf([&] {
      Arena arena;
      return bool(verifyToken(key, tried, 1000, arena));
    });
  };
  EXPECT_EQ(verifies(token), "true");
  EXPECT_EQ(verifies(token.substr(0, token.size() - 4)), "false");
}

}  // namespace
}  // namespace sub0::auth
