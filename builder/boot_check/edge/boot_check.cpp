#include "builder/boot_check/edge/boot_check.h"

#include <unistd.h>

#include "manifests/base/edge/process.h"

namespace weir::builder {
namespace {

constexpr const char* kProgram = "weir-boot-check";
// Beside the boot: reading the blobs, two exchanges of data, services, ending the machine.
constexpr std::chrono::seconds kMargin{840};
// From being asked to end until it has ended the machine.
constexpr std::chrono::seconds kFarewell{10};
constexpr ByteCount kLongestStatement{1 << 20};

}  // namespace

Status check_right_to_boot() {
  if (::geteuid() == 0) return {};
  return fail(Errc::unauthorized,
              "needs root, for network namespaces and the machine's links: run it with sudo (or "
              "look at --plan)");
}

Status check_memory(const manifests::Release& release, ByteCount memory) {
  ByteCount needed = release.kernel.image.size;
  for (const auto& layer : release.layers) {
    needed.value += layer.blob.size.value + layer.content_size.value;
  }
  if (memory.value >= needed.value) return {};
  return fail(Errc::invalid_input, "--memory: " + print(memory) + " cannot hold release " +
                                       release.name.string() + ", which takes " + print(needed) +
                                       " while it boots");
}

Result<BootCheckOutcome> boot_check_release(const images::Store& store,
                                            const keys::Verified<manifests::Release>& release,
                                            const BootCheckSettings& settings) {
  TRY(check_right_to_boot());
  TRY(check_memory(*release, settings.memory));
  const std::string where = "release " + release->name.string();
  std::vector<std::string> arguments{release->name.string(),
                                     "--store",
                                     store.path(),
                                     "--digest",
                                     release.digest().string(),
                                     "--memory",
                                     std::to_string(settings.memory.value),
                                     "--timeout",
                                     std::to_string(settings.boot_timeout.count())};
  for (const std::string& file : settings.node_files) {
    arguments.insert(arguments.end(), {"--node-file", file});
  }
  TRY_ASSIGN_IN(Ended result,
                run_sibling(kProgram, arguments,
                            {settings.boot_timeout + kMargin, kLongestStatement, kFarewell}),
                where);
  if (result.status != 0) {
    return fail(Errc::io, where + ": did not pass its boot check (" + kProgram + ", exit status " +
                              std::to_string(result.status) + ")");
  }
  TRY_ASSIGN_IN(auto statement, manifests::parse_boot_check_statement(result.output), kProgram);
  if (statement.release != release->name || statement.release_digest != release.digest()) {
    return fail(Errc::integrity, where + ": " + kProgram + " checked release " +
                                     statement.release.string() + " " +
                                     statement.release_digest.string());
  }
  auto differences = manifests::differences(*release, statement.facts);
  return BootCheckOutcome{std::move(statement), std::move(result.output), std::move(differences)};
}

}  // namespace weir::builder
