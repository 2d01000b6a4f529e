#include <algorithm>
#include <cstdio>

#include "builder/edge/commands/command_line.h"
#include "images/edge/store.h"
#include "keys/minisign.h"
#include "manifests/release.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ShowOptions {
  std::string name, store;
  bool json = false;
};

void print_text(const manifests::Release& release, const keys::KeyId& signer) {
  const auto line = [](const char* what, const std::string& text) {
    std::printf("%-14s %s\n", what, text.c_str());
  };
  line("release", release.name.string());
  line("signed by", keys::print(signer) + " (not checked: weir-builder verify)");
  line("lock", release.lock_digest.string());
  line("builder", release.builder_version);
  line("kernel",
       release.kernel.release + " (" + release.kernel.package + " " + release.kernel.version + ")");
  line("  build id", release.kernel.build_id);
  line("command line", release.command_line);
  for (const auto& module : release.modules) {
    line("module", module.name + " " + module.version + ", srcversion " + module.srcversion);
    line("  build id", module.build_id);
  }
  for (const auto& source : release.sources) {
    line("source", source.suite + " of " + source.date + ", " + source.inrelease_digest.string());
  }
  std::string provides;
  for (const std::string& name : release.provides)
    provides += (provides.empty() ? "" : ", ") + name;
  if (!provides.empty()) line("stands in for", provides);
  std::printf("\n%-32s %-28s %10s %10s\n", "layer", "version", "packed", "unpacked");
  for (const auto& layer : release.layers) {
    const auto package = std::find_if(release.packages.begin(), release.packages.end(),
                                      [&](const auto& p) { return p.name == layer.name; });
    std::printf("%-32s %-28s %10s %10s\n", layer.name.c_str(),
                package == release.packages.end() ? "" : package->version.c_str(),
                print(layer.blob.size).c_str(), print(layer.content_size).c_str());
  }
}

Status show(const ShowOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), name.string());
  TRY_ASSIGN_IN(const keys::KeyId signer, keys::signer_of(stored.signature), name.string());
  if (given.json) {
    std::fputs(stored.json.c_str(), stdout);
  } else {
    print_text(release, signer);
  }
  return {};
}

}  // namespace

int run_show(const Arguments& args) {
  ShowOptions given;
  CommandLine line{
      .name = "show",
      .positional = "RELEASE",
      .about = "Shows what is in a release. The signature is not checked: verify does that.",
      .examples =
          "  weir-builder show gateway-6.12 --store store\n"
          "  weir-builder show gateway-6.12 --store store --json\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")("json", options::bool_switch(&given.json),
                                                     "prints the release document as it is stored");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  const Status done = show(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
