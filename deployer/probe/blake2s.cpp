#include "deployer/probe/blake2s.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>
#include <memory>

namespace weir::probe {
namespace {

// These calls fail only where OpenSSL cannot allocate or was built without BLAKE2.
void must(bool ok) {
  if (!ok) std::abort();
}

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

void mac(const char* algorithm, const OSSL_PARAM* parameters, Bytes key,
         std::initializer_list<Bytes> pieces, std::span<std::uint8_t> out) {
  const std::unique_ptr<EVP_MAC, FreeMac> kind(EVP_MAC_fetch(nullptr, algorithm, nullptr));
  must(kind != nullptr);
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(EVP_MAC_CTX_new(kind.get()));
  must(context != nullptr && EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1);
  for (Bytes piece : pieces) {
    must(EVP_MAC_update(context.get(), piece.data(), piece.size()) == 1);
  }
  std::size_t size = 0;
  must(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1 && size == out.size());
}

Result<keys::Secret> hmac(Bytes key, std::initializer_list<Bytes> pieces) {
  std::string digest = "BLAKE2S-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_end()};
  TRY_ASSIGN(keys::Secret out, keys::Secret::of_size(32));
  mac("HMAC", parameters, key, pieces, out.writable());
  return out;
}

}  // namespace

Hash blake2s(std::initializer_list<Bytes> pieces) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  must(context != nullptr && EVP_DigestInit_ex(context.get(), EVP_blake2s256(), nullptr) == 1);
  for (Bytes piece : pieces) {
    must(EVP_DigestUpdate(context.get(), piece.data(), piece.size()) == 1);
  }
  Hash out{};
  must(EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1);
  return out;
}

Mac blake2s_mac(Bytes key, Bytes message) {
  Mac out{};
  std::size_t size = out.size();
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                                   OSSL_PARAM_construct_end()};
  mac("BLAKE2SMAC", parameters, key, {message}, out);
  return out;
}

Result<std::vector<keys::Secret>> kdf(Bytes chaining_key, Bytes input, std::size_t count) {
  TRY_ASSIGN(const keys::Secret extracted, hmac(chaining_key, {input}));
  std::vector<keys::Secret> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = static_cast<std::uint8_t>(i + 1);
    const Bytes previous = i == 0 ? Bytes() : out.back().bytes();
    TRY_ASSIGN(keys::Secret next, hmac(extracted.bytes(), {previous, Bytes(&number, 1)}));
    out.push_back(std::move(next));
  }
  return out;
}

}  // namespace weir::probe
