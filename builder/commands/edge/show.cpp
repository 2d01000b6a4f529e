#include <algorithm>
#include <cstdio>

#include "builder/commands/edge/command_line.h"
#include "images/store/edge/store.h"
#include "keys/signing/minisign.h"
#include "manifests/documents/release.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ShowOptions {
  std::string name, store;
  bool json = false;
};

void line(const char* what, const std::string& text) {
  if (!text.empty()) std::printf("%-14s %s\n", what, text.c_str());
}

std::string print_blob(const manifests::Blob& blob) {
  return blob.digest.string() + ", " + print(blob.size);
}

void print_terms(const manifests::Release& release) {
  if (!release.terms) {
    line("version", "none: made before releases had one");
    return;
  }
  const manifests::ReleaseTerms& terms = *release.terms;
  line("version", std::to_string(terms.version) + " of channel " + terms.channel.string());
  line("  replaces", terms.replaces_from == 0
                         ? "any version before it"
                         : "version " + std::to_string(terms.replaces_from) + " or later");
  line("  expires", terms.expires.string());
}

void print_module(const manifests::ReleaseModule& module) {
  // What the module itself does not state is left out.
  line("module", module.name + (module.version.empty() ? "" : " " + module.version) +
                     (module.srcversion.empty() ? "" : ", srcversion " + module.srcversion) +
                     (module.pinned ? "" : ", not pinned"));
  line("  package", module.package);
  line("  vermagic", module.vermagic);
  line("  build id", module.build_id);
  line("  digest", module.digest.string());
  line("  signed with", module.signature_key.empty() ? "no key" : "key " + module.signature_key);
}

void print_scan(const manifests::ReleaseScan& scan) {
  line("scan", "for secrets, rules " + std::to_string(scan.rules) + ": " +
                   std::to_string(scan.files) + " files, " + print(ByteCount{scan.bytes}));
  if (scan.own_keys) {
    line("  own keys", std::to_string(scan.own_keys->count) + " searched for, " +
                           scan.own_keys->identity.string());
  }
  for (const auto& file : scan.accepted) {
    line("  accepted", file.path + ", " + file.digest.string());
  }
}

void print_text(const manifests::Release& release, const Digest& digest,
                const keys::KeyId& signer) {
  line("release", release.name.string());
  line("digest", digest.string());
  print_terms(release);
  line("signed by", keys::print(signer) + " (not checked: weir-builder verify)");
  line("lock", release.lock_digest.string());
  line("builder", release.builder_version);
  line("architecture", release.architecture);
  line("kernel",
       release.kernel.release + " (" + release.kernel.package + " " + release.kernel.version + ")");
  line("  build id", release.kernel.build_id);
  line("  image", print_blob(release.kernel.image));
  line("command line", release.command_line);
  for (const auto& module : release.modules) print_module(module);
  for (const auto& tool : release.tools) line("tool", tool.name + " " + tool.version);
  for (const auto& source : release.sources) {
    line("source", source.suite + " of " + source.date + ", " + source.inrelease_digest.string());
  }
  print_scan(release.scan);
  std::string provides;
  for (const std::string& name : release.provides)
    provides += (provides.empty() ? "" : ", ") + name;
  line("stands in for", provides);
  std::printf("\n%-32s %-28s %10s %10s  %s\n", "layer", "version", "packed", "unpacked", "digest");
  for (const auto& layer : release.layers) {
    const auto package = std::find_if(release.packages.begin(), release.packages.end(),
                                      [&](const auto& p) { return p.name == layer.name; });
    std::printf("%-32s %-28s %10s %10s  %s\n", layer.name.c_str(),
                package == release.packages.end() ? "" : package->version.c_str(),
                print(layer.blob.size).c_str(), print(layer.content_size).c_str(),
                layer.blob.digest.string().c_str());
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
    print_text(release, Digest::of(as_bytes(stored.json)), signer);
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
