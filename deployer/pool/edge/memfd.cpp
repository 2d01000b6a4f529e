#include "deployer/pool/edge/memfd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace weir::pool {

Result<MemoryFile> MemoryFile::make(const std::string& name) {
  Fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return fail_errno(Errc::io, errno, "memory file " + name);
  return MemoryFile(std::move(fd));
}

Status MemoryFile::write(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return fail_errno(errno == ENOSPC || errno == ENOMEM ? Errc::exhausted : Errc::io, errno,
                        "write to a memory file");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<Fd> MemoryFile::seal() && {
  if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) !=
      0) {
    return fail_errno(Errc::io, errno, "seal a memory file");
  }
  return std::move(fd_);
}

Result<Fd> make_sealed_file(const std::string& name, std::string_view content) {
  TRY_ASSIGN(MemoryFile file, MemoryFile::make(name));
  TRY(file.write(as_bytes(content)));
  return std::move(file).seal();
}

}  // namespace weir::pool
