#include "builder/commands/edge/init.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/json_output.h"
#include "builder/commands/example_images.h"
#include "builder/commands/image_draft.h"
#include "keys/signing/edge/key_files.h"

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

/// A line of the terminal; `otherwise` where it is empty.
Result<std::string> ask(const std::string& question, const std::string& otherwise) {
  std::cerr << question << (otherwise.empty() ? "" : " [" + otherwise + "]") << ": " << std::flush;
  std::string line;
  if (!std::getline(std::cin, line)) return fail(Errc::not_found, "no answer: nothing was written");
  return line.empty() ? otherwise : line;
}

void add_words(const std::string& line, std::vector<std::string>& out) {
  std::string word;
  for (const char c : line + " ") {
    if (c != ' ' && c != ',') {
      word += c;
    } else if (!word.empty()) {
      out.push_back(std::move(word));
      word.clear();
    }
  }
}

/// Asks for what no option said; elsewhere than at a terminal, names it.
Status complete(InitOptions& given) {
  if (!given.example.empty() && !given.name.empty()) return {};
  if (::isatty(STDIN_FILENO) == 0) {
    std::string missing;
    if (given.example.empty()) missing += " --from EXAMPLE (" + known_examples() + ")";
    if (given.name.empty()) missing += " --name NAME";
    return fail(Errc::invalid_input, "no terminal to ask at: say" + missing);
  }
  if (given.example.empty()) {
    TRY_ASSIGN(given.example, ask("Which example to begin with (" + known_examples() + ")",
                                  example_images().back()));
  }
  if (given.name.empty()) {
    TRY_ASSIGN(given.name, ask("Name of the image", given.example));
  }
  if (given.packages.empty()) {
    TRY_ASSIGN(const std::string line, ask("Packages besides a gateway's own", ""));
    add_words(line, given.packages);
  }
  return {};
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
  if (folder.empty() || fs::is_directory(folder)) return {};
  return fail(Errc::not_found,
              folder.string() + ": no such folder: make it with mkdir -p " + folder.string());
}

/// What comes after it, as commands.
std::vector<std::string> next_steps(const InitOptions& given) {
  std::vector<std::string> out;
  std::string prefix = given.key;
  if (prefix.ends_with(".key")) prefix.resize(prefix.size() - 4);
  if (!is_there(given.key)) out.push_back("weir-keys generate --out " + prefix);
  out.push_back("weir-builder lock " + given.manifest);
  out.push_back("weir-builder build " + given.manifest + " --key " + given.key + " --store " +
                given.store);
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
  const auto example = example_image(given.example);
  if (!example) {
    return fail(Errc::invalid_input,
                "--from: no example '" + given.example + "' is shipped (" + known_examples() + ")");
  }
  if (given.manifest.empty()) given.manifest = given.name + ".yaml";
  TRY_ASSIGN(const std::string draft, draft_image(*example, {given.name, given.packages}));
  TRY(check_place(given.manifest));
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
