#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/command_line.h"
#include "images/store/edge/store.h"
#include "keys/signing/minisign.h"
#include "manifests/documents/release.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

struct ListOptions {
  std::string store;
  bool json = false;
};

struct Entry {
  manifests::Release release;
  keys::KeyId signer;
  ByteCount bytes;
};

Result<Entry> read(const images::Store& store, const ReleaseName& name) {
  TRY_ASSIGN(const auto stored, store.read_release(name));
  TRY_ASSIGN_IN(auto release, manifests::parse_release(stored.json), name.string());
  TRY_ASSIGN_IN(const keys::KeyId signer, keys::signer_of(stored.signature), name.string());
  ByteCount bytes = release.kernel.image.size;
  for (const auto& layer : release.layers) bytes.value += layer.blob.size.value;
  return Entry{std::move(release), signer, bytes};
}

ordered_json to_json(const Entry& entry) {
  const manifests::Release& release = entry.release;
  ordered_json out = {{"release", release.name.string()},
                      {"version", nullptr},
                      {"channel", nullptr},
                      {"kernel", release.kernel.release},
                      {"lock_digest", release.lock_digest.string()},
                      {"packages", release.packages.size()},
                      {"bytes", entry.bytes.value},
                      {"claims_signer", keys::print(entry.signer)}};
  if (release.terms) {
    out["version"] = release.terms->version;
    out["channel"] = release.terms->channel.string();
  }
  return out;
}

// Whether every release could be read; what is wrong with the others was told.
Result<bool> list(const CommandLine& line, const ListOptions& given) {
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  TRY_ASSIGN(const auto names, store.list());
  ordered_json out = ordered_json::array();
  bool all = true;
  for (const ReleaseName& name : names) {
    const auto entry = read(store, name);
    if (!entry) {
      all = false;
      report(line, entry.error());
      out.push_back({{"release", name.string()}, {"error", entry.error().message}});
    } else if (given.json) {
      out.push_back(to_json(*entry));
    } else {
      std::printf("%-24s %-32s %3zu packages %10s  key %s\n", name.string().c_str(),
                  entry->release.kernel.release.c_str(), entry->release.packages.size(),
                  print(entry->bytes).c_str(), keys::print(entry->signer).c_str());
    }
  }
  if (given.json) {
    std::puts(out.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  }
  return all;
}

}  // namespace

int run_list(const Arguments& args) {
  ListOptions given;
  CommandLine line{
      .name = "list",
      .positional = "",
      .about =
          "Lists the releases of a store. Signatures are not checked: verify does that. One that\n"
          "cannot be read is named, and the exit status is 1 after the others.",
      .examples =
          "  weir-builder list --store store\n"
          "  weir-builder list --store store --json\n"};
  line.options.add_options()("store", options::value(&given.store)->value_name("DIR")->required(),
                             "the store")("json", options::bool_switch(&given.json),
                                          "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, nullptr)) return *code;
  const auto all = list(line, given);
  if (!all) return report(line, all.error());
  return *all ? 0 : 1;
}

}  // namespace weir::builder
