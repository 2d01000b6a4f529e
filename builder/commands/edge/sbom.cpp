#include <cstdio>

#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/release_documents.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct SbomOptions {
  std::string name, store, format, out;
  TrustOptions trust;
};

Status sbom(const SbomOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  if (!given.out.empty()) TRY(check_destination(given.out));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto trusted, verify_by(given.trust, store, name, Demands::waived));
  TRY_ASSIGN(const auto documents, read_release_documents(store, trusted.release, trusted.signers));
  const std::string& text = given.format == "spdx" ? documents.spdx : documents.cyclonedx;
  if (!given.out.empty()) return write_file(given.out, text);
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace

int run_sbom(const Arguments& args) {
  SbomOptions given;
  CommandLine line{
      .name = "sbom",
      .positional = "RELEASE",
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
          "    --out gateway.cdx.json\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is");
  add_trust_options(line, given.trust);
  line.options.add_options()("format",
                             options::value(&given.format)->value_name("FORMAT")->required(),
                             "spdx or cyclonedx")(
      "out", options::value(&given.out)->value_name("FILE"), "writes it there, not to stdout");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (given.format != "spdx" && given.format != "cyclonedx") {
    std::fprintf(stderr, "weir-builder sbom: --format: '%s' is not spdx or cyclonedx\n",
                 given.format.c_str());
    return 2;
  }
  if (!says_who_is_trusted(line, given.trust)) return 2;
  const Status done = sbom(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
