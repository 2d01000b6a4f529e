#include <cstdio>
#include <memory>

#include "builder/commands/edge/commands.h"
#include "builder/diff/edge/release_facts.h"
#include "builder/diff/release_diff_print.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

struct DiffOptions {
  std::vector<std::string> releases;
  std::string store, html;
  bool json = false, files = false;
};

struct Place {
  std::string store;
  ReleaseName name;
};

// "NAME" in --store, or "STORE:NAME". A release's name has no colon.
Result<Place> place_of(const std::string& text, const std::string& store) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos && store.empty()) {
    return fail(Errc::invalid_input,
                "'" + text + "': in which store? Say --store DIR, or DIR:" + text);
  }
  TRY_ASSIGN_IN(ReleaseName name,
                ReleaseName::parse(colon == std::string::npos ? text : text.substr(colon + 1)),
                "'" + text + "'");
  return Place{colon == std::string::npos ? store : text.substr(0, colon), std::move(name)};
}

Status diff(const DiffOptions& given) {
  if (!given.html.empty()) TRY(keys::check_output(given.html));
  LayerTrees trees;
  std::vector<ReleaseFacts> facts;
  for (const std::string& text : given.releases) {
    TRY_ASSIGN(const Place place, place_of(text, given.store));
    TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(place.store));
    TRY_ASSIGN(auto read, read_release_facts(store, place.name, trees));
    facts.push_back(std::move(read));
  }
  const ReleaseDiff found = compare(facts[0], facts[1]);
  if (!given.html.empty()) TRY(write_file(given.html, print_html(found)));
  const std::string text = given.json
                               ? print_json(found)
                               : printable_lines(print_text(
                                     found, given.files ? Listing::everything : Listing::summary));
  std::fputs(text.c_str(), stdout);
  if (!given.html.empty() && !given.json) std::printf("wrote %s\n", printable(given.html).c_str());
  return {};
}

}  // namespace

Command diff_command() {
  auto given = std::make_shared<DiffOptions>();
  return {
      .name = "diff",
      .summary = "compares two releases and tells the risk in words",
      .about =
          "Tells what release B is against release A: risk in words, kernel, modules, tools,\n"
          "packages, configuration, files, size, and what has to travel to a store that has A.\n"
          "A and B are names in --store, or STORE:NAME. Signatures are not checked: verify does.",
      .examples =
          "  weir-builder diff gateway-6.1 gateway-6.12 --store store\n"
          "  weir-builder diff gateway-6.1 gateway-6.12 --store store --html changes.html\n"
          "  weir-builder diff last-week/store:gateway store:gateway --json\n",
      .takes = Positional{"A B", &given->releases, 2, 2},
      .options = {{"store", "DIR", &given->store,
                   "where releases without a store of their own are"},
                  {"files", "", &given->files, "names every file that changed"},
                  {"json", "", &given->json, "prints the result as JSON"},
                  {"html", "FILE", &given->html,
                   "also writes the result as one page that needs nothing else"}},
      .run = [given]() -> Result<Exit> {
        TRY(diff(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
