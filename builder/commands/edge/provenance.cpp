#include <cstdio>
#include <memory>

#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/attest.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

struct ProvenanceOptions {
  std::string name, store, out;
  TrustOptions trust;
  bool envelope = false;
};

Result<std::string> read(const ProvenanceOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(auto basis, read_basis(given.trust, {.roles = false}));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const auto trusted, verify_stored(store, name, std::move(basis)));
  TRY_ASSIGN(const auto provenance,
             verify_stored_provenance(store, trusted.release, trusted.signers));
  if (!provenance) {
    return fail(Errc::not_found,
                "release " + given.name +
                    " has no provenance: weir-builder attest, or build it again with a key");
  }
  for (const std::string& note : provenance->notes()) log_line(note);
  return given.envelope ? provenance->envelope() : provenance->statement();
}

Status run(const ProvenanceOptions& given) {
  if (!given.out.empty()) TRY(keys::check_output(given.out));
  TRY_ASSIGN(const std::string text, read(given));
  if (given.out.empty()) {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  TRY(write_file(given.out, text));
  std::printf("wrote %s\n", printable(given.out).c_str());
  return {};
}

}  // namespace

Command provenance_command() {
  auto given = std::make_shared<ProvenanceOptions>();
  return {
      .name = "provenance",
      .summary = "checks and prints a release's provenance",
      .about =
          "Checks a release and its provenance, and prints the statement: what it was made from,\n"
          "and what it ships, each by digest. --state is only read.",
      .examples =
          "  weir-builder provenance gateway-6.12 --store store --key release.pub\n"
          "  weir-builder provenance gateway-6.12 --store store --trust trust.json --state "
          "trust.state\n"
          "  weir-builder provenance gateway-6.12 --store store --key release.pub --envelope \\\n"
          "    --out gateway-6.12.intoto.jsonl\n",
      .takes = Positional{"RELEASE", &given->name},
      .options =
          with_trust({{"store", "DIR", &given->store, "where the release is", Need::required},
                      {"envelope", "", &given->envelope,
                       "prints the signed DSSE envelope, for other verifiers"},
                      {"out", "FILE", &given->out, "writes it there, not to stdout"}},
                     1, given->trust),
      .check = [given] { return says_who_is_trusted(given->trust); },
      .run = [given]() -> Result<Exit> {
        TRY(run(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
