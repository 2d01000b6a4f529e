#include <cstdio>

#include "builder/edge/attest.h"
#include "builder/edge/commands/command_line.h"
#include "manifests/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct SbomOptions {
  std::string name, store, format, out;
};

Status sbom(const SbomOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), name.string());
  TRY_ASSIGN(const Attestation made,
             make_attestation(store, release, Digest::of(as_bytes(stored.json))));
  const std::string& text = given.format == "spdx" ? made.spdx : made.cyclonedx;
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
          "JSON. It follows from the release and its lock alone: the same release, the same "
          "bytes.\n"
          "The signature is not checked: verify does that, and checks these documents too.",
      .examples =
          "  weir-builder sbom gateway-6.12 --store store --format spdx\n"
          "  weir-builder sbom gateway-6.12 --store store --format cyclonedx --out "
          "gateway.cdx.json\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "format", options::value(&given.format)->value_name("FORMAT")->required(),
      "spdx or cyclonedx")("out", options::value(&given.out)->value_name("FILE"),
                           "writes it there, not to stdout");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (given.format != "spdx" && given.format != "cyclonedx") {
    std::fprintf(stderr, "weir-builder sbom: --format: '%s' is not spdx or cyclonedx\n",
                 given.format.c_str());
    return 2;
  }
  const Status done = sbom(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
