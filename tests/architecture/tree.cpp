#include "tests/architecture/tree.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "tests/folders.h"

namespace weir::architecture {

const std::set<std::string> kHouses = {"manifests", "keys", "images", "builder", "deployer"};

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Where the literal that begins at `at` ends: behind its closing quote.
std::size_t end_of_literal(const std::string& text, std::size_t at) {
  const char quote = text[at];
  if (quote == '"' && at > 0 && text[at - 1] == 'R') {
    const std::size_t open = text.find('(', at);
    if (open == std::string::npos) return text.size();
    const std::string close = ")" + text.substr(at + 1, open - at - 1) + "\"";
    const std::size_t end = text.find(close, open);
    return end == std::string::npos ? text.size() : end + close.size();
  }
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return text.size();
}

/// A quote between digits separates them: 1'000.
bool opens_literal(const std::string& text, std::size_t i) {
  if (text[i] == '"') return true;
  return text[i] == '\'' && (i == 0 || std::isxdigit(static_cast<unsigned char>(text[i - 1])) == 0);
}

/// Comments and directives go, literals are emptied.
std::string bare(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool line_start = i == 0 || text[i - 1] == '\n';
    if (text.compare(i, 2, "//") == 0 || (line_start && text[i] == '#')) {
      i = std::min(text.find('\n', i), text.size());
    } else if (text.compare(i, 2, "/*") == 0) {
      const std::size_t end = text.find("*/", i);
      i = end == std::string::npos ? text.size() : end + 2;
    } else if (opens_literal(text, i)) {
      out += "\"\"";
      i = end_of_literal(text, i);
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::vector<std::string> includes_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("#include ", 0) != 0 || line.size() < 12) continue;
    out.push_back(line.substr(10, line.find_first_of("\">", 10) - 10));
  }
  return out;
}

std::vector<Source> read_sources() {
  std::vector<Source> out;
  const fs::path root = test::source_folder();
  for (const std::string& house : kHouses) {
    for (const auto& entry : fs::recursive_directory_iterator(root / house)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      const std::string text = read(entry.path());
      Source source;
      source.path = fs::relative(entry.path(), root).generic_string();
      source.room = room_of(source.path);
      source.stem = entry.path().stem().string();
      source.includes = includes_of(text);
      source.code = bare(text);
      source.header = extension == ".h";
      source.edge = source.stem == "main" || source.path.find("/edge/") != std::string::npos;
      out.push_back(std::move(source));
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Source& a, const Source& b) { return a.path < b.path; });
  return out;
}

/// The words that stand in backticks.
std::vector<std::string> quoted(const std::string& cell) {
  std::vector<std::string> out;
  for (auto open = cell.find('`'); open != std::string::npos; open = cell.find('`', open)) {
    const auto close = cell.find('`', open + 1);
    if (close == std::string::npos) break;
    out.push_back(cell.substr(open + 1, close - open - 1));
    open = close + 1;
  }
  return out;
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> out;
  std::istringstream in(row.substr(1));
  for (std::string cell; std::getline(in, cell, '|');) out.push_back(cell);
  return out;
}

/// `word` as a row of `house` says it.
std::string whole_name(const std::string& house, const std::string& word) {
  const bool of_a_house = kHouses.contains(word.substr(0, word.find('/')));
  return of_a_house ? word : house + "/" + word;
}

Map read_map() {
  Map out;
  out.page = read(fs::path(test::source_folder()) / "docs/architecture.md");
  std::istringstream in(out.page);
  std::string house;
  bool table = false;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("### ", 0) == 0) house = line.substr(4);
    if (line.rfind("| room |", 0) == 0 || line.rfind("| folder |", 0) == 0) table = true;
    if (line.empty()) table = false;
    if (!table || line.rfind("| `", 0) != 0) continue;
    const auto cells = cells_of(line);
    const auto names = quoted(cells.at(0));
    if (!kHouses.contains(house)) {
      out.folders.insert(names.at(0));
      continue;
    }
    Room room{whole_name(house, names.at(0)), {}};
    for (const std::string& word : quoted(cells.at(2))) {
      room.may_include.push_back(whole_name(house, word));
    }
    out.rooms.push_back(std::move(room));
  }
  return out;
}

}  // namespace

const std::vector<Source>& sources() {
  static const std::vector<Source> kSources = read_sources();
  return kSources;
}

const Map& map() {
  static const Map kMap = read_map();
  return kMap;
}

std::vector<std::string> quoted_includes(const std::string& path) {
  constexpr std::string_view kInclude = "#include \"";
  std::vector<std::string> out;
  std::istringstream in(read(path));
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(kInclude)) continue;
    out.push_back(line.substr(kInclude.size(), line.find('"', kInclude.size()) - kInclude.size()));
  }
  return out;
}

bool has_word(const std::string& code, const std::string& word) {
  const auto in_word = [&](std::size_t at) {
    return at < code.size() &&
           (std::isalnum(static_cast<unsigned char>(code[at])) != 0 || code[at] == '_');
  };
  for (auto at = code.find(word); at != std::string::npos; at = code.find(word, at + 1)) {
    if (!in_word(at - 1) && !in_word(at + word.size())) return true;
  }
  return false;
}

bool lies_in(const std::string& room, const std::string& allowed) {
  if (room == allowed) return true;
  return kHouses.contains(allowed) && room.rfind(allowed + "/", 0) == 0;
}

std::string room_of(const std::string& path) {
  if (!kHouses.contains(path.substr(0, path.find('/')))) return {};
  std::string folder = fs::path(path).parent_path().generic_string();
  const std::string edge = "/edge";
  if (folder.size() > edge.size() &&
      folder.compare(folder.size() - edge.size(), edge.size(), edge) == 0) {
    folder.resize(folder.size() - edge.size());
  }
  return folder;
}

}  // namespace weir::architecture
