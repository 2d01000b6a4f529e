// Holds the sources to docs/architecture.md: includes point left, and pure code touches nothing.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

struct Source {
  std::string path;  ///< relative to the repository
  std::vector<std::string> includes;
  bool edge = false;
};

// Who may include whom. A room may always include itself. The deployer's inner rooms come first.
const std::map<std::string, std::set<std::string>> kRooms = {
    {"manifests", {}},
    {"keys", {"manifests"}},
    {"images", {"manifests"}},
    {"builder", {"manifests", "keys", "images"}},
    {"deployer/network", {"manifests"}},
    {"deployer/wireguard", {"manifests", "deployer/network"}},
    {"deployer/steering", {"manifests", "deployer/network"}},
    {"deployer/director", {"manifests", "deployer/network", "deployer/steering"}},
    {"deployer/pool", {"manifests", "images", "deployer/network"}},
    {"deployer/judge", {"manifests"}},
    {"deployer/probe", {"manifests", "keys", "deployer/network"}},
    {"deployer/node_client", {"manifests", "deployer/network"}},
    {"deployer/node",
     {"manifests", "deployer/network", "deployer/wireguard", "deployer/node_client"}},
    {"deployer/boot_check",
     {"manifests", "keys", "images", "deployer/network", "deployer/pool", "deployer/node_client"}},
    {"deployer",
     {"manifests", "keys", "images", "deployer/network", "deployer/wireguard", "deployer/steering",
      "deployer/director", "deployer/pool", "deployer/judge", "deployer/probe",
      "deployer/node_client"}},
};

// What gives a pure file a clock, a descriptor, randomness or the network.
const std::set<std::string> kWorld = {"fcntl.h",        "unistd.h",        "sys/socket.h",
                                      "sys/stat.h",     "sys/mman.h",      "sys/wait.h",
                                      "sys/mount.h",    "sys/ioctl.h",     "sys/epoll.h",
                                      "poll.h",         "netdb.h",         "dirent.h",
                                      "sched.h",        "signal.h",        "csignal",
                                      "fstream",        "iostream",        "filesystem",
                                      "thread",         "mutex",           "random",
                                      "curl/curl.h",    "sqlite3.h",       "openssl/ssl.h",
                                      "openssl/rand.h", "spdlog/spdlog.h", "nftables/libnftables.h",
                                      "ctime",          "time.h"};

std::string room_of(const std::string& path) {
  std::string best;
  for (const auto& [room, _] : kRooms) {
    if (path.rfind(room + "/", 0) == 0 && room.size() > best.size()) best = room;
  }
  return best;
}

std::vector<Source> sources() {
  std::vector<Source> out;
  const fs::path root = WEIR_SOURCE_DIR;
  for (const char* top : {"manifests", "keys", "images", "builder", "deployer"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      Source source;
      source.path = fs::relative(entry.path(), root).string();
      const bool driver = entry.path().filename() == "main.cpp";
      source.edge = driver || source.path.find("/edge/") != std::string::npos;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        if (line.rfind("#include ", 0) != 0 || line.size() < 12) continue;
        const auto end = line.find_first_of("\">", 10);
        source.includes.push_back(line.substr(10, end - 10));
      }
      out.push_back(std::move(source));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("every source lies in a room, and rooms include only what stands left of them") {
  const auto all = sources();
  REQUIRE(all.size() > 10);
  for (const Source& source : all) {
    const std::string room = room_of(source.path);
    CAPTURE(source.path);
    REQUIRE_FALSE(room.empty());
    for (const std::string& include : source.includes) {
      const std::string other = room_of(include);
      if (other.empty() || other == room) continue;
      CAPTURE(include);
      CHECK(kRooms.at(room).contains(other));
    }
  }
}

TEST_CASE("pure files include neither the edge nor the world") {
  for (const Source& source : sources()) {
    if (source.edge) continue;
    CAPTURE(source.path);
    for (const std::string& include : source.includes) {
      CAPTURE(include);
      CHECK(include.find("/edge/") == std::string::npos);
      CHECK_FALSE(kWorld.contains(include));
    }
  }
}
