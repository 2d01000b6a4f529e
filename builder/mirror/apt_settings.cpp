#include "builder/mirror/apt_settings.h"

#include <algorithm>
#include <array>

#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

// Names of apt's method, the one that counts first at the front.
std::array<std::string_view, 2> methods_of(const Address& address) {
  return {address.scheme, address.scheme == "https" ? "http" : ""};
}

}  // namespace

AptSettings AptSettings::parse(std::string_view dump) {
  AptSettings out;
  while (!dump.empty()) {
    const auto line = dump.substr(0, dump.find('\n'));
    dump.remove_prefix(std::min(dump.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    out.values_.insert_or_assign(ascii_lower(decode_path(line.substr(0, equals))),
                                 decode_path(line.substr(equals + 1)));
  }
  return out;
}

std::string_view AptSettings::find(std::string_view key) const {
  const auto found = values_.find(ascii_lower(key));
  return found == values_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view AptSettings::of_host(const Address& address, std::string_view name) const {
  for (const auto method : methods_of(address)) {
    if (method.empty()) continue;
    const std::string all = "Acquire::" + std::string(method) + "::";
    // apt since 1.5 reads the first form, its manual has the second.
    for (const auto& key : {all + address.host + "::" + std::string(name),
                            all + std::string(name) + "::" + address.host}) {
      if (const auto value = find(key); !value.empty()) return value;
    }
  }
  return {};
}

std::string_view AptSettings::of_all(const Address& address, std::string_view name) const {
  for (const auto method : methods_of(address)) {
    if (method.empty()) continue;
    const auto value = find("Acquire::" + std::string(method) + "::" + std::string(name));
    if (!value.empty()) return value;
  }
  return {};
}

std::string_view AptSettings::of(const Address& address, std::string_view name) const {
  const auto value = of_host(address, name);
  return value.empty() ? of_all(address, name) : value;
}

std::optional<std::string> choose_proxy(const AptSettings& settings, const Address& address,
                                        std::string_view detected,
                                        const ProxyVariables& environment) {
  if (address.is_local()) return "";
  std::string_view out = settings.of_host(address, "Proxy");
  if (out.empty()) out = detected;
  if (out.empty()) out = settings.of_all(address, "Proxy");
  if (out == "DIRECT") return "";
  if (out.empty() && address.scheme == "https") out = environment.https_proxy;
  if (out.empty()) out = environment.http_proxy;
  if (out.empty()) return std::nullopt;
  return std::string(out);
}

}  // namespace weir::builder
