#include "manifests/base/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>

#include "manifests/base/printable.h"

namespace weir {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The digest functions below fail only where OpenSSL cannot allocate or has no SHA-256 at all.
void must(int ok) {
  if (ok != 1) std::abort();
}

}  // namespace

Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct Sha256::Context {
  EVP_MD_CTX* md = EVP_MD_CTX_new();
  Context() { must(EVP_DigestInit_ex(md, EVP_sha256(), nullptr)); }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) {
  must(EVP_DigestUpdate(context_->md, bytes.data(), bytes.size()));
}

Digest Sha256::finish() && {
  std::array<std::uint8_t, 32> raw{};
  must(EVP_DigestFinal_ex(context_->md, raw.data(), nullptr));
  return Digest::from_raw(raw);
}

Digest Digest::of(Bytes bytes) {
  Sha256 hash;
  hash.update(bytes);
  return std::move(hash).finish();
}

Result<Digest> Digest::parse(std::string_view text) {
  std::string_view hex = text;
  if (hex.starts_with("sha256:")) hex.remove_prefix(7);
  auto raw = parse_hex(hex);
  if (!raw || raw->size() != 32) {
    return fail(Errc::invalid_input,
                quotation(text) + " is not a SHA-256 digest (64 lower-case hex digits)");
  }
  std::array<std::uint8_t, 32> bytes{};
  std::copy(raw->begin(), raw->end(), bytes.begin());
  return Digest(bytes);
}

std::string Digest::hex() const {
  return hex_of(raw_);
}
std::string Digest::string() const {
  return "sha256:" + hex();
}

std::string hex_of(Bytes bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

Result<std::string> parse_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return fail(Errc::invalid_input, "odd number of hex digits");
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const auto high = kHex.find(hex[i]);
    const auto low = kHex.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return fail(Errc::invalid_input, "not lower-case hex");
    }
    out += static_cast<char>(high << 4 | low);
  }
  return out;
}

std::string base64_of(Bytes bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < have ? bytes[i + k] : 0U);
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= have ? kBase64[word >> (18 - 6 * k) & 63] : '=';
    }
  }
  return out;
}

Result<std::string> parse_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return fail(Errc::invalid_input, "base64 length is not a multiple of 4");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::size_t pad = 0;
    if (i + 4 == text.size()) pad = text[i + 3] != '=' ? 0U : text[i + 2] != '=' ? 1U : 2U;
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 4 - pad; ++k) {
      const auto value = kBase64.find(text[i + k]);
      if (value == std::string_view::npos) return fail(Errc::invalid_input, "not base64");
      word |= static_cast<std::uint32_t>(value) << (18 - 6 * k);
    }
    if ((pad == 1 && (word & 0xff) != 0) || (pad == 2 && (word & 0xffff) != 0)) {
      return fail(Errc::invalid_input, "base64 with stray bits");
    }
    for (std::size_t k = 0; k < 3 - pad; ++k) out += static_cast<char>(word >> (16 - 8 * k) & 0xff);
  }
  return out;
}

}  // namespace weir
