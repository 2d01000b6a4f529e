#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

/// The product's sources and the map that docs/architecture.md draws of them, as texts.
namespace weir::architecture {

struct Source {
  std::string path;                   ///< relative to the repository
  std::string room;                   ///< its folder, without `edge`
  std::string stem;                   ///< file name without extension
  std::vector<std::string> includes;  ///< of ours by path, of others by what stands in the brackets
  std::string code;                   ///< without comments, literals' contents and directives
  bool header = false;
  bool edge = false;  ///< or a program's main
};

/// A row of the map. Names are whole: `builder/lock`, not `lock`.
struct Room {
  std::string name;
  std::vector<std::string> may_include;  ///< rooms, or a house for all of its rooms
};

/// What docs/architecture.md says.
struct Map {
  std::vector<Room> rooms;        ///< in the order of the page
  std::set<std::string> folders;  ///< beside the product
  std::string page;
};

extern const std::set<std::string> kHouses;

/// Every .h and .cpp of the houses, by path.
[[nodiscard]] const std::vector<Source>& sources();
[[nodiscard]] const Map& map();

/// What a file includes in quotes.
[[nodiscard]] std::vector<std::string> quoted_includes(const std::string& path);
/// Whether `word` stands in `code` as a word of its own.
[[nodiscard]] bool has_word(const std::string& code, const std::string& word);
/// Whether `room` is `allowed`, or lies in the house `allowed`.
[[nodiscard]] bool lies_in(const std::string& room, const std::string& allowed);
/// The room of a file of ours, as an include names it; empty for others' headers.
[[nodiscard]] std::string room_of(const std::string& path);

}  // namespace weir::architecture
