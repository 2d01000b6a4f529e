#include <algorithm>

#include "builder/diff/release_diff_print.h"

namespace weir::builder {
namespace {

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --high: #c62828; --medium: #b26a00;
  --low: #2e7d32; }
@media (prefers-color-scheme: dark) { :root { --high: #ff8a80; --medium: #ffca6a; --low: #8fd694; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.digest { font: 12px ui-monospace, monospace; opacity: .7; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
ul.risk { list-style: none; padding: 0; }
ul.risk li { border-left: .3rem solid; padding: .3rem .8rem; margin: .4rem 0; background: var(--soft); }
.high { border-color: var(--high); } .medium { border-color: var(--medium); }
.low { border-color: var(--low); }
.level { font-weight: 600; }
.bar { height: .7rem; background: var(--soft); border: 1px solid var(--line); }
.bar span { display: block; height: 100%; background: var(--medium); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
summary { cursor: pointer; padding: .3rem 0; }
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string cell(std::string_view text) {
  return "<td>" + (text.empty() ? "&ndash;" : escaped(text)) + "</td>";
}

std::string number(const std::string& text) {
  return "<td class=\"n\">" + escaped(text) + "</td>";
}

std::string table(const std::vector<std::string>& columns, const std::string& rows) {
  if (rows.empty()) return "<p>Nothing changed.</p>\n";
  std::string head;
  for (const auto& column : columns) head += "<th>" + escaped(column) + "</th>";
  return "<div class=\"wide\"><table><thead><tr>" + head + "</tr></thead><tbody>\n" + rows +
         "</tbody></table></div>\n";
}

std::string row(const VersionChange& change) {
  return "<tr>" + cell(change.name) + cell(name_of(change.change)) + cell(change.from) +
         cell(change.to);
}

std::string versions(const std::vector<VersionChange>& changes) {
  std::string rows;
  for (const auto& change : changes) rows += row(change) + "</tr>\n";
  return table({"name", "change", "from", "to"}, rows);
}

std::string section(const std::string& title, const std::string& body) {
  return "<h2>" + escaped(title) + "</h2>\n" + body;
}

std::string risks(const ReleaseDiff& diff) {
  std::string out = "<ul class=\"risk\">\n";
  for (const Risk& risk : diff.risks) {
    const std::string level(name_of(risk.level));
    out += "<li class=\"";
    out += level;
    out += "\"><span class=\"level\">";
    out += level;
    out += "</span> ";
    out += escaped(risk.sentence);
    out += "</li>\n";
  }
  return out + "</ul>\n";
}

std::string kernel(const KernelChange& kernel) {
  const auto line = [](const std::string& name, const std::string& from, const std::string& to) {
    return "<tr>" + cell(name) + cell(from) + cell(to) + "</tr>\n";
  };
  return table({std::string(name_of(kernel.change)), "from", "to"},
               line("release", kernel.release_from, kernel.release_to) +
                   line("package", kernel.package_from, kernel.package_to) +
                   line("version", kernel.version_from, kernel.version_to) +
                   line("build id", kernel.build_id_from, kernel.build_id_to));
}

std::string packages(const ReleaseDiff& diff) {
  std::string rows;
  for (const auto& package : diff.packages) {
    rows += row(package.version) + cell(package.why) + number(print(ByteCount{package.size_from})) +
            number(print(ByteCount{package.size_to})) + "</tr>\n";
  }
  return table({"name", "change", "from", "to", "why", "size before", "size after"}, rows) + "<p>" +
         std::to_string(diff.packages_unchanged) + " packages are unchanged.</p>\n";
}

std::string settings(const ReleaseDiff& diff) {
  std::string rows;
  for (const auto& setting : diff.settings) {
    rows += "<tr>" + cell(setting.name) + cell(setting.from) + cell(setting.to) + "</tr>\n";
  }
  return table({"setting", "from", "to"}, rows);
}

std::string files(const ReleaseDiff& diff) {
  std::string rows;
  for (const auto& file : diff.files) {
    rows += "<tr><td><code>" + escaped(file.path) + "</code></td>" + cell(name_of(file.change)) +
            cell(file.layer) + number(std::to_string(file.size_from)) +
            number(std::to_string(file.size_to)) + "</tr>\n";
  }
  return "<details><summary>" + std::to_string(diff.files.size()) + " paths changed</summary>\n" +
         table({"path", "change", "layer", "bytes before", "bytes after"}, rows) + "</details>\n";
}

std::string sizes(const ReleaseDiff& diff) {
  std::string rows;
  for (const auto& size : diff.sizes) {
    const auto show = [&](std::uint64_t value) {
      return size.name == "files" ? std::to_string(value) : print(ByteCount{value});
    };
    rows += "<tr>" + cell(size.name) + number(show(size.from)) + number(show(size.to)) + "</tr>\n";
  }
  return table({"what", "from", "to"}, rows);
}

std::string travel(const Travel& travel) {
  const std::uint64_t percent = travel.whole == 0 ? 0 : 100 * travel.bytes / travel.whole;
  std::string names;
  for (const auto& name : travel.names) names += (names.empty() ? "" : ", ") + name;
  return "<p>" + escaped(print(ByteCount{travel.bytes})) + " of " +
         escaped(print(ByteCount{travel.whole})) + ", " + std::to_string(travel.blobs) + " of " +
         std::to_string(travel.all_blobs) + " blobs.</p>\n<div class=\"bar\"><span style=\"width:" +
         std::to_string(std::min<std::uint64_t>(percent, 100)) + "%\"></span></div>\n<p>" +
         escaped(names) + "</p>\n";
}

}  // namespace

std::string print_html(const ReleaseDiff& diff) {
  const std::string title = diff.name_from + " → " + diff.name_to;
  const auto digest = [](const Digest& value) {
    return "<div class=\"digest\">" + value.string() + "</div>\n";
  };
  return std::string(kHead) + "<title>" + escaped(title) + "</title></head>\n<body>\n<h1>" +
         escaped(title) + "</h1>\n" + digest(diff.digest_from) + digest(diff.digest_to) +
         section("Risk", risks(diff)) + section("Kernel", kernel(diff.kernel)) +
         section("Modules", versions(diff.modules)) + section("Tools", versions(diff.tools)) +
         section("Packages", packages(diff)) + section("Configuration", settings(diff)) +
         section("Files", files(diff)) + section("Size", sizes(diff)) +
         section("What has to travel", travel(diff.travel)) + "</body></html>\n";
}

}  // namespace weir::builder
