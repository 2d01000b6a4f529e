#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/json_output.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/minisign.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"
#include "manifests/documents/release.h"

namespace weir::builder {
namespace {

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
Result<bool> list(const ListOptions& given) {
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  TRY_ASSIGN(const auto names, store.list());
  ordered_json out = ordered_json::array();
  bool all = true;
  for (const ReleaseName& name : names) {
    const auto entry = read(store, name);
    if (!entry) {
      all = false;
      log_line(entry.error().message);
      out.push_back({{"release", name.string()}, {"error", entry.error().message}});
    } else if (given.json) {
      out.push_back(to_json(*entry));
    } else {
      std::printf("%-24s %-32s %3zu packages %10s  key %s\n", name.string().c_str(),
                  printable(entry->release.kernel.release).c_str(), entry->release.packages.size(),
                  print(entry->bytes).c_str(), keys::print(entry->signer).c_str());
    }
  }
  TRY_ASSIGN(const auto waiting, store.list_unsigned());
  for (const ReleaseName& name : waiting) {
    out.push_back({{"release", name.string()}, {"waits_for_signature", true}});
    if (given.json) continue;
    std::printf("%-24s waits for its signature: weir-builder attach-signature\n",
                name.string().c_str());
  }
  if (given.json) {
    print_result(out);
  }
  return all;
}

}  // namespace

Command list_command() {
  auto given = std::make_shared<ListOptions>();
  return {.name = "list",
          .summary = "lists the releases of a store",
          .about =
              "Lists the releases of a store, then those that wait for their first signature.\n"
              "Signatures are not checked: verify does that. One that cannot be read is named, and "
              "the\n"
              "exit status is 1 after the others.",
          .examples =
              "  weir-builder list --store store\n"
              "  weir-builder list --store store --json\n",
          .options = {{"store", "DIR", &given->store, "the store", Need::required},
                      {"json", "", &given->json, "prints the result as JSON"}},
          .run = [given]() -> Result<Exit> {
            TRY_ASSIGN(const bool all, list(*given));
            return all ? Exit::done : Exit::failed;
          }};
}

}  // namespace weir::builder
