#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/json_output.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/minisign.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

struct DigestOptions {
  std::string name, store, out;
  bool json = false;
};

Status export_digest(const DigestOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  const std::string prefix = given.out.empty() ? given.name : given.out;
  for (const char* ending : {".digest", ".comment"}) TRY(keys::check_output(prefix + ending));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const std::string document, images::unsigned_or_stored(store, name));
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(document), "release " + given.name);
  const keys::Prehash hash = keys::prehash(as_bytes(document));
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
    print_result(out);
    return {};
  }
  std::printf("%s.digest   BLAKE2b-512 of the release document: %s\n", prefix.c_str(),
              hex_of(hash).c_str());
  std::printf("%s.comment  %s\n", prefix.c_str(), comment.c_str());
  std::printf("sign both there:  weir-keys sign-digest %s --key KEY\n", shell_word(prefix).c_str());
  return {};
}

}  // namespace

Command export_digest_command() {
  auto given = std::make_shared<DigestOptions>();
  return {
      .name = "export-digest",
      .summary = "writes what another machine has to sign",
      .about =
          "Writes what has to be signed of a release, for a machine that has no network: 64 bytes\n"
          "of digest and a line of comment. attach-signature brings the signature back.",
      .examples =
          "  weir-builder build gateway.yaml --unsigned --store store\n"
          "  weir-builder export-digest gateway-6.12 --store store --out usb/gateway\n"
          "  weir-keys sign-digest usb/gateway --key release.key      on the other machine\n"
          "  weir-builder attach-signature gateway-6.12 --store store --key release.pub \\\n"
          "    --signature usb/gateway.minisig\n",
      .takes = Positional{"RELEASE", &given->name},
      .options = {{"store", "DIR", &given->store, "where the release is", Need::required},
                  {"out", "PREFIX", &given->out,
                   "writes PREFIX.digest and PREFIX.comment; default: the release's name"},
                  {"json", "", &given->json, "prints the result as JSON"}},
      .run = [given]() -> Result<Exit> {
        TRY(export_digest(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
