#include "manifests/documents/image_service.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "manifests/documents/image_manifest.h"
#include "tests/text.h"

namespace weir::manifests {
namespace {

const std::string kHead = R"(name: gateway
architecture: amd64
sources: {suites: [bookworm]}
kernel: {package: linux-image-amd64}
files: [{path: /etc/motd, content: x}]
services:
)";

const std::string kBoth = R"(  unbound:
    command: [/usr/sbin/unbound, -d]
    user: unbound
    environment: {GOMAXPROCS: "2"}
    restart: on-failure
    ready: {tcp: "127.0.0.1:53", within: 5s}
    after: [bird]
    capabilities: [CAP_NET_BIND_SERVICE]
    runtime_folders: [unbound]
    open: [{udp: 53}, {tcp: 53}]
    asks: [{udp: 53}]
    files:
      /etc/unbound/unbound.conf: {text: "server:\n", mode: "0640", owner: unbound}
      /etc/unbound/key: {node: unbound-key}
  bird:
    command: [/usr/sbin/bird, -f]
)";

Result<ImageManifest> read(const std::string& services) {
  return parse_image_manifest(kHead + services);
}

}  // namespace

TEST_CASE("services are read as they are written, and what is left out has its default") {
  const auto manifest = read(kBoth);
  REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
  REQUIRE(manifest->services.size() == 2);
  const ImageService& unbound = manifest->services[0];
  CHECK(unbound.command == std::vector<std::string>{"/usr/sbin/unbound", "-d"});
  CHECK(unbound.environment.at("GOMAXPROCS") == "2");
  CHECK(unbound.restart == Restart::on_failure);
  CHECK(unbound.ready ==
        Readiness{ReadyBy::tcp, "127.0.0.1:53", {}, std::chrono::milliseconds(5000)});
  CHECK(unbound.open ==
        std::vector<OpenPort>{{false, 53, false}, {true, 53, false}, {false, 53, true}});
  REQUIRE(unbound.files.size() == 2);
  CHECK(unbound.files[0] == ServiceFile{"/etc/unbound/key", "", "unbound-key", "", 0400});
  CHECK(unbound.files[1] ==
        ServiceFile{"/etc/unbound/unbound.conf", "server:\n", "", "unbound", 0640});
  const ImageService& bird = manifest->services[1];
  CHECK(bird.user == "root");
  CHECK(bird.restart == Restart::always);
  CHECK(bird.ready.by == ReadyBy::started);
  CHECK_FALSE(bird.capabilities.has_value());
  const auto again = parse_image_manifest(print(*manifest));
  REQUIRE_MESSAGE(again.has_value(), again.error().message);
  CHECK(*again == *manifest);
}

TEST_CASE("a service that cannot work is refused with line and field") {
  const struct {
    std::string_view from, to, expected;
  } cases[] = {
      {"after: [bird]", "after: [bard]",
       "manifest:13: services.unbound.after[0]: 'bard' is no service of this image"},
      {"after: [bird]", "after: [unbound]", "after[0]: a service cannot wait for itself"},
      {"/usr/sbin/bird, -f]", "/usr/sbin/bird]\n    after: [unbound]",
       "services.unbound.after[0]: 'bird' waits for unbound itself"},
      {"[/usr/sbin/unbound, -d]", "[unbound]",
       "manifest:8: services.unbound.command[0]: 'unbound' is not an absolute path"},
      {"[/usr/sbin/unbound, -d]", "[]", "services.unbound.command: needs a program"},
      {"    command: [/usr/sbin/bird, -f]", "    user: root", "services.bird: command is missing"},
      {"restart: on-failure", "restart: sometimes",
       "services.unbound.restart: 'sometimes' is not always, on-failure or never"},
      {"{tcp: \"127.0.0.1:53\", within: 5s}", "{tcp: \"localhost:53\"}", "unbound.ready.tcp: "},
      {"{tcp: \"127.0.0.1:53\", within: 5s}", "{file: /run/x, log: up}",
       "unbound.ready: needs one of tcp, file, log and command"},
      {"{GOMAXPROCS: \"2\"}", "[GOMAXPROCS]",
       "manifest:10: services.unbound.environment: must be a mapping (NAME: VALUE)"},
      {"after: [bird]", "after: [bird, bird]",
       "manifest:13: services.unbound.after[1]: 'bird' stands here twice"},
      {"/usr/sbin/bird, -f]", "/usr/sbin/bird]\n    runtime_folders: [unbound]",
       "services.bird.runtime_folders[0]: 'unbound' is the folder of service unbound already"},
      {"\"127.0.0.1:53\"", "\"224.0.0.1:53\"",
       "manifest:12: services.unbound.ready.tcp: no program can listen at a multicast address"},
      {"\"127.0.0.1:53\"", "\"255.255.255.255:53\"",
       "unbound.ready.tcp: no program can listen at the broadcast address: write 127.0.0.1"},
      {"\"127.0.0.1:53\"", "\"[ff02::1]:53\"",
       "unbound.ready.tcp: no program can listen at a multicast address"},
      {"\"127.0.0.1:53\"", "\"8.8.8.8:53\"",
       "unbound.ready.tcp: a node's own addresses come from its fleet"},
      {"\"127.0.0.1:53\"", "\"127.255.255.255:53\"", "unbound.ready.tcp: "},
      {"\"127.0.0.1:53\"", "\"[::2]:53\"", "unbound.ready.tcp: "},
      {"within: 5s", "within: 1h", "unbound.ready.within: must be from 1s to 10m"},
      {"CAP_NET_BIND_SERVICE", "CAP_EVERYTHING",
       "capabilities[0]: 'CAP_EVERYTHING' is not a capability"},
      {"[unbound]\n    open", "[weir]\n    open", "runtime_folders[0]: 'weir' is not"},
      {"{node: unbound-key}", "{node: unbound-key, mode: \"0644\"}",
       "/etc/unbound/key.mode: a node's file may be a secret"},
      {"{node: unbound-key}", "{owner: root}", "/etc/unbound/key: needs its content"},
      {"{node: unbound-key}", "{node: ../key}", "is not a name of 1 to 63"},
      {"/etc/unbound/key", "/etc/motd", "'/etc/motd' is also '/etc/motd' (files[0].path)"},
      {"/etc/unbound/key", "/run/key", "'/run/key' would be hidden"},
      {"/etc/unbound/key", "/usr/lib/weir/services", "is a file that every image has already"},
      {"{udp: 53}, {tcp", "{udp: 53, tcp: 53}, {tcp", "open[0]: needs a port: one of tcp and udp"},
      {"  bird:", "  Bird:", "services.Bird: "},
      {"-f]\n", "-f]\n    nice: 3\n", "services.bird.nice: unknown field"},
  };
  for (const auto& entry : cases) {
    const auto refused = read(test::replaced(kBoth, entry.from, entry.to));
    CAPTURE(std::string(entry.to));
    REQUIRE_FALSE(refused.has_value());
    CAPTURE(refused.error().message);
    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(refused.error().message.find(entry.expected) != std::string::npos);
  }
}

TEST_CASE("a service is asked whether it is ready at an address that every node has") {
  for (const char* address :
       {"127.0.0.1:53", "127.8.9.10:53", "0.0.0.0:53", "[::1]:53", "[::]:53"}) {
    const auto manifest = read(test::replaced(kBoth, "127.0.0.1:53", address));
    REQUIRE_MESSAGE(manifest.has_value(), manifest.error().message);
    CHECK(manifest->services[0].ready.text == address);
  }
}

// What execve(2) takes, this machine's own says.
TEST_CASE("a word or variable that Linux starts no program with is refused") {
  const auto starts = [](std::size_t bytes) {
    const std::string word(bytes, 'x');
    const pid_t child = ::fork();
    if (child == 0) {
      ::execl("/bin/true", "true", word.c_str(), nullptr);
      ::_exit(errno == E2BIG ? 7 : 8);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  };
  for (const std::size_t bytes : {131071U, 131072U}) {
    CHECK(starts(bytes) == (bytes == 131071));
    const std::string word(bytes, 'x');
    const auto command = read(test::replaced(kBoth, "unbound, -d]", "unbound, " + word + "]"));
    CHECK(command.has_value() == starts(bytes));
    const std::string value(bytes - std::string_view("GOMAXPROCS=").size(), 'x');
    const auto variable = read(test::replaced(kBoth, "\"2\"", value));
    CHECK(variable.has_value() == starts(bytes));
    if (command || variable) continue;
    CHECK(command.error().message.find(
              "manifest:8: services.unbound.command[1]: has 131072 bytes") != std::string::npos);
    CHECK(variable.error().message.find("services.unbound.environment.GOMAXPROCS: has 131072") !=
          std::string::npos);
  }
}

}  // namespace weir::manifests
