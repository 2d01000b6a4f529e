#include <fcntl.h>
#include <linux/module.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "deployer/node/edge/boot.h"
#include "deployer/node/edge/small_file.h"
#include "deployer/node/module_plan.h"
#include "manifests/messages/node_api.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4
#endif

namespace weir::node {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c != '\n') {
      out.back() += c;
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

/// errno, or 0
int load(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int flags = is_compressed_module(path) ? MODULE_INIT_COMPRESSED_FILE : 0;
  const long result = ::syscall(SYS_finit_module, fd, "", flags);
  const int sys = result == 0 || errno == EEXIST ? 0 : errno;
  ::close(fd);
  return sys;
}

}  // namespace

void load_modules(const NodeLog& log) {
  const auto wanted = text_of(std::string(manifests::kModulesPath));
  if (!wanted) {
    log.say("no modules to load: " + std::string(manifests::kModulesPath) + " is missing");
    return;
  }
  utsname kernel{};
  ::uname(&kernel);
  const std::string folder = "/usr/lib/modules/" + std::string(kernel.release) + "/";
  const auto depends = text_of(folder + "modules.dep");
  if (!depends) {
    log.say("cannot load modules: " + folder + "modules.dep is missing");
    return;
  }
  const ModulePlan plan =
      plan_modules(lines_of(*wanted), *depends, text_of(folder + "modules.builtin").value_or(""));
  for (const std::string& name : plan.missing) log.say("module " + name + " is not in the image");
  for (const std::string& file : plan.files) {
    const int sys = load(folder + file);
    if (sys != 0) log.say("cannot load module " + file + ": " + std::strerror(sys));
  }
}

}  // namespace weir::node
