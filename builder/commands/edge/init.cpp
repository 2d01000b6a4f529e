#include "builder/commands/edge/init.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/json_output.h"
#include "builder/commands/example_images.h"
#include "builder/commands/image_draft.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/ascii.h"
#include "manifests/base/closest_names.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/questions.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct InitOptions {
  std::string example, name, manifest;
  std::string store = "store", key = "release.key";
  std::vector<std::string> packages;
  bool plan = false, json = false;
};

std::string known_examples() {
  std::string out;
  for (const std::string& name : example_images()) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// Today's stable Debian; the newest example is of the next one.
constexpr const char* kUsualExample = "gateway-debian-13";

/// Each example in a line, with the first sentence that it says of itself.
std::string example_table() {
  const auto names = example_images();
  std::size_t width = 0;
  for (const std::string& name : names) width = std::max(width, name.size());
  std::string out = "Examples:\n";
  for (const std::string& name : names) {
    std::string_view text = *example_image(name);
    text.remove_prefix(text.find("\n# ") + 3);
    text = text.substr(0, text.find('\n'));
    text = text.substr(0, text.find(". "));
    if (text.ends_with('.')) text.remove_suffix(1);
    out += "  " + name + std::string(width - name.size() + 2, ' ') + std::string(text) + "\n";
  }
  return out;
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

Status check_place(const std::string& path) {
  if (is_there(path)) {
    return fail(Errc::busy, path +
                                ": is there already, and nothing is overwritten: move it, or "
                                "say another place with --manifest");
  }
  const auto folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder)) {
    return fail(Errc::not_found, folder.string() + ": no such folder: make it with mkdir -p " +
                                     shell_word(folder.string()));
  }
  return check_destination(path);
}

/// Where the manifest goes; empty: that hangs on an answer.
std::string place_of(const InitOptions& given) {
  if (!given.manifest.empty() || given.name.empty()) return given.manifest;
  return given.name + ".yaml";
}

/// Whether what is known so far can become a manifest, where it shall be.
Status check_so_far(const InitOptions& given) {
  const std::string name = given.example.empty() ? kUsualExample : given.example;
  const auto example = example_image(name);
  if (!example) {
    const auto names = example_images();
    return fail(Errc::invalid_input, "--from: no example '" + name + "' is shipped (" +
                                         known_examples() + ")" +
                                         suggestion(name, {names.begin(), names.end()}));
  }
  if (!given.name.empty()) TRY_IN(ReleaseName::parse(given.name), "--name");
  TRY(draft_image(*example, {given.name.empty() ? name : given.name, given.packages}));
  const std::string place = place_of(given);
  return place.empty() ? Status() : check_place(place);
}

/// Asks for what no option said; elsewhere than at a terminal, names it.
Status complete(InitOptions& given) {
  if (!given.example.empty() && !given.name.empty()) return {};
  // No answer mends an option.
  TRY(check_so_far(given));
  if (::isatty(STDIN_FILENO) == 0) {
    std::string missing;
    if (given.example.empty()) missing += " --from EXAMPLE (" + known_examples() + ")";
    if (given.name.empty()) missing += " --name NAME";
    return fail(Errc::invalid_input, "no terminal to ask at: say" + missing);
  }
  // Signals end this program by themselves.
  const std::atomic<bool> never{false};
  const auto ask_for = [&](const std::string& question, const std::string& otherwise,
                           const std::function<void(InitOptions&, const std::string&)>& put) {
    return ask(
        question, otherwise,
        [&](const std::string& answer) -> Status {
          InitOptions with = given;
          put(with, answer);
          TRY(check_so_far(with));
          given = std::move(with);
          return {};
        },
        never);
  };
  if (given.example.empty()) {
    std::cout << example_table();
    TRY(ask_for("Which example to begin with", kUsualExample,
                [](InitOptions& with, const std::string& line) { with.example = line; }));
  }
  if (given.name.empty()) {
    TRY(ask_for("Name of the image", given.example,
                [](InitOptions& with, const std::string& line) { with.name = line; }));
  }
  if (given.packages.empty()) {
    TRY(ask_for("Packages besides a gateway's own", "",
                [](InitOptions& with, const std::string& line) {
                  const auto words = words_of(line, kBetweenAnswers);
                  with.packages.assign(words.begin(), words.end());
                }));
  }
  return {};
}

/// What comes after it, as commands.
std::vector<std::string> next_steps(const InitOptions& given) {
  std::vector<std::string> out;
  std::string prefix = given.key;
  if (prefix.ends_with(".key")) prefix.resize(prefix.size() - 4);
  if (!is_there(given.key)) out.push_back("weir-keys generate --out " + shell_word(prefix));
  const std::string manifest = shell_word(given.manifest);
  out.push_back("weir-builder lock " + manifest);
  const auto more = packages_beyond(*example_image(given.example), {given.name, given.packages});
  if (more && !more->empty()) out.push_back("weir-builder scripts " + manifest);
  out.push_back("weir-builder build " + manifest + " --key " + shell_word(given.key) + " --store " +
                shell_word(given.store));
  return out;
}

void tell(const InitOptions& given, const std::string& draft) {
  const auto next = next_steps(given);
  if (given.json) {
    print_result({{given.plan ? "would_write" : "wrote", given.manifest}, {"next", next}});
    return;
  }
  std::cout << (given.plan ? "would write " : "wrote ") << given.manifest << "\n";
  if (given.plan) std::cout << "\n" << draft;
  std::cout << "\nNext:\n";
  for (const std::string& step : next) std::cout << "  " << step << "\n";
  std::cout << std::flush;
}

Result<Exit> init(InitOptions given) {
  TRY(complete(given));
  TRY(check_so_far(given));
  given.manifest = place_of(given);
  TRY_ASSIGN(const std::string draft,
             draft_image(*example_image(given.example), {given.name, given.packages}));
  if (!given.plan) TRY(keys::write_new_files({{given.manifest, draft, 0644}}));
  tell(given, draft);
  return Exit::done;
}

}  // namespace

Command init_command() {
  const auto given = std::make_shared<InitOptions>();
  return {.name = "init",
          .summary = "writes a first image manifest",
          .about =
              "Begins with one of the shipped examples, and asks at the terminal for what no\n"
              "option says. Nothing is overwritten.\n",
          .examples =
              "  weir-builder init\n"
              "  weir-builder init --from gateway-6.12 --name edge --package tcpdump --plan\n",
          .options = {{"from", "EXAMPLE", &given->example, "which shipped example to begin with"},
                      {"name", "NAME", &given->name, "the image's, and its release's"},
                      {"package", "NAME", &given->packages,
                       "comes in too, with what it depends on; can be repeated"},
                      {"manifest", "FILE", &given->manifest, "where it goes; default: NAME.yaml"},
                      {"key", "FILE", &given->key, "the key that will sign, for the next steps"},
                      {"store", "DIR", &given->store, "where releases will go, for the next steps"},
                      {"plan", "", &given->plan, "says what would be written, and writes nothing"},
                      {"json", "", &given->json, "the result as one JSON object"}},
          .run = [given] { return init(*given); }};
}

}  // namespace weir::builder
