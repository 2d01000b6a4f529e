#include "tests/lab/lab.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "manifests/base/edge/file.h"
#include "manifests/base/process_stat.h"
#include "tests/text.h"

namespace weir::lab {
namespace {

struct Folder {
  std::string path = "/tmp/weirt-lab-XXXXXX";
  Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path); }
};

/// The record of a lab with one process.
void write_record(const Folder& folder, pid_t pid, std::uint64_t start_ticks) {
  const std::string text =
      R"({"name":"t","programs":"","store":"","trusted_key":"","gateway_key":"","extra":0,)"
      R"("connected":[],"processes":[{"what":"wireguard-go","pid":)" +
      std::to_string(pid) + R"(,"start_ticks":)" + std::to_string(start_ticks) + "}]}";
  REQUIRE(write_file(folder.path + "/lab.json", text).has_value());
}

}  // namespace

TEST_CASE("a lab that is up is not replaced: what to do is said; what is left of one is no lab") {
  const Folder folder;
  CHECK(check_none_is_up(folder.path).has_value());
  const auto text = read_file("/proc/self/stat", ByteCount{4096});
  REQUIRE(text.has_value());
  const auto self = parse_process_stat(*text);
  REQUIRE(self.has_value());
  write_record(folder, ::getpid(), self->start_ticks);
  const Status up = check_none_is_up(folder.path);
  REQUIRE_FALSE(up.has_value());
  CHECK(up.error().code == Errc::busy);
  CHECK(test::has(up.error().message, "a lab is up in " + folder.path));
  CHECK(test::has(up.error().message, "`./run lab down`"));
  // Another process has its number by now.
  write_record(folder, ::getpid(), self->start_ticks + 1);
  CHECK(check_none_is_up(folder.path).has_value());
}

}  // namespace weir::lab
