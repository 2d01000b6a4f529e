// weir-boot-check: boots one release, has a peer talk to it, and prints what it saw. It verifies no
// signature: `weir-builder boot-check` does, and names the release by the digest that it verified.
#include <string.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "deployer/boot_check/edge/check.h"
#include "deployer/boot_check/edge/enclosure.h"
#include "deployer/pool/edge/boot_image.h"
#include "images/store/folder/edge/folder_store.h"
#include "images/store/release_services.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/harden_process.h"
#include "manifests/base/edge/program.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/messages/node_file_words.h"

namespace {

using namespace weir;  // NOLINT: a driver

struct Options {
  std::string release, store, digest, memory = "512MiB", log;
  std::vector<std::string> files;
  std::uint32_t timeout = 180;
};

Result<boot_check::NodeFiles> read_node_files(const std::vector<std::string>& given) {
  boot_check::NodeFiles out;
  TRY_ASSIGN(const auto words, manifests::parse_node_file_words(given));
  for (const auto& [name, path] : words) {
    TRY_ASSIGN_IN(std::string text, read_file(path, manifests::kLargestNodeFile), "--node-file");
    auto content = keys::Secret::copy_of(as_bytes(text));
    explicit_bzero(text.data(), text.size());
    TRY(content);
    out.emplace(name, *std::move(content));
  }
  return out;
}

Result<Exit> run(const Options& options) {
  if (::geteuid() != 0) {
    return fail(Errc::unauthorized,
                "needs root, for network namespaces and the machine's links: run it with sudo");
  }
  TRY_ASSIGN_IN(const ReleaseName name, ReleaseName::parse(options.release), "RELEASE");
  TRY_ASSIGN_IN(const Digest digest, Digest::parse(options.digest), "--digest");
  TRY_ASSIGN_IN(const ByteCount memory, parse_byte_count(options.memory), "--memory");
  TRY_ASSIGN(const auto store, images::FolderStore::open(options.store));
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
  TRY_ASSIGN(const auto files, read_node_files(options.files));
  Fd log;
  if (!options.log.empty()) {
    TRY_ASSIGN(log, open_log_file(options.log, Existing::emptied));
  }
  // Before the enclosure, whose /run is another one: the store may lie anywhere.
  TRY_ASSIGN_IN(const auto image, pool::make_boot_image(release, store), where);
  TRY_ASSIGN_IN(const auto services, images::read_services(store, release), where);
  TRY_ASSIGN(const int code, boot_check::run_enclosed([&] {
               const auto seen = boot_check::check(
                   {name, digest, image, memory, std::chrono::seconds(options.timeout), services,
                    files, log.get()},
                   log_step);
               if (!seen) {
                 log_line(Error(seen.error()).in(where).message);
                 return 1;
               }
               std::fputs(print(*seen).c_str(), stdout);
               return std::fflush(stdout) == 0 ? 0 : 1;
             }));
  return code == 0 ? Exit::done : Exit::failed;
}

Command command() {
  auto given = std::make_shared<Options>();
  return {
      .name = "",
      .summary = "boots a release, has a peer talk to it, and prints what was seen",
      .about =
          "Boots a release in QEMU, makes it a gateway, has a wireguard-go peer complete a\n"
          "handshake and move data both ways, waits until each service is ready, and prints what\n"
          "was seen as a weir.boot-check/1 document. Needs root. weir-builder boot-check runs it,\n"
          "compares what it prints with the release, and signs.",
      .examples = "  weir-boot-check gateway-6.12 --store store --digest sha256:4df9...\n",
      .takes = Positional{"RELEASE", &given->release},
      .options = {{"store", "DIR", &given->store, "where the release is", Need::required},
                  {"digest", "SHA256", &given->digest,
                   "of the release document, as it was verified", Need::required},
                  {"memory", "SIZE", &given->memory, "of the machine"},
                  {"timeout", "SECONDS", &given->timeout,
                   "from power-on until the node, its data and its services are up"},
                  {"node-file", "NAME=FILE", &given->files,
                   "a file that services are to be given by this name"},
                  {"log", "FILE", &given->log,
                   "keeps what the node's kernel, weir-init and weir-node said"}},
      .run = [given] { return run(*given); }};
}

}  // namespace

int main(int argc, char** argv) {
  harden_process();
  return run_program(
      {"weir-boot-check", "boots one release and has a peer talk to it", {command()}}, argc, argv);
}
