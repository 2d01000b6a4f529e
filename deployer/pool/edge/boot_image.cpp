#include "deployer/pool/edge/boot_image.h"

#include "deployer/pool/edge/memfd.h"

namespace weir::pool {

Result<BootImage> make_boot_image(const manifests::Release& release, const images::Store& store) {
  const std::string name = release.name.string();
  TRY_ASSIGN(MemoryFile kernel, MemoryFile::make("weir-kernel-" + name));
  TRY_ASSIGN(MemoryFile initramfs, MemoryFile::make("weir-initramfs-" + name));
  TRY_IN(store.read_blob(release.kernel.image, [&](Bytes bytes) { return kernel.write(bytes); }),
         "release " + name + ": kernel");
  for (const manifests::ReleaseLayer& layer : release.layers) {
    TRY_IN(store.read_blob(layer.blob, [&](Bytes bytes) { return initramfs.write(bytes); }),
           "release " + name + ": layer " + layer.name);
  }
  BootImage out;
  TRY_ASSIGN(out.kernel, std::move(kernel).seal());
  TRY_ASSIGN(out.initramfs, std::move(initramfs).seal());
  out.command_line = release.command_line;
  out.architecture = release.architecture;
  return out;
}

}  // namespace weir::pool
