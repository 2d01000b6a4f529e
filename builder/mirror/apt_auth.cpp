#include "builder/mirror/apt_auth.h"

#include <algorithm>

namespace weir::builder {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

// The next word of a login file; empty at its end.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlank), text.size()));
  const auto word = text.substr(0, std::min(text.find_first_of(kBlank), text.size()));
  text.remove_prefix(word.size());
  return word;
}

// What stands behind "machine".
bool matches(std::string_view machine, const Address& address) {
  if (machine.find("://") != std::string_view::npos) {
    const std::string scheme = address.scheme + "://";
    if (!machine.starts_with(scheme)) return false;
    machine.remove_prefix(scheme.size());
  } else if (address.scheme != "https") {
    return false;
  }
  std::string site = address.host;
  if (address.port != 0) site += ":" + std::to_string(address.port);
  if (machine.find('/') != std::string_view::npos) {
    return (site + address.path).starts_with(machine);
  }
  return machine == site || machine == address.host;
}

}  // namespace

std::optional<Login> find_login(std::string_view text, const Address& address) {
  std::optional<Login> found;
  for (;;) {
    const auto word = next_word(text);
    if (word.empty() || (found && word == "machine")) return found;
    if (word == "machine") {
      if (matches(next_word(text), address)) found.emplace();
    } else if (found && word == "login") {
      found->user = next_word(text);
    } else if (found && word == "password") {
      found->password = next_word(text);
    }
  }
}

}  // namespace weir::builder
