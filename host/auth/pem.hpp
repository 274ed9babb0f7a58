// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "base/error.hpp"

// Reads the one key of a PEM text (RFC 7468), in any of the forms that tools write: PKCS #8, PKCS
// #1, SEC 1 and SubjectPublicKeyInfo. A text with two keys, a certificate or an encrypted key is
// refused with what to do; nobody is asked for a password. At load; no message repeats a byte of
// the key.
namespace sub0::auth {

struct PkeyDeleter {
  void operator()(EVP_PKEY* key) const;
};

struct PemKey {
  std::unique_ptr<EVP_PKEY, PkeyDeleter> key;
  bool is_private = false;
};

/// `text` may have `\n` (two characters) for the end of a line. ERRORS: kValidationFailed.
Result<PemKey> readPemKey(std::string_view text);

}  // namespace sub0::auth
