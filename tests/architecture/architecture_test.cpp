// Holds the tree to docs/architecture.md: rooms and their order, includes, pure and edge.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/architecture/tree.h"
#include "tests/folders.h"

namespace weir::architecture {
namespace {

namespace fs = std::filesystem;

std::set<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), std::istream_iterator<std::string>()};
}

// What gives a pure file a clock, a descriptor, randomness or the network: headers, and names of
// headers that it may include.
const std::set<std::string> kWorld = words(
    "condition_variable csignal ctime curl/curl.h dirent.h fcntl.h filesystem fstream future "
    "iostream mutex netdb.h nftables/libnftables.h openssl/rand.h openssl/ssl.h poll.h random "
    "sched.h shared_mutex signal.h spawn.h spdlog/spdlog.h sqlite3.h sys/epoll.h sys/file.h "
    "sys/ioctl.h sys/mman.h sys/mount.h sys/prctl.h sys/random.h sys/resource.h sys/socket.h "
    "sys/stat.h sys/syscall.h sys/time.h sys/uio.h sys/un.h sys/wait.h termios.h thread time.h "
    "unistd.h");
const std::set<std::string> kWorldNames = words(
    "getenv secure_getenv setenv putenv random_device randombytes_buf steady_clock system_clock");

bool allows(const Room& room, const std::string& other) {
  return std::any_of(room.may_include.begin(), room.may_include.end(),
                     [&](const std::string& allowed) { return lies_in(other, allowed); });
}

const Room* row_of(const std::string& name) {
  for (const Room& room : map().rooms) {
    if (room.name == name) return &room;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("every folder with sources is a room of the map, and every room of the map is there") {
  std::set<std::string> there, mapped;
  for (const Source& source : sources()) there.insert(source.room);
  for (const Room& room : map().rooms) {
    CAPTURE(room.name);
    CHECK(mapped.insert(room.name).second);
    CHECK(there.contains(room.name));
  }
  for (const std::string& room : there) {
    CAPTURE(room);
    CHECK(mapped.contains(room));
  }
}

TEST_CASE("every folder beside the product is in the map, and what the map names is there") {
  const fs::path root = test::source_folder();
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name[0] == '.' || name == "build" || kHouses.contains(name))
      continue;
    if (name != "tests") there.insert(name);
  }
  for (const auto& entry : fs::directory_iterator(root / "tests")) {
    if (entry.is_directory()) there.insert("tests/" + entry.path().filename().string());
  }
  for (const std::string& folder : there) {
    CAPTURE(folder);
    CHECK(map().folders.contains(folder));
  }
  for (const std::string& folder : map().folders) {
    CAPTURE(folder);
    CHECK(fs::is_directory(root / folder));
  }
}

TEST_CASE("the map names every page of docs") {
  for (const auto& entry : fs::directory_iterator(fs::path(test::source_folder()) / "docs")) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".md" || name == "architecture.md") continue;
    CAPTURE(name);
    CHECK(map().page.find(name) != std::string::npos);
  }
}

TEST_CASE("rooms stand in an order: each may include only what stands above it") {
  std::set<std::string> above;
  REQUIRE(map().rooms.size() > 30);
  for (const Room& room : map().rooms) {
    CAPTURE(room.name);
    for (const std::string& allowed : room.may_include) {
      CAPTURE(allowed);
      CHECK(std::any_of(above.begin(), above.end(),
                        [&](const std::string& name) { return lies_in(name, allowed); }));
      CHECK_FALSE(lies_in(room.name, allowed));
    }
    above.insert(room.name);
  }
}

TEST_CASE("the halves stay apart: builder and deployer, keys and images") {
  for (const auto& [one, other] : {std::pair{"builder", "deployer"}, std::pair{"keys", "images"}}) {
    for (const Room& room : map().rooms) {
      for (const std::string& allowed : room.may_include) {
        CHECK_FALSE((lies_in(room.name, one) && lies_in(allowed, other)));
        CHECK_FALSE((lies_in(room.name, other) && lies_in(allowed, one)));
      }
    }
  }
}

TEST_CASE("a room includes only what its row of the map names") {
  REQUIRE(sources().size() > 100);
  for (const Source& source : sources()) {
    const Room* row = row_of(source.room);
    if (row == nullptr) continue;  // the test of folders speaks of it
    for (const std::string& include : source.includes) {
      const std::string other = room_of(include);
      if (other.empty() || other == source.room || allows(*row, other)) continue;
      FAIL_CHECK(source.path << " includes " << include);
    }
  }
}

TEST_CASE("what is included is there") {
  for (const Source& source : sources()) {
    for (const std::string& include : source.includes) {
      if (room_of(include).empty()) continue;
      CAPTURE(source.path);
      CAPTURE(include);
      CHECK(fs::is_regular_file(fs::path(test::source_folder()) / include));
    }
  }
}

TEST_CASE("what tests and benches include is there, beside them or from the root") {
  const fs::path root = test::source_folder();
  for (const char* top : {"tests", "bench"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      CAPTURE(entry.path());
      for (const std::string& include : quoted_includes(entry.path())) {
        CAPTURE(include);
        CHECK((fs::exists(entry.path().parent_path() / include) || fs::exists(root / include)));
      }
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
    for (const std::string& name : kWorldNames) {
      CAPTURE(name);
      CHECK_FALSE(has_word(source.code, name));
    }
  }
}

TEST_CASE("the product includes nothing of tests, bench or examples") {
  for (const Source& source : sources()) {
    for (const std::string& include : source.includes) {
      CAPTURE(source.path);
      CHECK_FALSE(map().folders.contains(include.substr(0, include.rfind('/'))));
      CHECK(include.rfind("tests/", 0) != 0);
      CHECK(include.rfind("bench/", 0) != 0);
    }
  }
}

}  // namespace weir::architecture
