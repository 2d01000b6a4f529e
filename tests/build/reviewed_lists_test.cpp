// The reviewed lists that Weir ships, against the packages that the machine's mirror has today.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "builder/lock/shipped_lists.h"
#include "manifests/documents/reviewed_list.h"
#include "tests/build/example.h"
#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::kBuilder;
using test::kCache;

const std::string kOwn =
    "base-files, wireguard-tools, nftables, iproute2, libmnl0, libsodium23, libc6";

struct Release {
  std::string list, suites, kernel, more;  ///< what Weir's own programs need besides
  std::string architecture = "amd64";
  std::string lock_options{};
};
const Release kDebian12{"debian-12", "bookworm, bookworm-updates, bookworm-security",
                        "linux-image-6.1.*-cloud-amd64", "libatm1, libssl3"};
const Release kDebian13{"debian-13", "trixie, trixie-updates, trixie-security",
                        "linux-image-6.12.*-cloud-amd64", "libatm1t64, libssl3t64"};
const Release kDebian14{
    "debian-14", "forky, trixie",          "linux-image-7.*-cloud-amd64", "libatm1t64, libssl3t64",
    "amd64",     " --accept-expired forky"};

// The same lists, of packages whose scripts name other folders. Needs the node programs of arm64.
std::optional<Release> for_arm64(Release release) {
  if (!std::filesystem::exists(test::build_folder() + "/bin/arm64/weir-node")) {
    REQUIRE_MESSAGE(std::getenv("WEIR_REQUIRE_ALL") == nullptr, "no node programs of arm64");
    MESSAGE("SKIPPED: no node programs of arm64");
    return std::nullopt;
  }
  release.kernel.replace(release.kernel.rfind("amd64"), 5, "arm64");
  release.architecture = "arm64";
  return release;
}

struct Image {
  test::TemporaryFolder folder;

  Image(const Release& release, const std::string& packages) {
    std::ofstream(folder.path + "/image.yaml")
        << "name: operator\narchitecture: " << release.architecture << "\nsources: {suites: ["
        << release.suites << "]}\nkernel: {package: \"" << release.kernel
        << "\"}\nmodules: [virtio_net, wireguard]\nreviewed: " << release.list << "\npackages: ["
        << kOwn << ", " << release.more << ", " << packages << "]\n";
    // Of the machine's own apt, which need not know the suite.
    run(test::source_folder() + "/tests/lab/mirrors.sh image.yaml > mirrors && " + kBuilder +
        "lock image.yaml" + release.lock_options + " $(cat mirrors)" + kCache +
        "2> errors || { cat errors >&2; exit 1; }");
  }
  std::string run(const std::string& command) const {
    return test::must("cd " + folder.path + " && export LC_ALL=C && " + command);
  }
  [[nodiscard]] json survey() const {
    return json::parse(run(kBuilder + "scripts image.yaml --all --json $(cat mirrors)" + kCache +
                           "2> errors; true"));
  }
};

// Every script of every package that the list names, as it is today.
// returns what is stale, a line each
std::vector<std::string> stale_entries(const Release& release) {
  const auto text = shipped_list(release.list);
  REQUIRE(text.has_value());
  const auto list = manifests::parse_reviewed_list(*text, release.list);
  REQUIRE_MESSAGE(list.has_value(), list.error().message);
  std::string packages;
  for (const auto& entry : list->accept_scripts) {
    CHECK_FALSE(entry.why.empty());
    if (entry.package.find('*') != std::string::npos) continue;
    if ((", " + kOwn + ", " + release.more + ", " + packages + ",")
            .find(", " + entry.package + ",") != std::string::npos) {
      continue;
    }
    packages += (packages.empty() ? "" : ", ") + entry.package;
  }
  const Image image(release, packages);
  const json survey = image.survey();
  std::vector<std::string> out;
  for (const json& script : survey.at("scripts")) {
    const std::string name = script.at("package").get<std::string>() + " " +
                             script.at("version").get<std::string>() + " " +
                             script.at("script").get<std::string>();
    if (script.at("state") != "accepted") {
      out.push_back(release.list + " is stale: " + name + ": " + script.at("entry").dump());
    }
  }
  for (const json& entry : survey.at("unused")) {
    out.push_back(release.list + " is stale: " + entry.at("package").get<std::string>() +
                  " has no " + entry.at("script").get<std::string>() + " any more");
  }
  return out;
}

void check_list(const Release& release) {
  for (const std::string& line : stale_entries(release)) FAIL_CHECK(line);
}

}  // namespace

TEST_CASE("no entry of the list for Debian 12 is stale") {
  check_list(kDebian12);
}

TEST_CASE("no entry of the list for Debian 13 is stale") {
  check_list(kDebian13);
}

TEST_CASE("which entries of the list for Debian 14 are stale, which still changes, is told") {
  for (const std::string& line : stale_entries(kDebian14)) MESSAGE(line);
}

TEST_CASE("no entry of the lists is stale for arm64 either") {
  for (const Release& release : {kDebian12, kDebian13}) {
    if (const auto other = for_arm64(release)) check_list(*other);
  }
}

TEST_CASE("nine packages of an operator come into an image with one line and their names") {
  const Image image(kDebian12,
                    "unbound, dnsmasq-base, chrony, openssh-server, prometheus-node-exporter, frr, "
                    "tcpdump, conntrack, strace");
  image.run("minisign -G -W -p k.pub -s k.key > /dev/null");
  const json report =
      json::parse(image.run(kBuilder + "build image.yaml --key k.key --store store --json" +
                            kCache + "2> errors || { cat errors >&2; exit 1; }"));
  const json release =
      json::parse(test::bytes_of(image.folder.path + "/store/releases/operator/release.json"));
  std::string segments;
  for (const json& layer : release.at("layers")) {
    segments +=
        "../store/blobs/sha256/" + layer.at("blob").at("digest").get<std::string>().substr(7) + " ";
  }
  image.run("mkdir root && cd root && for layer in " + segments +
            "; do zstdcat $layer | cpio -idu --quiet; done");
  // The image's own loader starts each; two of them look into /dev, which a machine mounts.
  image.run(
      "mkdir -p root/dev && : > root/dev/null && head -c 4096 /dev/urandom > root/dev/urandom");
  for (const std::string program :
       {"/usr/sbin/unbound -V", "/usr/sbin/dnsmasq --version", "/usr/sbin/chronyd --version",
        "/usr/bin/ssh -V", "/usr/bin/prometheus-node-exporter --version",
        "/usr/lib/frr/zebra --version", "/usr/bin/tcpdump --version",
        "/usr/sbin/conntrack --version", "/usr/bin/strace -V"}) {
    CAPTURE(program);
    CHECK_FALSE(image.run("chroot root " + program + " 2>&1").empty());
  }
  // As a system where the scripts ran has them: name, home and shell, whatever the number.
  CHECK(image.run("cut -d: -f1,6,7 root/etc/passwd | sort") ==
        "_chrony:/var/lib/chrony:/usr/sbin/nologin\n"
        "dnsmasq:/var/lib/misc:/usr/sbin/nologin\n"
        "frr:/nonexistent:/usr/sbin/nologin\n"
        "nobody:/nonexistent:/usr/sbin/nologin\n"
        "prometheus:/var/lib/prometheus:/usr/sbin/nologin\n"
        "root:/root:/bin/sh\n"
        "sshd:/run/sshd:/usr/sbin/nologin\n"
        "tcpdump:/nonexistent:/usr/sbin/nologin\n"
        "unbound:/var/lib/unbound:/usr/sbin/nologin\n");
  // pwck(8) and grpck(8) know what is wrong with such files; folders of homes are no fault.
  CHECK(image
            .run("grep -c . root/etc/group && pwck -r -q root/etc/passwd root/etc/none 2>&1 | "
                 "grep -v 'does not exist\\|no changes\\|pwck' ; grpck -r root/etc/group "
                 "root/etc/none 2>&1 | grep -v 'grpck' ; true")
            .find("invalid") == std::string::npos);
  CHECK(
      image.run("stat -c '%u:%g' root/var/lib/unbound") ==
      image.run("sed -n 's/^unbound:\\*:\\([0-9]*\\):\\([0-9]*\\):.*/\\1:\\2/p' root/etc/passwd"));
  CHECK(image.run("sed -n 's/^frrvty:[^:]*:[0-9]*:/& /p' root/etc/group").ends_with(" frr\n"));
}

}  // namespace weir::builder
