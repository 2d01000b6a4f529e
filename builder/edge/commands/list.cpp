#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/edge/commands/command_line.h"
#include "images/edge/store.h"
#include "keys/minisign.h"
#include "manifests/release.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

struct ListOptions {
  std::string store;
  bool json = false;
};

Status list(const ListOptions& given) {
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto names, store.list());
  ordered_json out = ordered_json::array();
  for (const ReleaseName& name : names) {
    TRY_ASSIGN(const auto stored, store.read_release(name));
    TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), name.string());
    TRY_ASSIGN_IN(const keys::KeyId signer, keys::signer_of(stored.signature), name.string());
    ByteCount bytes = release.kernel.image.size;
    for (const auto& layer : release.layers) bytes.value += layer.blob.size.value;
    if (given.json) {
      out.push_back({{"release", name.string()},
                     {"kernel", release.kernel.release},
                     {"lock_digest", release.lock_digest.string()},
                     {"packages", release.packages.size()},
                     {"bytes", bytes.value},
                     {"claims_signer", keys::print(signer)}});
    } else {
      std::printf("%-24s %-32s %3zu packages %10s  key %s\n", name.string().c_str(),
                  release.kernel.release.c_str(), release.packages.size(), print(bytes).c_str(),
                  keys::print(signer).c_str());
    }
  }
  if (given.json) std::puts(out.dump(2).c_str());
  return {};
}

}  // namespace

int run_list(const Arguments& args) {
  ListOptions given;
  CommandLine line{
      .name = "list",
      .positional = "",
      .about = "Lists the releases of a store. Signatures are not checked: verify does that.",
      .examples = "  weir-builder list --store store\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "the store")("json", options::bool_switch(&given.json),
                                          "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, nullptr)) return *code;
  const Status done = list(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
