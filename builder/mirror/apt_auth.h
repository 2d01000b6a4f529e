#pragma once

#include <optional>
#include <string_view>

#include "builder/mirror/address.h"

namespace weir::builder {

/// The login that one of apt's login files has for an address.
///
/// text     of auth.conf, or of a file in auth.conf.d
/// returns  nothing where no entry matches. The first that does counts: "machine HOST",
///          "HOST:PORT", with a path in front of the address's own, and with "http://" in front
///          where the address is not https
/// source   apt_auth.conf(5); apt, MaybeAddAuth
[[nodiscard]] std::optional<Login> find_login(std::string_view text, const Address& address);

}  // namespace weir::builder
