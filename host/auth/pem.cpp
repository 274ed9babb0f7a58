// SPDX-License-Identifier: Apache-2.0
#include "auth/pem.hpp"

#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>

#include <string>

namespace sub0::auth {

void PkeyDeleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";

struct DecoderDeleter {
  void operator()(OSSL_DECODER_CTX* context) const { OSSL_DECODER_CTX_free(context); }
};

/// A copy with real line ends that is wiped again.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    text_.reserve(text.size());  // so that no copy is left behind
    for (std::size_t at = 0; at < text.size(); ++at) {
      const bool is_escape = text[at] == '\\' && at + 1 < text.size();
      if (is_escape && (text[at + 1] == 'n' || text[at + 1] == 'r')) {
        text_.push_back(text[++at] == 'n' ? '\n' : '\r');
      } else {
        text_.push_back(text[at]);
      }
    }
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { OPENSSL_cleanse(text_.data(), text_.size()); }

  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

Error refused(std::string reason) { return makeError(Code::kValidationFailed, std::move(reason)); }

struct Block {
  std::string_view label;  // "PRIVATE KEY"
  std::string_view text;   // from its BEGIN to the next or the end
};

/// The only block that may be a key; curve parameters beside it say nothing that it does not.
Result<Block> onlyBlock(std::string_view text) {
  Block only;
  std::size_t count = 0;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos;) {
    const std::size_t label_at = at + kBegin.size();
    const std::size_t next = text.find(kBegin, label_at);
    const std::size_t label_end = text.find(kDashes, label_at);
    if (label_end == std::string_view::npos)
      return refused("the PEM key ends within its first line");
    const Block block{text.substr(label_at, label_end - label_at), text.substr(at, next - at)};
    at = next;
    if (block.label == "EC PARAMETERS") continue;
    only = block;
    ++count;
  }
  if (count == 0) {
    return refused(
        "the encryption_key must be a PEM key: -----BEGIN PRIVATE KEY----- to issue tokens, "
        "-----BEGIN PUBLIC KEY----- to verify them");
  }
  if (count > 1) {
    return refused("the encryption_key holds " + std::to_string(count) +
                   " PEM blocks; leave the one key that is meant");
  }
  return only;
}

bool endsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

Result<PemKey> readPemKey(std::string_view text) {
  const Lines lines(text);
  const auto block = onlyBlock(lines.text());
  if (!block) return block.error();
  if (block->label == "ENCRYPTED PRIVATE KEY" ||
      block->text.find("Proc-Type: 4,ENCRYPTED") != std::string_view::npos) {
    return refused("the private key is encrypted; write it in the clear: openssl pkey -in FILE");
  }
  if (block->label == "CERTIFICATE") {
    return refused(
        "this is a certificate; take the key out of it: openssl x509 -pubkey -noout -in FILE");
  }
  PemKey read;
  read.is_private = endsWith(block->label, "PRIVATE KEY");
  if (!read.is_private && !endsWith(block->label, "PUBLIC KEY")) {
    return refused("the PEM block is neither a PRIVATE KEY nor a PUBLIC KEY");
  }
  EVP_PKEY* key = nullptr;
  const std::unique_ptr<OSSL_DECODER_CTX, DecoderDeleter> decoder(OSSL_DECODER_CTX_new_for_pkey(
      &key, "PEM", nullptr, nullptr, read.is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
      nullptr, nullptr));
  const auto* bytes = reinterpret_cast<const unsigned char*>(block->text.data());
  std::size_t size = block->text.size();
  const bool is_read = decoder != nullptr &&
                       OSSL_DECODER_from_data(decoder.get(), &bytes, &size) == 1 && key != nullptr;
  read.key.reset(key);
  if (!is_read) {
    return refused("the PEM key cannot be read: has it all its lines, from BEGIN to END?");
  }
  return read;
}

}  // namespace sub0::auth
