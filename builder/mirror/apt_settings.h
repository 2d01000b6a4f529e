#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/mirror/address.h"

namespace weir::builder {

/// apt's configuration, as far as it says how servers are reached.
class AptSettings {
 public:
  /// What `apt-config dump --format '%F=%V%n'` prints.
  static AptSettings parse(std::string_view dump);

  /// What apt's method for the address's scheme is told about `name` ("Timeout"): what is set for
  /// its host counts before what is set for all, and for https what is set for http counts too.
  /// Empty where nothing is set.
  /// source: apt-transport-http(1), apt-transport-https(1)
  [[nodiscard]] std::string_view of(const Address& address, std::string_view name) const;
  /// The same, for its host alone, or for all hosts alone.
  [[nodiscard]] std::string_view of_host(const Address& address, std::string_view name) const;
  [[nodiscard]] std::string_view of_all(const Address& address, std::string_view name) const;
  /// The key that `of` found its value under; empty where it found none.
  [[nodiscard]] std::string key_of(const Address& address, std::string_view name) const;

 private:
  [[nodiscard]] std::string_view find(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> keys_of_host(const Address& address,
                                                      std::string_view name) const;
  std::map<std::string, std::string, std::less<>> values_;  // by key, in small letters
};

/// What the environment says about proxies; empty where a variable is not set.
struct ProxyVariables {
  std::string http_proxy, https_proxy;
};

struct ChosenProxy {
  std::string url;     ///< empty: none, whatever else says so ("DIRECT")
  std::string set_by;  ///< "Acquire::http::Proxy of apt.conf", "http_proxy of the environment"
  bool operator==(const ChosenProxy&) const = default;
};

/// Which proxy stands before an address, as apt finds it.
///
/// detected  what Acquire::http::Proxy-Auto-Detect printed for the address; empty: nothing
/// returns   absent: nobody says anything. The variable no_proxy is libcurl's to honour
/// source    apt-transport-http(1); apt, HttpServerState::Open and AutoDetectProxy
[[nodiscard]] std::optional<ChosenProxy> choose_proxy(const AptSettings& settings,
                                                      const Address& address,
                                                      std::string_view detected,
                                                      const ProxyVariables& environment);

}  // namespace weir::builder
