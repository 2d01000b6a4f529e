#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/packages/command_words.h"

namespace weir::builder {

/// A generic name that leads to one of several programs, through a link in /etc/alternatives.
struct AlternativeLink {
  std::string link;  ///< absolute: "/usr/bin/awk"
  std::string name;  ///< of the link in /etc/alternatives: "awk"
  std::string path;  ///< what it leads to: "/usr/bin/mawk"
  bool operator==(const AlternativeLink&) const = default;
};

/// One choice for a name, as a package offers it. Of several the highest priority holds.
struct Alternative {
  AlternativeLink main;
  int priority = 0;
  std::vector<AlternativeLink> followers{};  ///< slaves: they change with the main one
  bool operator==(const Alternative&) const = default;
};

/// What `update-alternatives ... --install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...`
/// offers. returns nothing for another command, and where a word is none that the text tells
/// source: update-alternatives(1)
[[nodiscard]] std::optional<Alternative> parse_alternative(const Words& command);

}  // namespace weir::builder
