#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/command_line.h"
#include "images/store/edge/signatures.h"
#include "keys/signing/minisign.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ExportOptions {
  std::string name, store, out;
  bool json = false;
};

Status export_digest(const ExportOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const std::string document, images::unsigned_or_stored(store, name));
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(document), "release " + given.name);
  const keys::Prehash hash = keys::prehash(as_bytes(document));
  const std::string prefix = given.out.empty() ? given.name : given.out;
  const std::string comment =
      "weir release " + release.name.string() + " of lock " + release.lock_digest.string();
  TRY(write_file(prefix + ".digest", {reinterpret_cast<const char*>(hash.data()), hash.size()}));
  TRY(write_file(prefix + ".comment", comment));
  if (given.json) {
    const nlohmann::ordered_json out = {{"release", given.name},
                                        {"blake2b_512", hex_of(hash)},
                                        {"trusted_comment", comment},
                                        {"digest_file", prefix + ".digest"},
                                        {"comment_file", prefix + ".comment"}};
    std::puts(out.dump(2).c_str());
    return {};
  }
  std::printf("%s.digest   BLAKE2b-512 of the release document: %s\n", prefix.c_str(),
              hex_of(hash).c_str());
  std::printf("%s.comment  %s\n", prefix.c_str(), comment.c_str());
  std::printf("sign both there:  weir-keys sign-digest %s --key KEY\n", prefix.c_str());
  return {};
}

}  // namespace

int run_export_digest(const Arguments& args) {
  ExportOptions given;
  CommandLine line{
      .name = "export-digest",
      .positional = "RELEASE",
      .about =
          "Writes what has to be signed of a release, for a machine that has no network: 64 bytes\n"
          "of digest and a line of comment. attach-signature brings the signature back.",
      .examples =
          "  weir-builder build gateway.yaml --unsigned --store store\n"
          "  weir-builder export-digest gateway-6.12 --store store --out usb/gateway\n"
          "  weir-keys sign-digest usb/gateway --key release.key      on the other machine\n"
          "  weir-builder attach-signature gateway-6.12 --store store --key release.pub \\\n"
          "    --signature usb/gateway.minisig\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "out", options::value(&given.out)->value_name("PREFIX"),
      "writes PREFIX.digest and PREFIX.comment; default: the release's name")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  const Status done = export_digest(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
