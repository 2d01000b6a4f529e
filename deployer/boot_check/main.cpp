// weir-boot-check: boots one release, has a peer talk to it, and prints what it saw. It verifies no
// signature: `weir-builder boot-check` does, and names the release by the digest that it verified.
#include <sys/resource.h>
#include <unistd.h>

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>

#include "deployer/boot_check/edge/check.h"
#include "deployer/boot_check/edge/enclosure.h"
#include "deployer/pool/edge/boot_image.h"
#include "images/store/edge/store.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace {

using namespace weir;  // NOLINT: a driver
namespace po = boost::program_options;

constexpr const char* kUsage =
    R"(usage: weir-boot-check RELEASE --store DIR --digest SHA256 [OPTIONS]

Boots a release in QEMU, makes it a gateway, has a wireguard-go peer complete a handshake and move data both
ways, and prints what was seen as a weir.boot-check/1 document. Needs root. weir-builder boot-check runs it,
compares what it prints with the release, and signs.

options:
  --store DIR        where the release is
  --digest SHA256    of the release document, as it was verified
  --memory SIZE      of the machine (512 MiB)
  --timeout SECONDS  until the node answers (180)
  --log FILE         keeps what the node's kernel, weir-init and weir-node said
  --version, --help

examples:
  weir-boot-check gateway-6.12 --store store --digest sha256:4df9...
)";

struct Options {
  std::string release, store, digest, memory, log;
  unsigned timeout = 0;
};

int failed(const Error& error) {
  std::fprintf(stderr, "weir-boot-check: %s\n", printable(error.message).c_str());
  return 1;
}

Result<int> run(const Options& options) {
  if (::geteuid() != 0) {
    return fail(Errc::unauthorized,
                "needs root, for network namespaces and the machine's links: run it with sudo");
  }
  TRY_ASSIGN_IN(const ReleaseName name, ReleaseName::parse(options.release), "RELEASE");
  TRY_ASSIGN_IN(const Digest digest, Digest::parse(options.digest), "--digest");
  TRY_ASSIGN_IN(const ByteCount memory, parse_byte_count(options.memory), "--memory");
  TRY_ASSIGN(const auto store, images::Store::open(options.store));
  TRY_ASSIGN(const auto stored, store.read_release(name));
  const std::string where = "release " + name.string();
  if (Digest::of(as_bytes(stored.json)) != digest) {
    return fail(Errc::integrity, where + " in " + options.store +
                                     ": is not the one that --digest "
                                     "names");
  }
  TRY_ASSIGN_IN(const auto release, manifests::parse_release(stored.json), where);
  if (release.name != name) {
    return fail(Errc::integrity, where + ": the document is of release " + release.name.string());
  }
  Fd log;
  if (!options.log.empty()) {
    TRY_ASSIGN(log, open_log_file(options.log, Existing::emptied));
  }
  // Before the enclosure, whose /run is another one: the store may lie anywhere.
  TRY_ASSIGN_IN(const auto image, pool::make_boot_image(release, store), where);
  const auto start = std::chrono::steady_clock::now();
  const auto say = [start](const std::string& line) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    std::fprintf(stderr, "[%7.2f s] %s\n", passed.count(), printable(line).c_str());
  };
  return boot_check::run_enclosed([&] {
    const auto seen = boot_check::check(
        {name, digest, image, memory, std::chrono::seconds(options.timeout), log.get()}, say);
    if (!seen) return failed(Error(seen.error()).in(where));
    std::fputs(print(*seen).c_str(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  po::options_description described;
  auto add = described.add_options();
  add("release", po::value(&options.release)->required());
  add("store", po::value(&options.store)->required());
  add("digest", po::value(&options.digest)->required());
  add("memory", po::value(&options.memory)->default_value("512 MiB"));
  add("timeout", po::value(&options.timeout)->default_value(180));
  add("log", po::value(&options.log));
  add("version", "");
  add("help,h", "");
  po::positional_options_description positional;
  positional.add("release", 1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(argc, argv).options(described).positional(positional).run(),
              given);
    if (given.count("help") != 0) {
      std::cout << kUsage;
      return 0;
    }
    if (given.count("version") != 0) {
      std::cout << "weir-boot-check " WEIR_VERSION "\n";
      return 0;
    }
    po::notify(given);
  } catch (const po::error& error) {
    std::fprintf(stderr, "weir-boot-check: %s (--help explains)\n", error.what());
    return 2;
  }
  // Private keys pass through this process: no core file may hold them.
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const auto code = run(options);
  return code ? *code : failed(code.error());
}
