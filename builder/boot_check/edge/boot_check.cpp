#include "builder/boot_check/edge/boot_check.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "builder/boot_check/node_files.h"
#include "images/store/release_services.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/process.h"
#include "manifests/messages/service_report.h"

namespace weir::builder {
namespace {

constexpr const char* kProgram = "weir-boot-check";
// Beside what the timeout bounds: reading the blobs, and ending the machine.
constexpr std::chrono::seconds kMargin{240};
// From being asked to end until it has ended the machine.
constexpr std::chrono::seconds kFarewell{10};
constexpr ByteCount kLongestStatement{1 << 20};

Status check_readable(const manifests::NodeFileWord& word) {
  TRY_ASSIGN_IN(const Fd file, open_file(word.path), "--node-file");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_file(word.path, errno);
  if (static_cast<std::uint64_t>(info.st_size) <= manifests::kLargestNodeFile.value) return {};
  return fail(Errc::exhausted, "--node-file: " + word.path + " is larger than " +
                                   print(manifests::kLargestNodeFile));
}

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

Status check_node_files_of(const images::Store& store, const manifests::Release& release,
                           const std::vector<std::string>& words) {
  TRY_ASSIGN(const auto given, manifests::parse_node_file_words(words));
  const std::string where = "release " + release.name.string();
  TRY_ASSIGN_IN(const auto services, images::read_services(store, release), where);
  TRY_IN(check_node_files(given, services), where);
  for (const auto& word : given) TRY(check_readable(word));
  return {};
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
                                     std::to_string(settings.timeout.count())};
  for (const std::string& file : settings.node_files) {
    arguments.insert(arguments.end(), {"--node-file", file});
  }
  if (!settings.log.empty()) arguments.insert(arguments.end(), {"--log", settings.log});
  TRY_ASSIGN_IN(
      Ended result,
      run_sibling(kProgram, arguments, {settings.timeout + kMargin, kLongestStatement, kFarewell}),
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
