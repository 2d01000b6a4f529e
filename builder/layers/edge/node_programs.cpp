#include "builder/layers/edge/node_programs.h"

#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/paths.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxProgram{64ULL << 20};

}  // namespace

Result<std::string> node_program_folder(const manifests::ImageManifest& manifest,
                                        const std::string& manifest_path) {
  if (manifest.node_programs) {
    if (manifest.node_programs->starts_with('/')) return *manifest.node_programs;
    return folder_of(manifest_path) + "/" + *manifest.node_programs;
  }
  return program_folder();
}

Result<std::vector<manifests::LockedProgram>> lock_programs(const std::string& folder,
                                                            const Cache& cache) {
  std::vector<manifests::LockedProgram> out;
  for (const char* name : {"weir-init", "weir-node"}) {
    auto bytes = read_file(folder + "/" + name, kMaxProgram);
    if (!bytes && bytes.error().code == Errc::not_found) {
      return fail(Errc::not_found, folder + "/" + name +
                                       ": no such program: build it, or say in the manifest where "
                                       "the node programs are (node_programs)");
    }
    TRY(bytes);
    const Digest digest = Digest::of(as_bytes(*bytes));
    TRY(cache.put(digest, *bytes));
    out.push_back({name, digest, ByteCount{bytes->size()}});
  }
  return out;
}

}  // namespace weir::builder
