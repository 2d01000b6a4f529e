// The probe against wireguard-go, which knows nothing of it.
#include "deployer/probe/edge/probe.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "keys/identity/edge/identity_files.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "tests/netns/temporary_namespace.h"
#include "tests/patience.h"
#include "tests/wireguard_go.h"

namespace weir::probe {
namespace {

using std::chrono::milliseconds;
using test::shell;
using test::TemporaryNamespace;

constexpr std::uint32_t kMark = 7;
constexpr milliseconds kPlenty = test::kPatience, kShort{1500};

/// wireguard-go in the foreground, as long as the object lives. Interface names are shared by the
/// whole machine, because its sockets lie in one folder.
class Gateway {
 public:
  Gateway(const TemporaryNamespace& where, std::string interface)
      : interface_(std::move(interface)) {
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      // It greets with a banner; what it does is read back with wg.
      if (std::freopen("/dev/null", "w", stdout) == nullptr || ::dup2(1, 2) < 0) ::_exit(126);
      ::execlp("ip", "ip", "netns", "exec", where.name().c_str(), "wireguard-go", "-f",
               interface_.c_str(), nullptr);
      ::_exit(127);
    }
    REQUIRE(test::eventually([&] { return test::wireguard_go_listens(interface_); }));
  }
  ~Gateway() {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  [[nodiscard]] const std::string& interface() const { return interface_; }

 private:
  std::string interface_;
  pid_t pid_ = -1;
};

struct Folder {
  std::string path;
  Folder() : path(shell("mktemp -d").text) { path.pop_back(); }
  ~Folder() { shell("rm -rf " + path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
};

/// A director's namespace and a gateway's, one link, the VIP reachable with the mark only.
struct Lab {
  TemporaryNamespace director{"probe-d"}, gateway{"probe-g"};
  Gateway wireguard{gateway, "wgp" + std::to_string(::getpid())};
  keys::WireGuardKeyPair server = *keys::make_wireguard_key_pair();
  keys::WireGuardKeyPair client = *keys::make_wireguard_key_pair();
  Folder folder;

  Lab() {
    const std::string d = "ip -n " + director.name() + " ", g = "ip -n " + gateway.name() + " ";
    const std::string wg = wireguard.interface();
    must(d + "link add up0 type veth peer name node netns " + gateway.name());
    must(d + "addr add 10.254.0.2/31 dev up0 && " + d + "addr add fd00:fab::2/127 dev up0 nodad");
    must(g + "addr add 10.254.0.3/31 dev node && " + g + "addr add fd00:fab::3/127 dev node nodad");
    must(d + "link set up0 up && " + g + "link set node up");
    must(g + "addr add 198.51.100.1/32 dev lo && " + g +
         "addr add 2001:db8:51::1/128 dev lo nodad");
    must(d + "rule add fwmark 7 table 7 && " + d + "-6 rule add fwmark 7 table 7");
    must(d + "route add 198.51.100.1 via 10.254.0.3 table 7");
    must(d + "-6 route add 2001:db8:51::1 via fd00:fab::3 table 7");
    must(g + "addr add 10.8.0.1/16 dev " + wg + " && " + g + "addr add fd00:8::1/64 dev " + wg +
         " nodad && " + g + "link set " + wg + " up");
    must("wg set " + wg + " listen-port 51820 private-key " + key_file(server.private_key()));
    expect({}, "10.8.0.9/32,fd00:8::9/128");
  }

  static void must(const std::string& command) {
    const auto done = shell(command);
    REQUIRE_MESSAGE(done.status == 0, command, ": ", done.text);
  }

  [[nodiscard]] std::string key_file(const keys::Secret& key) const {
    static int number = 0;
    std::string path = folder.path + "/" + std::to_string(number++);
    REQUIRE(write_file(path, base64_of(key.bytes()) + "\n", 0600).has_value());
    return path;
  }

  /// Makes the gateway know the client, with this preshared key or none.
  void expect(const std::optional<keys::Secret>& preshared_key, const std::string& allowed_ips) {
    const std::string peer =
        "wg set " + wireguard.interface() + " peer " + client.public_key().string();
    shell(peer + " remove");
    must(peer + " allowed-ips " + allowed_ips +
         (preshared_key ? " preshared-key " + key_file(*preshared_key) : ""));
  }

  [[nodiscard]] ProbeTarget target(bool outer_v6 = false, bool inner_v6 = false) const {
    return {.gateway = *Endpoint::parse(outer_v6 ? "[2001:db8:51::1]:51820" : "198.51.100.1:51820"),
            .mark = kMark,
            .gateway_key = server.public_key(),
            .inner_source = *IpAddress::parse(inner_v6 ? "fd00:8::9" : "10.8.0.9"),
            .inner_target = *IpAddress::parse(inner_v6 ? "fd00:8::1" : "10.8.0.1")};
  }

  Result<ProbeResult> probe(const ProbeTarget& at, const keys::Secret& private_key,
                            const std::optional<keys::Secret>& preshared_key,
                            milliseconds timeout) const {
    const auto where = network::NetworkNamespace::open(director.name());
    REQUIRE(where.has_value());
    return run_probe(*where, at, private_key, preshared_key, timeout);
  }
};

void check_refused(const Result<ProbeResult>& result, Errc code, const std::string& says) {
  REQUIRE_FALSE(result.has_value());
  CAPTURE(result.error().message);
  CHECK(result.error().code == code);
  CHECK(result.error().message.find(says) != std::string::npos);
}

}  // namespace

TEST_CASE("a probe shakes hands with wireguard-go and pings through it") {
  Lab lab;
  const auto& own = lab.client.private_key();
  const std::optional<keys::Secret> none;

  for (const bool outer_v6 : {false, true}) {
    for (const bool inner_v6 : {false, true}) {
      CAPTURE(outer_v6);
      CAPTURE(inner_v6);
      const auto result = lab.probe(lab.target(outer_v6, inner_v6), own, none, kPlenty);
      REQUIRE_MESSAGE(result.has_value(), result.error().message);
      CHECK(result->handshake.count() > 0);
      CHECK(result->echo.count() > 0);
    }
  }
  const auto seen = shell("wg show " + lab.wireguard.interface() + " latest-handshakes").text;
  CHECK(seen.find(lab.client.public_key().string() + "\t0\n") == std::string::npos);

  {
    INFO("with a preshared key, and with a wrong one");
    std::optional<keys::Secret> right = *keys::random_secret(32), wrong = *keys::random_secret(32);
    lab.expect(right, "10.8.0.9/32");
    CHECK(lab.probe(lab.target(), own, right, kPlenty).has_value());
    check_refused(lab.probe(lab.target(), own, wrong, kPlenty), Errc::integrity, "preshared key");
    check_refused(lab.probe(lab.target(), own, none, kPlenty), Errc::integrity, "preshared key");
    lab.expect(none, "10.8.0.9/32");
  }
  {
    INFO("a gateway with another key, or one that does not know the peer, does not answer");
    ProbeTarget other = lab.target();
    other.gateway_key = keys::make_wireguard_key_pair()->public_key();
    check_refused(lab.probe(other, own, none, kShort), Errc::timeout, "handshake: no answer");
    const auto stranger = keys::make_wireguard_key_pair();
    check_refused(lab.probe(lab.target(), stranger->private_key(), none, kShort), Errc::timeout,
                  "handshake: no answer");
  }
  {
    INFO("without the mark there is no way there");
    ProbeTarget unmarked = lab.target();
    unmarked.mark = 0;
    check_refused(lab.probe(unmarked, own, none, kShort), Errc::io, "198.51.100.1:51820");
  }
  {
    INFO("a closed port is told from silence");
    ProbeTarget closed = lab.target();
    closed.gateway.port = 51821;
    check_refused(lab.probe(closed, own, none, kShort), Errc::timeout, "Connection refused");
  }
  {
    INFO("a handshake without data behind it is told from none");
    ProbeTarget nobody = lab.target();
    nobody.inner_target = *IpAddress::parse("203.0.113.1");
    check_refused(lab.probe(nobody, own, none, kShort), Errc::timeout, "data: the handshake was");
    lab.expect(none, "10.8.0.10/32");
    check_refused(lab.probe(lab.target(), own, none, kShort), Errc::timeout, "data: the handshake");
  }
  {
    INFO("two IP versions inside are refused at once");
    ProbeTarget mixed = lab.target();
    mixed.inner_source = *IpAddress::parse("fd00:8::9");
    check_refused(lab.probe(mixed, own, none, kPlenty), Errc::invalid_input, "two IP versions");
  }
}

}  // namespace weir::probe
