#include "builder/layers/edge/layer_cache.h"

#include <link.h>

#include "images/formats/elf.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

constexpr ByteCount kFacts{64ULL << 20};

bool whole(const images::Store& store, const manifests::Blob& blob) {
  return store.read_blob(blob, [](Bytes) -> Status { return {}; }).has_value();
}

// The first object is the program itself (dl_iterate_phdr(3)).
int first_build_id(dl_phdr_info* info, std::size_t, void* out) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const std::uintptr_t at = info->dlpi_addr + segment.p_vaddr;
    // Addresses are numbers in what the loader tells.  NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto* notes = reinterpret_cast<const std::uint8_t*>(at);
    if (auto id = images::build_id_in(Bytes(notes, segment.p_memsz))) {
      *static_cast<std::string*>(out) = *id;
      break;
    }
  }
  return 1;
}

}  // namespace

Result<LayerCache> LayerCache::open_or_create(const Cache& cache) {
  const std::string path = cache.path() + "/layers";
  TRY(make_folders(path));
  return LayerCache(path);
}

LayerCache LayerCache::open_for_plan(const Cache& cache) {
  return LayerCache(cache.path() + "/layers");
}

std::optional<LayerFacts> LayerCache::find(const Digest& key, std::int64_t epoch,
                                           const images::Store& store) const {
  const auto text = read_file(path_ + "/" + key.hex(), kFacts);
  if (!text) return std::nullopt;
  auto facts = parse_layer_facts(*text);
  if (!facts || facts->newest > epoch || !whole(store, facts->layer.blob)) return std::nullopt;
  if (facts->kernel && !whole(store, facts->kernel->kernel.image)) return std::nullopt;
  return std::move(*facts);
}

Status LayerCache::put(const Digest& key, const LayerFacts& facts, std::int64_t epoch) const {
  if (facts.newest > epoch) return {};
  return write_file(path_ + "/" + key.hex(), print(facts), 0644, Durability::none);
}

std::string own_build_id() {
  std::string out;
  dl_iterate_phdr(first_build_id, &out);
  return out.empty() ? WEIR_VERSION : out;
}

}  // namespace weir::builder
