#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/mirror/address.h"
#include "builder/mirror/apt_settings.h"
#include "manifests/base/result.h"
#include "manifests/base/secret_bytes.h"

namespace weir::builder {

/// A proxy as an error names it: without a login.
struct UsedProxy {
  std::string host;  ///< "proxy.example"
  std::string name;  ///< "the proxy http://proxy.example:3128/ (Acquire::http::Proxy of apt.conf)"
};

/// How servers are reached: proxies, certificates and logins of apt's configuration (apt.conf,
/// auth.conf, auth.conf.d), of ~/.netrc and of the environment.
class Connections {
 public:
  /// What this machine's apt is configured for; where there is no apt, nothing is. A login file
  /// that cannot be read counts as empty, as for apt. errors: io: apt-config fails
  static Result<Connections> read();

  /// Takes the login of an address; it counts for everything below that address.
  void add(Address address);

  /// Tells a libcurl handle how the address is reached: its URL without login, and all of the
  /// above. errors: invalid_input: the proxy's URL; io: Proxy-Auto-Detect fails
  ///
  /// easy     a CURL* with no such option set yet
  /// returns  the proxy that it goes through, if any
  [[nodiscard]] Result<std::optional<UsedProxy>> apply(void* easy, const Address& address) const;

  /// Whether a login for the address is known (but for what ~/.netrc has).
  [[nodiscard]] bool has_login(const Address& address) const {
    return login_of(address).has_value();
  }

 private:
  [[nodiscard]] std::optional<Login> login_of(const Address& address) const;
  [[nodiscard]] Result<std::optional<UsedProxy>> apply_proxy(void* easy,
                                                             const Address& address) const;
  [[nodiscard]] Result<std::string> detect_proxy(const Address& address) const;

  AptSettings settings_;
  std::vector<Address> with_login_;                      // each has one
  std::vector<SecretBytes> auth_files_;                  // in the order in which they count
  mutable std::map<std::string, std::string> detected_;  // proxies, by site
};

/// The environment that apt's programs get: their configuration may lie elsewhere (APT_CONFIG).
[[nodiscard]] std::vector<std::string> apt_environment();

}  // namespace weir::builder
