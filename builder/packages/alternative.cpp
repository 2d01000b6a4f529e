#include "builder/packages/alternative.h"

#include <algorithm>

#include "builder/packages/whole_number.h"
#include "manifests/documents/accepted_entries.h"

namespace weir::builder {
namespace {

// LINK NAME PATH, from `at` on.
std::optional<AlternativeLink> link_at(const Words& command, std::size_t at) {
  if (command.size() < at + 3) return std::nullopt;
  AlternativeLink out{command[at], command[at + 1], command[at + 2]};
  for (const std::string* path : {&out.link, &out.path}) {
    if (!is_literal(*path) || !manifests::is_image_path(*path)) return std::nullopt;
  }
  const bool named = is_literal(out.name) && manifests::is_image_path("/" + out.name) &&
                     out.name.find('/') == std::string::npos;
  if (!named) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Alternative> parse_alternative(const Words& command) {
  const auto install = std::find(command.begin(), command.end(), "--install");
  auto at = static_cast<std::size_t>(install - command.begin()) + 1;
  const auto main = link_at(command, at);
  at += 3;
  if (!main || command.size() <= at) return std::nullopt;
  const auto priority = parse_whole<int>(command[at++]);
  if (!priority) return std::nullopt;
  Alternative out{*main, *priority};
  while (at < command.size()) {
    if (command[at] != "--slave" && command[at] != "--follower") {
      if (!command[at].starts_with("--")) return std::nullopt;
      ++at;
      continue;
    }
    const auto follower = link_at(command, at + 1);
    if (!follower) return std::nullopt;
    out.followers.push_back(*follower);
    at += 4;
  }
  return out;
}

}  // namespace weir::builder
