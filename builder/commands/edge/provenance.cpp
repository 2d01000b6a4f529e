#include "images/store/edge/provenance.h"

#include <cstdio>

#include "builder/commands/edge/trust_options.h"
#include "builder/release/edge/attest.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ProvenanceOptions {
  std::string name, store, out;
  TrustOptions trust;
  bool envelope = false;
};

Result<std::string> read(const ProvenanceOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto trusted, verify_by(given.trust, store, name, Demands::waived));
  TRY_ASSIGN(const auto provenance,
             verify_stored_provenance(store, trusted.release, trusted.signers));
  if (!provenance) {
    return fail(Errc::not_found,
                "release " + given.name +
                    " has no provenance: weir-builder attest, or build it again with a key");
  }
  if (!given.envelope) return provenance->statement();
  TRY_ASSIGN(auto text, images::read_provenance(store, trusted.release.digest()));
  return std::move(text).value_or("");
}

Status run(const ProvenanceOptions& given) {
  TRY_ASSIGN(const std::string text, read(given));
  if (!given.out.empty()) return write_file(given.out, text);
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace

int run_provenance(const Arguments& args) {
  ProvenanceOptions given;
  CommandLine line{
      .name = "provenance",
      .positional = "RELEASE",
      .about =
          "Checks a release and its provenance, and prints the statement: what it was made from,\n"
          "and what it ships, each by digest. --state is only read.",
      .examples =
          "  weir-builder provenance gateway-6.12 --store store --key release.pub\n"
          "  weir-builder provenance gateway-6.12 --store store --trust trust.json --state "
          "trust.state\n"
          "  weir-builder provenance gateway-6.12 --store store --key release.pub --envelope \\\n"
          "    --out gateway-6.12.intoto.jsonl\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is");
  add_trust_options(line, given.trust);
  line.options.add_options()("envelope", options::bool_switch(&given.envelope),
                             "prints the signed DSSE envelope, for other verifiers")(
      "out", options::value(&given.out)->value_name("FILE"), "writes it there, not to stdout");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (!says_who_is_trusted(line, given.trust)) return 2;
  const Status done = run(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
