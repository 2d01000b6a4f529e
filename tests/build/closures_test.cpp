// What is locked of today's Debian, held to what apt would install of the same indices.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "builder/lock/solution.h"
#include "builder/lock/solver.h"
#include "tests/folders.h"
#include "tests/unit/builder/lock/apt_world.h"
#include "tests/unit/builder/lock/packages_fixture.h"

namespace weir::builder {
namespace {

using test::must;

// Each line is one image.
const std::vector<std::string> kClosures = {
    "base-files wireguard-tools nftables iproute2 libmnl0 libsodium23 libc6",
    "base-files wireguard-tools nftables iproute2 libc6 tcpdump",
    ("unbound dnsmasq-base chrony openssh-server prometheus-node-exporter frr tcpdump conntrack "
     "strace"),
    "cron",
    "bird2",
    "openssh-server openssh-client",
    "systemd-sysv udev dbus",
    "rsyslog logrotate",
    "fail2ban",
    "postfix",
    "exim4-daemon-light mailutils",
    "nginx certbot",
    "haproxy keepalived",
    "strongswan",
    "openvpn easy-rsa",
    "bind9",
    "network-manager",
    "podman",
    "mariadb-server",
    "postgresql",
    "default-jre-headless",
    "apache2 php-cli",
    "snmpd collectd-core",
    "git curl ca-certificates python3-yaml",
    "cups sane-utils",
};

// What the kernel would need on a disk; more of it would leave less to compare.
const std::vector<std::string> kStandIns = {"linux-initramfs-tool", "linux-base", "kmod"};

struct Debian {
  test::AptWorld apt;
  std::vector<PackageIndex> indices;

  // The machine's own mirror serves the codename as it serves its own.
  explicit Debian(const std::string& codename)
      : apt(test::build_folder() + "/test-cache/apt-" + codename, sources(codename),
            "linux-initramfs-tool, linux-base (= 4.12), kmod (= 34)") {
    apt.update();
    std::istringstream lines(must(apt.run(
        "apt-get", "indextargets --format '$(RELEASE) $(FILENAME)' 'Created-By: Packages'")));
    for (std::string suite, file; lines >> suite >> file;) {
      auto index =
          PackageIndex::parse(must("/usr/lib/apt/apt-helper cat-file " + file), suite, false);
      REQUIRE_MESSAGE(index.has_value(), index.error().message);
      indices.push_back(std::move(*index));
    }
    REQUIRE(indices.size() == 3);
  }
  static std::string sources(const std::string& codename) {
    std::string out;
    std::istringstream lines(
        must("apt-get indextargets --format '$(RELEASE) $(SITE)' 'Created-By: Packages'"));
    for (std::string suite, site; lines >> suite >> site;) {
      if (!suite.starts_with("bookworm")) continue;
      suite.replace(0, std::string("bookworm").size(), codename);
      out += "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] " + site + " " +
             suite + " main\n";
    }
    return out;
  }
};

manifests::ImageManifest image(const std::string& packages, const std::string& kernel) {
  std::istringstream words(packages);
  std::vector<std::string> names;
  for (std::string name; words >> name;) names.push_back(name);
  auto out = manifest_of(names);
  out.provides = kStandIns;
  out.kernel.package = kernel;
  return out;
}

std::string difference(const std::set<std::string>& ours, const std::set<std::string>& theirs) {
  std::string out;
  for (const auto& each : ours) out += theirs.contains(each) ? "" : " +" + each;
  for (const auto& each : theirs) out += ours.contains(each) ? "" : " -" + each;
  return out;
}

}  // namespace

TEST_CASE("of fifty closures of Debian 12 and 13, each is the one that apt installs") {
  for (const auto& [codename, kernel] :
       std::map<std::string, std::string>{{"bookworm", "linux-image-6.1.*-cloud-amd64"},
                                          {"trixie", "linux-image-6.12.*-cloud-amd64"}}) {
    const auto& shown = codename;
    CAPTURE(shown);
    const Debian debian(codename);
    auto pool = PackagePool::load(image("", kernel), debian.indices);
    REQUIRE_MESSAGE(pool.has_value(), pool.error().message);
    for (const std::string& packages : kClosures) {
      CAPTURE(packages);
      const auto solution = solve(*pool, image(packages, kernel), {});
      REQUIRE_MESSAGE(solution.has_value(), solution.error().message);
      std::set<std::string> ours;
      for (const Id id : solution->packages) {
        ours.insert(std::string(pool->name(id)) + " " + std::string(pool->version(id)));
      }
      const auto theirs =
          debian.apt.closure(packages + " " + std::string(pool->name(solution->kernel)));
      REQUIRE_FALSE(theirs.empty());
      CHECK(difference(ours, theirs) == "");
      CHECK(solution->as_apt);
    }
  }
}

}  // namespace weir::builder
