#include "images/formats/decompress.h"

#include <doctest/doctest.h>
#include <lzma.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <new>

#include "images/formats/xz_stream.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

using test::must;
using test::TemporaryFolder;

constexpr std::string_view kNoMemory = "not enough memory";

/// A small .xz stream that declares a dictionary of `size` (the .xz file format, 3.1 and 5.3.1).
std::string xz_with_dictionary(std::uint8_t size) {
  const TemporaryFolder folder;
  must("cd " + folder.path + " && printf hello > plain && xz plain");
  std::string out = test::bytes_of(folder.path + "/plain.xz");
  constexpr std::size_t kBlock = 12;  // behind the stream's header
  const std::size_t length =
      (static_cast<std::size_t>(static_cast<std::uint8_t>(out[kBlock])) + 1) * 4;
  const std::size_t filter = out.find("\x21\x01", kBlock);
  REQUIRE(filter < kBlock + length);
  out[filter + 2] = static_cast<char>(size);
  const auto* header = reinterpret_cast<const std::uint8_t*>(out.data()) + kBlock;
  const std::uint32_t sum = lzma_crc32(header, length - 4, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    out[kBlock + length - 4 + i] = static_cast<char>(sum >> (8 * i));
  }
  return out;
}
constexpr std::uint8_t k64MiB = 28, k512MiB = 34;

/// A frame of one raw block, "hi", that declares a window of 128 MiB (RFC 8878, section 3.1.1).
const std::string kWideZstd("\x28\xb5\x2f\xfd\x00\x88\x11\x00\x00hi", 11);

Result<std::vector<std::uint8_t>> unpack_xz(const std::string& packed) {
  bool given = false;
  auto stream = XzStream::open(
      [&]() -> Result<Bytes> { return std::exchange(given, true) ? Bytes() : as_bytes(packed); });
  if (!stream) return tl::unexpected(stream.error());
  TRY_ASSIGN(const Bytes out, stream->next());
  return std::vector<std::uint8_t>(out.begin(), out.end());
}

std::string said(const std::function<Result<std::vector<std::uint8_t>>()>& unpack) {
  try {
    const auto out = unpack();
    if (!out) return out.error().message;
    return "unpacked " + std::to_string(out->size());
  } catch (const std::bad_alloc&) {
    return std::string(kNoMemory);  // as run_program says it
  }
}

/// What a process says that may have so much more address space than this one has.
std::string with_room(std::uint64_t room,
                      const std::function<Result<std::vector<std::uint8_t>>()>& unpack) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto most = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + room;
    const rlimit limit{most, most};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) ::_exit(3);
    const std::string answer = said(unpack);
    ::_exit(::write(ends[1], answer.data(), answer.size()) < 0 ? 2 : 0);
  }
  ::close(ends[1]);
  std::string out(1024, '\0');
  const ssize_t n = ::read(ends[0], out.data(), out.size());
  ::close(ends[0]);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  return out;
}

}  // namespace

TEST_CASE(
    "an xz stream that asks for more than is allowed is told from one that there is no room for") {
  const std::string wide = xz_with_dictionary(k64MiB);
  CHECK(said([&] { return unpack_xz(wide); }) == "unpacked 5");
  const std::string wider = xz_with_dictionary(k512MiB);
  CHECK(said([&] { return unpack_xz(wider); }) == "xz: needs more than 256 MiB of memory");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// Sanitizers need more address space than any limit leaves.
TEST_CASE("what there is no memory to unpack is not called damaged, unknown or too large") {
  const std::string wide = xz_with_dictionary(k64MiB);
  constexpr std::uint64_t kRoom = 24U << 20;
  CHECK(with_room(kRoom, [&] { return unpack_xz(wide); }) == kNoMemory);
  CHECK(with_room(kRoom, [&] { return decompress(as_bytes(wide), {64}); }) == kNoMemory);
  CHECK(with_room(kRoom, [&] { return decompress_exactly(as_bytes(wide), {5}); }) == kNoMemory);
  CHECK(with_room(kRoom, [&] { return decompress(as_bytes(kWideZstd), {64}); }) == kNoMemory);
  CHECK(with_room(kRoom, [&] { return decompress_exactly(as_bytes(kWideZstd), {2}); }) ==
        kNoMemory);
}

TEST_CASE("however little memory there is, a stream is unpacked or there is not enough of it") {
  const TemporaryFolder folder;
  must("cd " + folder.path +
       " && seq 20000 > p && gzip -k p && bzip2 -k p && xz -k p && lzma -k p && zstd -q p && "
       "lz4 -q p p.lz4");
  const std::string fine = "unpacked " + std::to_string(test::bytes_of(folder.path + "/p").size());
  for (const std::string suffix : {".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4"}) {
    const std::string packed = test::bytes_of(folder.path + "/p" + suffix);
    for (const std::uint64_t kib : {0U, 32U, 128U, 512U, 2048U, 8192U}) {
      CAPTURE(suffix);
      CAPTURE(kib);
      const std::string answer =
          with_room(kib << 10, [&] { return decompress(as_bytes(packed), {1 << 20}); });
      if (answer != fine) CHECK(answer == kNoMemory);
    }
  }
}
#endif

}  // namespace weir::images
