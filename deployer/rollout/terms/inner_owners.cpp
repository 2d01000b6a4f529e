#include "deployer/rollout/terms/inner_owners.h"

#include <algorithm>
#include <array>

namespace weir::deployer {
namespace {

/// Blocks of others that are passed by in search of an address between them.
constexpr int kPassedBy = 64;

IpAddress of(const IpAddress& like, const std::array<std::uint8_t, 16>& raw) {
  if (like.is_v6()) return IpAddress::v6(raw);
  return IpAddress::v4({raw[0], raw[1], raw[2], raw[3]});
}

std::array<std::uint8_t, 16> raw_of(const IpAddress& address) {
  std::array<std::uint8_t, 16> out{};
  std::copy(address.raw().begin(), address.raw().end(), out.begin());
  return out;
}

/// `address` with all bits behind `length` zero, or one.
IpAddress filled(const IpAddress& address, std::uint8_t length, bool ones) {
  auto raw = raw_of(address);
  for (std::size_t bit = length; bit < address.raw().size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> bit % 8);
    raw[bit / 8] = static_cast<std::uint8_t>(ones ? raw[bit / 8] | mask : raw[bit / 8] & ~mask);
  }
  return of(address, raw);
}

}  // namespace

InnerOwners::InnerOwners(const std::map<PublicKey, manifests::Peer>& registry) {
  for (const auto& [key, peer] : registry) {
    for (const Prefix& prefix : peer.allowed_ips) {
      held_.insert_or_assign(prefix, key);
      (prefix.address.is_v4() ? lengths_v4_ : lengths_v6_).insert(prefix.length);
    }
  }
}

InnerOwners::Held::const_iterator InnerOwners::longest(const IpAddress& address) const {
  for (const std::uint8_t length : address.is_v4() ? lengths_v4_ : lengths_v6_) {
    const auto found = held_.find(Prefix{filled(address, length, false), length});
    if (found != held_.end()) return found;
  }
  return held_.end();
}

std::optional<IpAddress> InnerOwners::address_of(const manifests::Peer& peer) const {
  for (const Prefix& prefix : peer.allowed_ips) {
    IpAddress address = prefix.address;
    for (int i = 0; i < kPassedBy && prefix.contains(address); ++i) {
      const auto found = longest(address);
      if (found == held_.end()) break;  // the registry does not name this peer
      if (found->second == peer.public_key) return address;
      const IpAddress last = filled(address, found->first.length, true);
      address = last.plus(1);
      if (address < last) break;  // it was the last address of all
    }
  }
  return std::nullopt;
}

}  // namespace weir::deployer
