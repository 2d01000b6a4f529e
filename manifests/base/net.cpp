#include "manifests/base/net.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "manifests/base/printable.h"

namespace weir {
namespace {

template <class Number>
bool parse_decimal(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  const bool padded = text.size() > 1 && text.front() == '0';  // octal to some readers
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() && !padded;
}

bool bit(std::string_view raw, unsigned index) {
  return (static_cast<unsigned char>(raw[index / 8]) >> (7 - index % 8) & 1) != 0;
}

}  // namespace

IpAddress IpAddress::v4(const std::array<std::uint8_t, 4>& raw) {
  IpAddress out;
  std::copy(raw.begin(), raw.end(), out.raw_.begin());
  return out;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& raw) {
  IpAddress out;
  out.v4_ = false;
  out.raw_ = raw;
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  std::array<std::uint8_t, 16> raw{};
  if (copy.size() == text.size() && copy.find('\0') == std::string::npos) {
    if (inet_pton(AF_INET, copy.c_str(), raw.data()) == 1) {
      return v4({raw[0], raw[1], raw[2], raw[3]});
    }
    if (inet_pton(AF_INET6, copy.c_str(), raw.data()) == 1) return v6(raw);
  }
  return fail(Errc::invalid_input, quotation(text) + " is not an IPv4 or IPv6 address");
}

std::string_view IpAddress::raw() const {
  return {reinterpret_cast<const char*>(raw_.data()), v4_ ? 4U : 16U};
}

std::string IpAddress::string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, raw_.data(), text.data(), text.size());
  return text.data();
}

IpAddress IpAddress::plus(std::uint32_t n) const {
  IpAddress out = *this;
  std::uint64_t carry = n;
  for (std::size_t i = v4_ ? 4 : 16; i-- > 0 && carry != 0;) {
    carry += out.raw_[i];
    out.raw_[i] = static_cast<std::uint8_t>(carry & 0xff);
    carry >>= 8;
  }
  return out;
}

std::string_view IpAddress::unusable() const {
  const auto within = [&](const std::array<std::uint8_t, 16>& start, unsigned length) {
    const std::string_view bits(reinterpret_cast<const char*>(start.data()), start.size());
    for (unsigned i = 0; i < length; ++i) {
      if (bit(raw(), i) != bit(bits, i)) return false;
    }
    return true;
  };
  if (v4_) {
    if (within({0}, 32)) return "the unspecified address";
    if (within({0}, 8)) return "an address of this network (0.0.0.0/8)";
    if (within({127}, 8)) return "a loopback address";
    if (within({169, 254}, 16)) return "a link-local address";
    if (within({224}, 4)) return "a multicast address";
    if (within({255, 255, 255, 255}, 32)) return "the broadcast address";
    return {};
  }
  if (within({}, 128)) return "the unspecified address";
  if (within({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128)) return "the loopback address";
  if (within({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96)) {
    return "an IPv4 address written as IPv6 (::ffff:0:0/96)";
  }
  if (within({}, 96)) return "an IPv4 address written as IPv6 (::/96)";
  if (within({0xfe, 0x80}, 10)) return "a link-local address";
  if (within({0xff}, 8)) return "a multicast address";
  return {};
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  TRY_ASSIGN(auto address, IpAddress::parse(text.substr(0, slash)));
  const unsigned bits = address.is_v4() ? 32 : 128;
  unsigned length = bits;
  if (slash != std::string_view::npos &&
      (!parse_decimal(text.substr(slash + 1), length) || length > bits)) {
    return fail(Errc::invalid_input,
                quotation(text) + " has no prefix length of 0 to " + std::to_string(bits));
  }
  for (unsigned i = length; i < bits; ++i) {
    if (bit(address.raw(), i)) {
      return fail(Errc::invalid_input, quotation(text) + " has bits set behind its prefix length");
    }
  }
  return Prefix{address, static_cast<std::uint8_t>(length)};
}

std::string Prefix::string() const {
  return address.string() + "/" + std::to_string(length);
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.is_v4() != address.is_v4()) return false;
  for (unsigned i = 0; i < length; ++i) {
    if (bit(address.raw(), i) != bit(other.raw(), i)) return false;
  }
  return true;
}

bool Prefix::overlaps(const Prefix& other) const {
  return length <= other.length ? contains(other.address) : other.contains(address);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string_view::npos || !parse_decimal(text.substr(colon + 1), port) ||
      port == 0) {
    return fail(Errc::invalid_input, quotation(text) + " is not ADDRESS:PORT");
  }
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  TRY_ASSIGN(auto address, IpAddress::parse(host));
  if (address.is_v6() != bracketed) {
    return fail(Errc::invalid_input,
                quotation(text) + ": IPv6 addresses, and only they, stand in []");
  }
  return Endpoint{address, port};
}

std::string Endpoint::string() const {
  const std::string host = address.is_v6() ? "[" + address.string() + "]" : address.string();
  return host + ":" + std::to_string(port);
}

}  // namespace weir
