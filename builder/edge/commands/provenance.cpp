#include "images/edge/provenance.h"

#include <cstdio>

#include "builder/edge/attest.h"
#include "builder/edge/commands/command_line.h"
#include "keys/edge/key_files.h"
#include "manifests/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ProvenanceOptions {
  std::string name, store, out;
  std::vector<std::string> keys;
  bool envelope = false;
};

Result<std::string> read(const ProvenanceOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  std::vector<keys::SigningPublicKey> trusted;
  for (const std::string& path : given.keys) {
    TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(path));
    trusted.push_back(key);
  }
  const std::string where = "release " + given.name;
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN_IN(const auto release, keys::verify_release(stored.json, stored.signature, trusted),
                where);
  TRY_ASSIGN(const auto provenance, verify_stored_provenance(store, release, trusted));
  if (!provenance) {
    return fail(Errc::not_found,
                where + " has no provenance: weir-builder attest, or build it again with a key");
  }
  if (!given.envelope) return provenance->statement();
  TRY_ASSIGN(auto text, images::read_provenance(store, release.digest()));
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
          "Checks a release's signature and its provenance, and prints the statement: what it was\n"
          "made from, and what it ships, each by digest.",
      .examples =
          "  weir-builder provenance gateway-6.12 --store store --key release.pub\n"
          "  weir-builder provenance gateway-6.12 --store store --key release.pub --envelope \\\n"
          "    --out gateway-6.12.intoto.jsonl\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "key", options::value(&given.keys)->value_name("FILE")->required()->composing(),
      "minisign public key that is trusted; can be repeated")(
      "envelope", options::bool_switch(&given.envelope),
      "prints the signed DSSE envelope, for other verifiers")(
      "out", options::value(&given.out)->value_name("FILE"), "writes it there, not to stdout");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  const Status done = run(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
