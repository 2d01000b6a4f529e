#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "builder/diff/release_diff_print.h"

namespace weir::builder {
namespace {

constexpr std::string_view kNone = "-";

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  if (out.size() < width) out.append(width - out.size(), ' ');
  return out;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? std::string(kNone) : text;
}

std::string line_of(const VersionChange& change) {
  std::string out = "  " + padded(name_of(change.change), 13) + padded(change.name, 36);
  if (change.from == change.to) return out + " " + change.from + "\n";
  return out + " " + or_dash(change.from) + " -> " + or_dash(change.to) + "\n";
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%",
                whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

std::string size_line(const SizeChange& size) {
  const bool bytes = size.name != "files";
  const auto show = [&](std::uint64_t value) {
    return bytes ? print(ByteCount{value}) : std::to_string(value);
  };
  return "  " + padded(size.name, 20) + show(size.from) + " -> " + show(size.to) + "\n";
}

std::string counted(const std::vector<FileChange>& files) {
  std::map<std::string, std::map<Change, std::size_t>> layers;
  for (const FileChange& file : files) ++layers[file.layer][file.change];
  std::string out;
  for (const auto& [layer, changes] : layers) {
    out += "  " + padded(layer, 36);
    std::string separator = " ";
    for (const auto& [change, count] : changes) {
      out += separator + std::to_string(count) + " " + std::string(name_of(change));
      separator = ", ";
    }
    out += "\n";
  }
  return out;
}

}  // namespace

std::string print_text(const ReleaseDiff& diff, Listing files) {
  std::string out = diff.name_from + " -> " + diff.name_to + "\n";
  if (diff.digest_from == diff.digest_to) return out + "  the same release, bit by bit\n";
  const auto title = [&](const std::string& text) { out += "\n" + text + "\n"; };

  title("risk");
  for (const Risk& risk : diff.risks) {
    out += "  " + padded(name_of(risk.level), 8) + risk.sentence + "\n";
  }
  title("kernel " + std::string(name_of(diff.kernel.change)));
  out += "  " + diff.kernel.release_from + " (" + diff.kernel.version_from + ") -> " +
         diff.kernel.release_to + " (" + diff.kernel.version_to + ")\n";
  title("modules");
  for (const auto& module : diff.modules) {
    if (module.change != Change::unchanged) out += line_of(module);
  }
  out +=
      "  " +
      std::to_string(std::count_if(diff.modules.begin(), diff.modules.end(),
                                   [](const auto& m) { return m.change == Change::unchanged; })) +
      " unchanged\n";
  title("tools");
  for (const auto& tool : diff.tools) out += line_of(tool);
  title("packages: " + std::to_string(diff.packages.size()) + " changed, " +
        std::to_string(diff.packages_unchanged) + " unchanged");
  for (const auto& package : diff.packages) out += line_of(package.version);
  title("configuration");
  for (const auto& setting : diff.settings) {
    out += "  " + setting.name + ": " + or_dash(setting.from) + " -> " + or_dash(setting.to) + "\n";
  }
  title("files: " + std::to_string(diff.files.size()) + " changed");
  if (files == Listing::summary) out += counted(diff.files);
  for (const FileChange& file : diff.files) {
    if (files == Listing::summary) break;
    out += "  " + padded(name_of(file.change), 11) + file.path + "\n";
  }
  title("size");
  for (const SizeChange& size : diff.sizes) out += size_line(size);
  title("what has to travel");
  out += "  " + print(ByteCount{diff.travel.bytes}) + " of " + print(ByteCount{diff.travel.whole}) +
         " (" + percent(diff.travel.bytes, diff.travel.whole) + "), " +
         std::to_string(diff.travel.blobs) + " of " + std::to_string(diff.travel.all_blobs) +
         " blobs\n";
  return out;
}

}  // namespace weir::builder
