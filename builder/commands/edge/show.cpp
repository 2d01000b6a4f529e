#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "builder/commands/edge/commands.h"
#include "images/store/folder/edge/folder_store.h"
#include "images/store/release_services.h"
#include "keys/signing/minisign.h"
#include "manifests/base/printable.h"
#include "manifests/documents/release.h"

namespace weir::builder {
namespace {

struct ShowOptions {
  std::string name, store;
  bool json = false;
};

void line(const char* what, const std::string& text) {
  if (!text.empty()) std::printf("%-14s %s\n", what, printable(text).c_str());
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
  if (module.origin) {
    line("  compiled of", module.package + " " + module.origin->version + ", " +
                              module.origin->package_digest.string());
    line("  dkms.conf", module.origin->dkms_conf.string());
  }
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

void print_services(const images::Store& store, const manifests::Release& release) {
  const auto services = images::read_services(store, release);
  if (!services) line("services", "cannot be read: " + services.error().message);
  if (!services) return;
  for (const auto& service : *services) {
    std::string words;
    for (const auto& word : service.command) words += " " + word;
    line("service", service.name + ":" + words);
    for (const auto& file : service.files)
      line("  asks for", "file " + file.name + " of each node");
  }
}

void print_text(const images::Store& store, const manifests::Release& release, const Digest& digest,
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
  print_services(store, release);
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
    std::printf("%-32s %-28s %10s %10s  %s\n", printable(layer.name).c_str(),
                package == release.packages.end() ? "" : printable(package->version).c_str(),
                print(layer.blob.size).c_str(), print(layer.content_size).c_str(),
                layer.blob.digest.string().c_str());
  }
}

Status show(const ShowOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), name.string());
  TRY_ASSIGN_IN(const keys::KeyId signer, keys::signer_of(stored.signature), name.string());
  if (given.json) {
    // Byte by byte for programs; a terminal must not obey it.
    const bool person = ::isatty(STDOUT_FILENO) == 1;
    std::fputs((person ? printable_lines(stored.json) : stored.json).c_str(), stdout);
  } else {
    print_text(store, release, Digest::of(as_bytes(stored.json)), signer);
  }
  return {};
}

}  // namespace

Command show_command() {
  auto given = std::make_shared<ShowOptions>();
  return {.name = "show",
          .summary = "shows what is in a release",
          .about = "Shows what is in a release. The signature is not checked: verify does that.",
          .examples =
              "  weir-builder show gateway-6.12 --store store\n"
              "  weir-builder show gateway-6.12 --store store --json\n",
          .takes = Positional{"RELEASE", &given->name},
          .options = {{"store", "DIR", &given->store, "where the release is", Need::required},
                      {"json", "", &given->json, "prints the release document as it is stored"}},
          .run = [given]() -> Result<Exit> {
            TRY(show(*given));
            return Exit::done;
          }};
}

}  // namespace weir::builder
