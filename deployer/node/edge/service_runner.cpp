#include "deployer/node/edge/service_runner.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "deployer/node/edge/service_start.h"
#include "deployer/node/edge/small_file.h"

namespace weir::node {
namespace {

using manifests::ReadyBy;
using manifests::ServiceState;
using std::chrono::milliseconds;

constexpr milliseconds kProbePatience{5000};
constexpr milliseconds kTellAgain{200};  ///< what services say is written no oftener
constexpr int kPiecesATurn = 16;         ///< of one service, before others have theirs
constexpr std::size_t kLongestPending = 4096;

milliseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return milliseconds(time.tv_sec * 1000LL + time.tv_nsec / 1'000'000);
}

// "127.0.0.1:53" or "[::1]:53", whose form the image's builder has seen to.
socklen_t socket_address(std::string_view text, sockaddr_storage& out) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return 0;
  std::uint16_t port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  std::string host(text.substr(0, colon));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  sockaddr_in v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return 0;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

// A socket that connects; none where that failed at once.
Fd begin_connecting(std::string_view to) {
  sockaddr_storage address{};
  const socklen_t size = socket_address(to, address);
  if (size == 0) return Fd();
  Fd out(::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.valid()) return Fd();
  const int done = ::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), size);
  return done == 0 || errno == EINPROGRESS ? std::move(out) : Fd();
}

// Of what stands in a pipe, as far as it holds.
std::string last_line(const Fd& pipe) {
  std::array<char, 4096> piece{};
  const ssize_t n = ::read(pipe.get(), piece.data(), piece.size());
  std::string_view text(piece.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

FilesSeen look_at_files(const manifests::ServiceSettings& settings) {
  FilesSeen out;
  for (const auto& file : settings.files) {
    struct stat info {};
    if (::stat(path_of(settings.name, file).c_str(), &info) != 0) {
      if (out.missing.empty()) out.missing = file.name;
      continue;
    }
    out.version += std::to_string(info.st_ino) + "." + std::to_string(info.st_ctim.tv_sec) + "." +
                   std::to_string(info.st_ctim.tv_nsec) + " ";
  }
  return out;
}

}  // namespace

ServiceRunner ServiceRunner::of_image(const NodeLog& log) {
  std::vector<manifests::ServiceSettings> settings;
  // What the kernel is given stands in this program in one piece.
  if (::access(manifests::kServicesPath.data(), F_OK) != 0) return {std::move(settings), log};
  const std::string path(manifests::kServicesPath);
  if (const auto text = text_of(path)) {
    auto parsed = manifests::parse_service_settings(*text);
    if (parsed) {
      settings = *std::move(parsed);
    } else {
      log.say(path + ": " + parsed.error().message + ": no service is started");
    }
  }
  return ServiceRunner(std::move(settings), log);
}

void ServiceRunner::look_around() {
  if (::access(std::string(manifests::kNetworkMarkPath).c_str(), F_OK) == 0) {
    states_.network_is_up(now());
  }
  for (std::size_t i = 0; i < states_.size(); ++i) {
    states_.files_seen(i, look_at_files(states_.settings(i)), now());
  }
}

void ServiceRunner::act() {
  const Time time = now();
  end_probes(time);
  for (const ServiceAction& action : states_.due(time)) {
    if (const auto* it = std::get_if<StartService>(&action)) start(it->service, time);
    if (const auto* it = std::get_if<EndService>(&action)) end(it->service, it->how);
    if (const auto* it = std::get_if<ProbeService>(&action)) probe(it->service, time);
  }
  tell(time);
}

void ServiceRunner::start(std::size_t service, Time time) {
  const auto& settings = states_.settings(service);
  for (const std::string& folder : settings.runtime_folders) {
    const std::string path = "/run/" + folder;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      log_->say(path + ": " + std::strerror(errno));
    } else if (::chown(path.c_str(), settings.user_id, settings.group_id) != 0) {
      log_->say(path + ": " + std::strerror(errno));
    }
  }
  auto running = start_service(settings, settings.command);
  if (!running) {
    states_.not_started(service, running.error().message, time);
    return;
  }
  outputs_[service] = {std::move(running->output), {}};
  states_.started(service, running->pid, time);
}

void ServiceRunner::end(std::size_t service, Farewell how) {
  const auto pid = static_cast<pid_t>(states_.records()[service].pid);
  if (pid <= 0) return;
  // To end is for the main process to say to others; to be gone is for all.
  if (how == Farewell::ask) ::kill(pid, SIGTERM);
  if (how == Farewell::end) ::kill(-pid, SIGKILL);
}

void ServiceRunner::probe(std::size_t service, Time time) {
  const auto& settings = states_.settings(service);
  Probe out{service, Fd(), 0, Fd(), time + kProbePatience};
  if (settings.ready.by == ReadyBy::file) {
    struct stat info {};
    states_.probed(service, ::stat(settings.ready.text.c_str(), &info) == 0, time);
    return;
  }
  if (settings.ready.by == ReadyBy::tcp) {
    out.socket = begin_connecting(settings.ready.text);
    if (!out.socket.valid()) return states_.probed(service, false, time);
  } else {
    auto running = start_service(settings, settings.ready.command);
    if (!running) return states_.probed(service, false, time);
    out.pid = running->pid;
    out.output = std::move(running->output);
  }
  probes_.push_back(std::move(out));
}

// Those that took too long, and those of services that run no more.
void ServiceRunner::end_probes(Time time) {
  for (auto it = probes_.begin(); it != probes_.end();) {
    const bool wanted = states_.records()[it->service].state == ServiceState::starting;
    if (wanted && time < it->deadline) {
      ++it;
      continue;
    }
    if (it->pid > 0) ::kill(-it->pid, SIGKILL);
    const std::size_t service = it->service;
    it = probes_.erase(it);
    states_.probed(service, false, time);
  }
}

milliseconds ServiceRunner::patience(milliseconds longest) const {
  const Time time = now();
  auto until = time + longest;
  if (const auto due = states_.next_due()) until = std::min(until, *due);
  for (const Probe& probe : probes_) until = std::min(until, probe.deadline);
  if (pending_) until = std::min(until, may_write_);
  return std::max(until - time, milliseconds(0));
}

void ServiceRunner::add_descriptors(std::vector<pollfd>& to) const {
  for (const Output& output : outputs_) {
    if (output.pipe.valid()) to.push_back({output.pipe.get(), POLLIN, 0});
  }
  for (const Probe& probe : probes_) {
    if (probe.socket.valid()) to.push_back({probe.socket.get(), POLLOUT, 0});
  }
}

void ServiceRunner::read(const std::vector<pollfd>& ready) {
  const auto is_ready = [&](const Fd& fd) {
    return fd.valid() && std::any_of(ready.begin(), ready.end(), [&](const pollfd& it) {
             return it.fd == fd.get() && it.revents != 0;
           });
  };
  const Time time = now();
  for (auto it = probes_.begin(); it != probes_.end();) {
    if (!is_ready(it->socket)) {
      ++it;
      continue;
    }
    int trouble = 0;
    socklen_t size = sizeof trouble;
    ::getsockopt(it->socket.get(), SOL_SOCKET, SO_ERROR, &trouble, &size);
    const std::size_t service = it->service;
    it = probes_.erase(it);
    states_.probed(service, trouble == 0, time);
  }
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (is_ready(outputs_[i].pipe)) drain(i, time);
  }
}

void ServiceRunner::drain(std::size_t service, Time time) {
  Output& output = outputs_[service];
  pending_ = true;
  std::array<char, 4096> piece{};
  for (int i = 0; i < kPiecesATurn; ++i) {
    const ssize_t n = ::read(output.pipe.get(), piece.data(), piece.size());
    if (n < 0) return;
    if (n == 0) {
      if (!output.line.empty()) states_.said(service, output.line, time);
      output = {};
      return;
    }
    output.line.append(piece.data(), static_cast<std::size_t>(n));
    std::size_t from = 0;
    for (std::size_t end = 0; (end = output.line.find('\n', from)) != std::string::npos;) {
      states_.said(service, std::string_view(output.line).substr(from, end - from), time);
      from = end + 1;
    }
    output.line.erase(0, from);
    if (output.line.size() < kLongestPending) continue;
    states_.said(service, output.line, time);
    output.line.clear();
  }
}

bool ServiceRunner::reap(pid_t pid, int status) {
  const Time time = now();
  const auto probe =
      std::find_if(probes_.begin(), probes_.end(), [&](const Probe& it) { return it.pid == pid; });
  if (probe != probes_.end()) {
    const std::size_t service = probe->service;
    const std::string words = last_line(probe->output);
    probes_.erase(probe);
    states_.probed(service, WIFEXITED(status) && WEXITSTATUS(status) == 0, time, words);
    return true;
  }
  const auto service = states_.service_of(pid);
  if (!service) return false;
  // What it left running would be in the way of the next.
  ::kill(-pid, SIGKILL);
  if (outputs_[*service].pipe.valid()) drain(*service, time);
  const bool by_signal = WIFSIGNALED(status);
  states_.ended(*service, {by_signal ? WTERMSIG(status) : WEXITSTATUS(status), by_signal}, time);
  return true;
}

void ServiceRunner::halt() {
  states_.halt(now());
}

bool ServiceRunner::any_runs() const {
  return std::any_of(states_.records().begin(), states_.records().end(),
                     [](const auto& it) { return it.pid > 0; });
}

void ServiceRunner::tell(Time time) {
  bool moved = false;
  for (std::size_t i = 0; i < told_.size(); ++i) {
    const manifests::ServiceRecord& record = states_.records()[i];
    manifests::ServiceRecord& told = told_[i];
    if (told.state == record.state && told.waits_for == record.waits_for &&
        told.pid == record.pid) {
      continue;
    }
    moved = true;
    std::string line = "service " + record.name + ": " + std::string(name_of(record.state));
    if (!record.waits_for.empty()) line += " for " + record.waits_for;
    const bool over = record.state == ServiceState::backing_off ||
                      record.state == ServiceState::failed || record.state == ServiceState::ended;
    if (over && !record.reason.empty()) line += ", " + record.reason;
    if (over && !record.last_lines.empty()) line += ", last line: " + record.last_lines.back();
    log_->say(line);
    told = record;
    told.last_lines.clear();
  }
  pending_ = pending_ || moved;
  if (!pending_ || (!moved && time < may_write_)) return;
  const std::string path(manifests::kServiceRecordsPath);
  if (!put_text(path, print(states_.records()))) log_->say(path + ": " + std::strerror(errno));
  may_write_ = time + kTellAgain;
  pending_ = false;
}

}  // namespace weir::node
