#include "deployer/node/edge/image_services.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "manifests/base/edge/file.h"

namespace weir::node {
namespace {

constexpr ByteCount kLongestText{4ULL << 20};
constexpr unsigned kPassableFolder = 0711;

Result<std::vector<manifests::ServiceRecord>> read_records() {
  const std::string path(manifests::kServiceRecordsPath);
  TRY_ASSIGN(const std::string text, read_file(path, kLongestText));
  auto records = manifests::parse_service_records(text);
  if (!records) return tl::unexpected(std::move(records).error().in(path));
  return records;
}

std::chrono::milliseconds since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::milliseconds(now.tv_sec * 1000LL + now.tv_nsec / 1'000'000);
}

void wake_init() {
  ::kill(1, SIGHUP);
}

bool holds(const std::string& path, Bytes content) {
  auto there = read_file(path, manifests::kLargestNodeFile);
  if (!there) return false;
  const bool same = there->size() == content.size() &&
                    std::equal(content.begin(), content.end(), as_bytes(*there).begin());
  ::explicit_bzero(there->data(), there->size());
  return same;
}

Status make_passable(const std::string& path) {
  if (::mkdir(path.c_str(), kPassableFolder) != 0 && errno != EEXIST) return fail_file(path, errno);
  if (::chmod(path.c_str(), kPassableFolder) != 0) return fail_file(path, errno);
  return {};
}

// Its owner's before it has a name, so that nobody else sees it for a moment.
Status put_owned(const std::string& path, Bytes content, const manifests::NodeFilePlace& place) {
  const std::string unfinished = path + ".new";
  ::unlink(unfinished.c_str());
  const Fd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return fail_file(unfinished, errno);
  auto done = [&]() -> Status {
    while (!content.empty()) {
      const ssize_t n = ::write(file.get(), content.data(), content.size());
      if (n < 0) return fail_file(path, errno);
      content = content.subspan(static_cast<std::size_t>(n));
    }
    if (::fchown(file.get(), place.user_id, place.group_id) != 0 ||
        ::fchmod(file.get(), place.mode) != 0 || ::rename(unfinished.c_str(), path.c_str()) != 0) {
      return fail_file(path, errno);
    }
    return {};
  }();
  if (!done) ::unlink(unfinished.c_str());
  return done;
}

}  // namespace

Result<ImageServices> ImageServices::read() {
  ImageServices out;
  // What the kernel is given stands in this program in one piece.
  if (::access(manifests::kServicesPath.data(), F_OK) != 0 && errno == ENOENT) return out;
  const std::string path(manifests::kServicesPath);
  TRY_ASSIGN(const std::string text, read_file(path, kLongestText));
  TRY_ASSIGN_IN(out.settings_, manifests::parse_service_settings(text), path);
  return out;
}

std::vector<manifests::OpenPort> ImageServices::open_ports() const {
  std::vector<manifests::OpenPort> out;
  for (const auto& service : settings_) {
    out.insert(out.end(), service.open.begin(), service.open.end());
  }
  return out;
}

Status ImageServices::begin() const {
  if (settings_.empty()) return {};
  TRY(write_file(std::string(manifests::kNetworkMarkPath), "", 0600));
  wake_init();
  return {};
}

Result<std::vector<manifests::ServiceReport>> ImageServices::reports() const {
  std::vector<manifests::ServiceReport> out;
  if (settings_.empty()) return out;
  TRY_ASSIGN(auto records, read_records());
  const auto now = since_boot();
  for (manifests::ServiceRecord& record : records) {
    manifests::ServiceReport report{
        .name = record.name,
        .state = record.state,
        .waits_for = std::move(record.waits_for),
        .in_state = std::max(now - record.since, std::chrono::milliseconds(0)),
        .restarts = record.restarts,
        .reason = std::move(record.reason)};
    for (const auto& service : settings_) {
      if (service.name != record.name) continue;
      for (const auto& file : service.files) report.files.push_back(file.name);
    }
    report.last_lines.assign(record.last_lines.begin(), record.last_lines.end());
    out.push_back(std::move(report));
  }
  return out;
}

Status ImageServices::put_file(const std::string& name, Bytes content, const NodeLog& log) const {
  bool asked = false, changed = false;
  for (const auto& service : settings_) {
    for (const auto& place : service.files) {
      if (place.name != name) continue;
      asked = true;
      const std::string path = path_of(service.name, place);
      if (holds(path, content)) continue;
      const std::string all(manifests::kNodeFilesFolder);
      TRY(make_passable(all));
      TRY(make_passable(all + "/" + service.name));
      TRY(put_owned(path, content, place));
      changed = true;
    }
  }
  if (!asked) return fail(Errc::not_found, "no service of this image asks for file " + name);
  if (!changed) return {};
  log.say("file " + name + " arrived");
  wake_init();
  return {};
}

std::string ImageServices::last_words() const {
  std::string out;
  const auto services = reports();
  if (!services) return "services: " + services.error().message + "\n";
  for (const auto& service : *services) {
    const std::string who = "service " + service.name + ": ";
    out += who + describe(service) + "\n";
    for (const auto& line : service.last_lines) out += who + line + "\n";
  }
  return out;
}

}  // namespace weir::node
