#include "builder/layers/edge/node_programs.h"

#include "images/formats/elf.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/paths.h"

namespace weir::builder {
namespace {

constexpr ByteCount kMaxProgram{64ULL << 20};

// What is no ELF file at all is for nodes to refuse.
Status check_machine(const std::string& path, const std::string& bytes,
                     const manifests::Architecture& architecture) {
  if (!images::is_elf(as_bytes(bytes))) return {};
  TRY_ASSIGN_IN(const images::Elf elf, images::parse_elf(as_bytes(bytes)), path);
  if (elf.machine == architecture.elf_machine) return {};
  return fail(Errc::invalid_input,
              path + ": is for another architecture (ELF machine " + std::to_string(elf.machine) +
                  "), and the image is for " + std::string(architecture.name) + " (" +
                  std::to_string(architecture.elf_machine) + "): " + how_to_get(architecture));
}

}  // namespace

Result<std::string> node_program_folder(const manifests::ImageManifest& manifest,
                                        const std::string& manifest_path) {
  if (manifest.node_programs) {
    if (manifest.node_programs->starts_with('/')) return *manifest.node_programs;
    return folder_of(manifest_path) + "/" + *manifest.node_programs;
  }
  TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(manifest.architecture),
                "architecture");
  if (architecture.name == manifests::own_architecture().name) return program_folder();
  return foreign_program_folder(architecture);
}

Result<std::string> foreign_program_folder(const manifests::Architecture& architecture) {
  TRY_ASSIGN(const std::string own, program_folder());
  return own + "/" + std::string(architecture.name);
}

std::string how_to_get(const manifests::Architecture& architecture) {
  const std::string name(architecture.name);
  if (name == manifests::own_architecture().name) return "build it (./run build)";
  return "install weir-builder-" + name + ", or build it with ./run build weir_" + name;
}

Result<std::vector<manifests::LockedProgram>> lock_programs(
    const std::string& folder, const manifests::Architecture& architecture, const Cache& cache) {
  std::vector<manifests::LockedProgram> out;
  for (const char* name : {"weir-init", "weir-node"}) {
    const std::string path = folder + "/" + name;
    auto bytes = read_file(path, kMaxProgram);
    if (!bytes && bytes.error().code == Errc::not_found) {
      return fail(Errc::not_found, path + ": no such program: " + how_to_get(architecture) +
                                       ", or say in the manifest where the node programs are "
                                       "(node_programs)");
    }
    TRY(bytes);
    TRY(check_machine(path, *bytes, architecture));
    const Digest digest = Digest::of(as_bytes(*bytes));
    TRY(cache.put(digest, *bytes));
    out.push_back({name, digest, ByteCount{bytes->size()}});
  }
  return out;
}

}  // namespace weir::builder
