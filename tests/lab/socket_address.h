#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "manifests/base/net.h"

namespace weir::lab {

/// An address as the socket calls take it.
class SocketAddress {
 public:
  SocketAddress(const IpAddress& address, std::uint16_t port) {
    if (address.is_v4()) {
      auto& in = reinterpret_cast<sockaddr_in&>(storage_);
      in.sin_family = AF_INET;
      in.sin_port = htons(port);
      std::memcpy(&in.sin_addr, address.raw().data(), 4);
      size_ = sizeof in;
    } else {
      auto& in = reinterpret_cast<sockaddr_in6&>(storage_);
      in.sin6_family = AF_INET6;
      in.sin6_port = htons(port);
      std::memcpy(&in.sin6_addr, address.raw().data(), 16);
      size_ = sizeof in;
    }
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

}  // namespace weir::lab
