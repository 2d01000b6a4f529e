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

std::vector<std::string> keys_of_all(const Address& address, std::string_view name) {
  std::vector<std::string> out;
  for (const auto method : methods_of(address)) {
    if (!method.empty())
      out.push_back("Acquire::" + std::string(method) + "::" + std::string(name));
  }
  return out;
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

std::vector<std::string> AptSettings::keys_of_host(const Address& address,
                                                   std::string_view name) const {
  std::vector<std::string> out;
  for (const auto method : methods_of(address)) {
    if (method.empty()) continue;
    const std::string all = "Acquire::" + std::string(method) + "::";
    // apt since 1.5 reads the first form, its manual has the second.
    out.push_back(all + address.host + "::" + std::string(name));
    out.push_back(all + std::string(name) + "::" + address.host);
  }
  return out;
}

std::string_view AptSettings::of_host(const Address& address, std::string_view name) const {
  for (const auto& key : keys_of_host(address, name)) {
    if (const auto value = find(key); !value.empty()) return value;
  }
  return {};
}

std::string_view AptSettings::of_all(const Address& address, std::string_view name) const {
  for (const auto& key : keys_of_all(address, name)) {
    if (const auto value = find(key); !value.empty()) return value;
  }
  return {};
}

std::string AptSettings::key_of(const Address& address, std::string_view name) const {
  for (const auto& keys : {keys_of_host(address, name), keys_of_all(address, name)}) {
    for (const auto& key : keys) {
      if (!find(key).empty()) return key;
    }
  }
  return {};
}

std::string_view AptSettings::of(const Address& address, std::string_view name) const {
  const auto value = of_host(address, name);
  return value.empty() ? of_all(address, name) : value;
}

std::optional<ChosenProxy> choose_proxy(const AptSettings& settings, const Address& address,
                                        std::string_view detected,
                                        const ProxyVariables& environment) {
  if (address.is_local()) return ChosenProxy{};
  const std::string key = settings.key_of(address, "Proxy");
  std::string set_by = key + " of apt.conf";
  std::string_view out = settings.of_host(address, "Proxy");
  if (out.empty() && !detected.empty()) {
    out = detected;
    set_by = "Proxy-Auto-Detect of apt.conf";
  }
  if (out.empty()) out = settings.of_all(address, "Proxy");
  if (out == "DIRECT") return ChosenProxy{};
  if (out.empty() && address.scheme == "https") {
    out = environment.https_proxy;
    set_by = "https_proxy of the environment";
  }
  if (out.empty()) {
    out = environment.http_proxy;
    set_by = "http_proxy of the environment";
  }
  if (out.empty()) return std::nullopt;
  return ChosenProxy{std::string(out), std::move(set_by)};
}

}  // namespace weir::builder
