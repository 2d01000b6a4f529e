#include "builder/edge/verify.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/edge/commands/command_line.h"
#include "keys/edge/key_files.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct VerifyOptions {
  std::string name, store;
  std::vector<std::string> keys;
  bool json = false;
};

Status verify(const VerifyOptions& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  std::vector<keys::SigningPublicKey> trusted;
  for (const std::string& path : given.keys) {
    TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(path));
    trusted.push_back(key);
  }
  TRY_ASSIGN(const auto release, verify_stored(store, name, trusted));
  ByteCount bytes = release->kernel.image.size;
  for (const auto& layer : release->layers) bytes.value += layer.blob.size.value;
  if (given.json) {
    const nlohmann::ordered_json out = {{"release", release->name.string()},
                                        {"signer", release.signer()},
                                        {"release_digest", release.digest().string()},
                                        {"lock_digest", release->lock_digest.string()},
                                        {"blobs", release->layers.size() + 1},
                                        {"bytes", bytes.value}};
    std::puts(out.dump(2).c_str());
    return {};
  }
  std::printf("release %s is whole: signed by %s, %zu blobs, %s\n", release->name.string().c_str(),
              release.signer().c_str(), release->layers.size() + 1, print(bytes).c_str());
  return {};
}

}  // namespace

int run_verify(const Arguments& args) {
  VerifyOptions given;
  CommandLine line{
      .name = "verify",
      .positional = "RELEASE",
      .about = "Checks that a trusted key signed a release, and every blob that it names.",
      .examples = "  weir-builder verify gateway-6.12 --store store --key release.pub\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "where the release is")(
      "key", options::value(&given.keys)->value_name("FILE")->required()->composing(),
      "minisign public key that is trusted; can be repeated")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  const Status done = verify(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
