#include "deployer/network/edge/network_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <thread>

namespace weir::network {

Result<NetworkNamespace> NetworkNamespace::open(const std::optional<std::string>& name) {
  if (!name) return NetworkNamespace(Fd());
  if (name->empty() || name->find('/') != std::string::npos) {
    return fail(Errc::invalid_input, "'" + *name + "' is not a network namespace's name");
  }
  const std::string path = "/run/netns/" + *name;
  Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid() && errno == ENOENT) {
    return fail_errno(Errc::not_found, ENOENT,
                      "network namespace " + *name + " (ip netns add makes one)");
  }
  if (!fd.valid()) {
    return fail_errno(Errc::unauthorized, errno, "network namespace " + *name);
  }
  return NetworkNamespace(std::move(fd));
}

Result<NetworkNamespace> NetworkNamespace::make() {
  Fd fd;
  int sys = 0;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0) {
      fd = Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }
    if (!fd.valid()) sys = errno;
  }).join();
  if (!fd.valid()) {
    return fail_errno(Errc::unauthorized, sys, "make a network namespace");
  }
  return NetworkNamespace(std::move(fd));
}

Status NetworkNamespace::run(const std::function<Status()>& work) const {
  if (!fd_.valid()) return work();
  Status status;
  // A thread of its own: a failed return from the namespace can then never leak into the caller.
  std::thread([&] {
    if (::setns(fd_.get(), CLONE_NEWNET) != 0) {
      status = fail_errno(Errc::unauthorized, errno, "enter network namespace");
      return;
    }
    status = work();
  }).join();
  return status;
}

Result<Fd> NetworkNamespace::socket(int domain, int type, int protocol) const {
  Fd fd;
  TRY(run([&]() -> Status {
    fd = Fd(::socket(domain, type | SOCK_CLOEXEC, protocol));
    if (!fd.valid()) return fail_errno(Errc::io, errno, "socket");
    return {};
  }));
  return fd;
}

}  // namespace weir::network
