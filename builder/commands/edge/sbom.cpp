#include <cstdio>
#include <memory>

#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/release_documents.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

struct SbomOptions {
  std::string name, store, format, out;
  TrustOptions trust;
};

Status sbom(const SbomOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  if (!given.out.empty()) TRY(keys::check_output(given.out));
  TRY_ASSIGN(auto basis, read_basis(given.trust, {.roles = false}));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const auto trusted, verify_stored(store, name, std::move(basis)));
  TRY_ASSIGN(const auto documents, read_release_documents(store, trusted.release, trusted.signers));
  for (const std::string& note : documents.notes) log_line(note);
  const std::string& text = given.format == "spdx" ? documents.spdx : documents.cyclonedx;
  if (given.out.empty()) {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  TRY(write_file(given.out, text));
  std::printf("wrote %s\n", printable(given.out).c_str());
  return {};
}

}  // namespace

Command sbom_command() {
  auto given = std::make_shared<SbomOptions>();
  return {
      .name = "sbom",
      .summary = "writes a release's contents as SPDX or CycloneDX",
      .about =
          "Writes what is in a release as a bill of materials: SPDX 2.3 or CycloneDX 1.5, both as\n"
          "JSON. The release is verified first. It follows from the release and its lock alone: "
          "the\n"
          "same release, the same bytes; where a trusted key signed a provenance, it is the one "
          "that\n"
          "the provenance names.",
      .examples =
          "  weir-builder sbom gateway-6.12 --store store --key release.pub --format spdx\n"
          "  weir-builder sbom gateway-6.12 --store store --trust trust.json --format cyclonedx "
          "\\\n"
          "    --out gateway.cdx.json\n",
      .takes = Positional{"RELEASE", &given->name},
      .options =
          with_trust({{"store", "DIR", &given->store, "where the release is", Need::required},
                      {"format",
                       "FORMAT",
                       &given->format,
                       "spdx or cyclonedx",
                       Need::required,
                       {"spdx", "cyclonedx"}},
                      {"out", "FILE", &given->out, "writes it there, not to stdout"}},
                     1, given->trust),
      .check = [given] { return says_who_is_trusted(given->trust); },
      .run = [given]() -> Result<Exit> {
        TRY(sbom(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
