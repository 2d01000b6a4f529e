#include "builder/export/edge/qcow2.h"

#include <chrono>

#include "images/store/edge/output.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/size_limits.h"

namespace weir::builder {
namespace {

constexpr std::chrono::minutes kConversionPatience{10};

}  // namespace

Result<std::string> find_qemu_img() {
  auto path = find_program("qemu-img");
  if (!path && path.error().code == Errc::not_found) {
    return fail(Errc::not_found, "qemu-img is not here: install Debian's qemu-utils");
  }
  return path;
}

Result<std::string> convert_to_qcow2(const images::SparseFile& disk, const std::string& beside) {
  Program qemu_img;
  TRY_ASSIGN(qemu_img.path, find_qemu_img());
  TRY_ASSIGN(const auto folder, images::OutputFolder::begin(beside + ".converting"));
  // With a slash before any colon, which would name a protocol to qemu-img.
  const std::string place = (folder.aside().starts_with('/') ? "" : "./") + folder.aside();
  const std::string from = place + "/disk.raw", to = place + "/disk.qcow2";
  TRY(images::write_sparse_file(from, disk));
  qemu_img.arguments = {
      "convert", "-q", "-f", "raw", "-O", "qcow2", "-o", "compat=1.1,cluster_size=65536", from, to};
  qemu_img.environment = {kProgramPath, "LC_ALL=C"};
  TRY_ASSIGN(const Ended child, run(qemu_img, "", {kConversionPatience}));
  TRY(require_success(qemu_img, child.status, child.error));
  return read_file(to, manifests::kLargestBlob);
}

}  // namespace weir::builder
