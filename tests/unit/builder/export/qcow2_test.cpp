#include "builder/export/edge/qcow2.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "images/store/edge/output.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

images::Content content_of(std::size_t size, std::uint8_t first) {
  std::vector<std::uint8_t> out(size);
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<std::uint8_t>(first + i * 7 + i / 251);
  return std::make_shared<const std::vector<std::uint8_t>>(std::move(out));
}

}  // namespace

TEST_CASE("a qcow2 image holds the disk it was made from, and comes out the same twice") {
  const test::TemporaryFolder folder;
  const images::SparseFile disks[] = {
      {ByteCount{kMiB}, {}},
      {ByteCount{3 * kMiB + 512},
       {{0, content_of(70'000, 1)}, {kMiB - 3, content_of(26, 2)}, {3 * kMiB, content_of(512, 3)}}},
      // More than one table of clusters: 512 MiB each.
      {ByteCount{1100 * kMiB},
       {{600 * kMiB + 5, content_of(1, 4)}, {1100 * kMiB - 1, content_of(1, 5)}}}};
  for (const auto& disk : disks) {
    // A colon would name a protocol to qemu-img.
    const auto made = convert_to_qcow2(disk, folder.path + "/a:disk");
    REQUIRE_MESSAGE(made.has_value(), made.error().message);
    CHECK(convert_to_qcow2(disk, folder.path + "/other") == *made);
    REQUIRE(write_file(folder.path + "/disk.qcow2", *made).has_value());
    REQUIRE(images::write_sparse_file(folder.path + "/disk.raw", disk).has_value());
    const std::string in = "cd " + folder.path + " && ";
    CHECK(test::must(in + "qemu-img check disk.qcow2").find("No errors") != std::string::npos);
    test::must(in + "qemu-img compare -f raw -F qcow2 disk.raw disk.qcow2");
    CHECK(test::must(in + "ls -A") == "disk.qcow2\ndisk.raw\n");
  }
}

TEST_CASE("a qcow2 image is made whatever the umask, by who is not root too") {
  const test::TemporaryFolder folder;
  REQUIRE(::chmod(folder.path.c_str(), 0777) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;
    ::umask(0777);
    // Who is not root already stays who he is.
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(2);
    const auto made = convert_to_qcow2({ByteCount{kMiB}, {}}, folder.path + "/disk");
    if (!made) std::fprintf(stderr, "%s\n", made.error().message.c_str());
    ::_exit(made ? 0 : 1);
  }
  REQUIRE(child > 0);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace weir::builder
