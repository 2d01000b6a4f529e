#include "manifests/base/edge/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "tests/unit/images/scratch.h"
#include "tests/unit/own_memory.h"

namespace weir {
namespace {

constexpr ByteCount kLimit{4096};

// A socket under a name.
Fd listening_at(const std::string& path) {
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(static_cast<char*>(address.sun_path), path.size());
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

Error refusal_of(const std::string& path) {
  const auto read = read_file(path, kLimit);
  REQUIRE(!read.has_value());
  return read.error();
}

}  // namespace

// A reader that waits would end with the test's deadline.
TEST_CASE("what is no file is refused at once and by what it is, never waited for") {
  const test::TemporaryFolder folder;
  const std::string fifo = folder.path + "/fifo", socket = folder.path + "/socket";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const Fd listening = listening_at(socket);
  for (const auto& [path, what] : {std::pair<std::string, std::string>{fifo, "a pipe"},
                                   {socket, "a socket"},
                                   {folder.path, "a folder"},
                                   {"/dev/zero", "a device"}}) {
    const auto& shown = path;
    CAPTURE(shown);
    const Error error = refusal_of(path);
    CHECK(error.code == Errc::invalid_input);
    CHECK(error.message.starts_with(path + ": is " + what));
    CHECK(read_secret_file(path, kLimit).error().code == Errc::invalid_input);
    CHECK(open_file_nofollow(path).error().code == Errc::invalid_input);
    CHECK(lock_file(path).error().message ==
          path + ": is no file: remove it, and it is made again");
  }
}

TEST_CASE("a process substitution is refused with the way round it") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const Fd read_end(ends[0]), write_end(ends[1]);
  const Error error = refusal_of("/dev/fd/" + std::to_string(read_end.get()));
  CHECK(error.message.find("<(...)") != std::string::npos);
  CHECK(error.message.find("write it to a file") != std::string::npos);
}

TEST_CASE("files of the kernel read as files") {
  CHECK(read_file("/proc/self/stat", kLimit).has_value());
  CHECK(read_file("/sys/kernel/mm/transparent_hugepage/enabled", kLimit).has_value() ==
        std::filesystem::exists("/sys/kernel/mm/transparent_hugepage/enabled"));
  // sysfs says that it has 4096 bytes (fs/sysfs/file.c: PAGE_SIZE); it has a line.
  const std::string sequence = "/sys/kernel/uevent_seqnum";
  CHECK(read_file(sequence, ByteCount{30}).has_value() == std::filesystem::exists(sequence));
}

TEST_CASE("nothing is read of a file that says that it is too large") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/large";
  test::must("truncate --size 5G " + path);
  const auto fd = open_file(path);
  REQUIRE(fd.has_value());
  const auto refused = read_file(*fd, path, ByteCount{1 << 30});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::exhausted);
  CHECK(refused.error().message == path + ": larger than 1.0 GiB");
  CHECK(::lseek(fd->get(), 0, SEEK_CUR) == 0);
  // What was read already counts no more.
  REQUIRE(::lseek(fd->get(), -70000, SEEK_END) > 0);
  const auto rest = read_file(*fd, path, ByteCount{70000});
  REQUIRE(rest.has_value());
  CHECK(rest->size() == 70000);
}

TEST_CASE("a secret is read only where nobody else can read or change it") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/secret";
  REQUIRE(write_file(path, "x", 0600).has_value());
  for (const unsigned mode : {0600U, 0400U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    CHECK(read_secret_file(path, kLimit).has_value());
  }
  for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0644U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto read = read_secret_file(path, kLimit);
    REQUIRE(!read.has_value());
    CHECK(read.error().code == Errc::unauthorized);
    CHECK(read.error().message.find("chmod 600") != std::string::npos);
    CHECK(read_file(path, kLimit).has_value());
  }
}

TEST_CASE("who wipes a secret that was read has wiped the only copy of it") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/secret";
  test::must("umask 077 && head -c 30000 /dev/urandom | base64 -w0 > " + path);
  // From its middle: where memory is freed, the first bytes go in any case.
  const std::string asked =
      test::must("tail -c +20000 " + path + " | head -c 64 | tr A-Za-z a-zA-Z");
  {
    auto secret = read_secret_file(path, ByteCount{1 << 20});
    REQUIRE(secret.has_value());
    CHECK(secret->size() == 40000);
    CHECK(test::memory_holds(asked));
    ::explicit_bzero(secret->data(), secret->size());
  }
  CHECK_FALSE(test::memory_holds(asked));
}

TEST_CASE("a secret that belongs to somebody else is refused") {
  if (::geteuid() != 0) {
    MESSAGE("needs root, to give a file away");
    return;
  }
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/secret";
  REQUIRE(write_file(path, "x", 0600).has_value());
  REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  const auto read = read_secret_file(path, kLimit);
  REQUIRE(!read.has_value());
  CHECK(read.error().code == Errc::unauthorized);
  CHECK(read.error().message.find("chown it") != std::string::npos);
}

TEST_CASE("a link in a file's place is followed only where that was asked for") {
  const test::TemporaryFolder folder;
  const std::string path = folder.path + "/file", link = folder.path + "/link";
  REQUIRE(write_file(path, "x").has_value());
  REQUIRE(::symlink(path.c_str(), link.c_str()) == 0);
  CHECK(open_file(link).has_value());
  CHECK(!open_file_nofollow(link).has_value());
}

// errno(3); a quota that is used up is a full disk to whoever writes.
TEST_CASE("what a call says of a file is told by kind, with the path and the system's words") {
  const std::pair<int, Errc> kinds[] = {{ENOENT, Errc::not_found},
                                        {ENOSPC, Errc::exhausted},
                                        {EDQUOT, Errc::exhausted},
                                        {EACCES, Errc::unauthorized},
                                        {EPERM, Errc::unauthorized},
                                        {EIO, Errc::io},
                                        {EROFS, Errc::io}};
  for (const auto& kind : kinds) {
    CAPTURE(kind.first);
    const Error error = fail_file("a/b", kind.first).value();
    CHECK(error.code == kind.second);
    CHECK(error.sys == kind.first);
    CHECK(error.message == "a/b: " + std::string(std::strerror(kind.first)));
  }
}

}  // namespace weir
