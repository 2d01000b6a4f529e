// weir-builder diff and rebuild over the example images, held to foreign tools.
#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/build/example.h"
#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::kBuilder;
using test::kCache;
using test::must;

/// Both examples in one store, and unpacked by foreign tools.
struct Examples {
  test::TemporaryFolder folder;

  Examples() {
    run("minisign -G -W -p k.pub -s k.key > /dev/null");
    for (const std::string name : {"gateway-6.1", "gateway-6.12"}) {
      run("cp " + test::source_folder() + "/examples/" + name + ".yaml .");
      run(kBuilder + "lock " + name + ".yaml" + kCache + "2> errors");
      run(kBuilder + "build " + name + ".yaml --key k.key --store store" + kCache + "2> errors");
      std::string segments;
      const json document = release(name);
      for (const json& layer : document.at("layers")) segments += blob(layer.at("blob")) + " ";
      run("mkdir " + name + ".root && cd " + name + ".root && for layer in " + segments +
          "; do zstdcat $layer | cpio -idu --quiet; done");
    }
  }
  std::string run(const std::string& command) const {
    return must("cd " + folder.path + " && export LC_ALL=C && " + command);
  }
  [[nodiscard]] json release(const std::string& name) const {
    return json::parse(test::bytes_of(folder.path + "/store/releases/" + name + "/release.json"));
  }
  [[nodiscard]] std::string blob(const json& stated) const {
    return folder.path + "/store/blobs/sha256/" + stated.at("digest").get<std::string>().substr(7);
  }
  // What dpkg-query lists, given the image's own status files as its database.
  [[nodiscard]] std::map<std::string, std::string> packages(const std::string& name) const {
    std::istringstream lines(
        run("mkdir -p " + name + ".db/info " + name + ".db/updates && for f in $(ls " + name +
            ".root/var/lib/dpkg/status.d/* | grep -v md5sums); do "
            "sed '/^Status:/d;s/^Package:.*/&\\nStatus: install ok installed/' $f; echo; done > " +
            name + ".db/status && dpkg-query --admindir=$PWD/" + name +
            ".db -W -f '${Package} ${Version}\\n'"));
    std::map<std::string, std::string> out;
    for (std::string package, version; lines >> package >> version;) out[package] = version;
    return out;
  }
  // Every path with kind, mode, size and digest, by find and sha256sum.
  [[nodiscard]] std::map<std::string, std::string> files(const std::string& name) const {
    std::map<std::string, std::string> out;
    std::istringstream listed(
        run("cd " + name + ".root && find . -mindepth 1 -printf '%y %m %U:%G %l|%P\\n'"));
    for (std::string line; std::getline(listed, line);) {
      out["/" + line.substr(line.rfind('|') + 1)] = line.substr(0, line.rfind('|'));
    }
    std::istringstream sums(run("cd " + name + ".root && find . -type f -exec sha256sum {} +"));
    for (std::string line; std::getline(sums, line);) {
      out["/" + line.substr(68)] += " " + line.substr(0, 64);
    }
    return out;
  }
};

template <class Value>
std::set<std::string> keys_that_differ(const std::map<std::string, Value>& a,
                                       const std::map<std::string, Value>& b) {
  std::set<std::string> out;
  for (const auto* side : {&a, &b}) {
    for (const auto& [key, value] : *side) {
      const auto x = a.find(key), y = b.find(key);
      if (x == a.end() || y == b.end() || x->second != y->second) out.insert(key);
    }
  }
  return out;
}

std::set<std::string> names_in(const json& list, const char* field = "name") {
  std::set<std::string> out;
  for (const json& item : list) out.insert(item.at(field).get<std::string>());
  return out;
}

}  // namespace

TEST_CASE_FIXTURE(Examples, "what diff says of the two examples is what foreign tools find") {
  const json diff = json::parse(
      run(kBuilder + "diff gateway-6.1 gateway-6.12 --store store --json --html page.html"));
  const std::string old_kernel = diff.at("kernel").at("from").at("release");
  const std::string new_kernel = diff.at("kernel").at("to").at("release");
  CHECK(run("ls gateway-6.1.root/usr/lib/modules") == old_kernel + "\n");
  CHECK(run("ls gateway-6.12.root/usr/lib/modules") == new_kernel + "\n");

  // Packages, by the status files that scanners read.
  CHECK(names_in(diff.at("packages")) ==
        keys_that_differ(packages("gateway-6.1"), packages("gateway-6.12")));
  CHECK(packages("gateway-6.12").size() > 20);

  // Files, as find and sha256sum see them.
  CHECK(names_in(diff.at("files"), "path") ==
        keys_that_differ(files("gateway-6.1"), files("gateway-6.12")));

  // Modules: a file with its srcversion by modinfo, or built in by the kernel package's own list.
  const auto shipped = [&](const std::string& name) {
    const json lock = json::parse(test::bytes_of(folder.path + "/" + name + ".lock.json"));
    std::string out;
    for (const json& package : lock.at("packages")) {
      if (package.at("name") != lock.at("kernel")) continue;
      run("mkdir kernel-" + name + " && dpkg-deb --fsys-tarfile " + test::build_folder() +
          "/test-cache/blobs/sha256/" + package.at("digest").get<std::string>().substr(7) +
          " | tar -x -C kernel-" + name + " --wildcards '*/modules.builtin'");
      out = run("cat kernel-" + name + "/lib/modules/*/modules.builtin");
    }
    return out;
  };
  const std::string built_in_before = shipped("gateway-6.1"),
                    built_in_now = shipped("gateway-6.12");
  std::size_t now_built_in = 0;
  for (const json& module : diff.at("modules")) {
    const std::string name = module.at("name");
    const std::string change = module.at("change");
    CAPTURE(name);
    const auto file = [&](const std::string& root) {
      return run("find " + root +
                 ".root/usr/lib/modules -name '*.ko*' | while read -r f; do "
                 "b=${f##*/}; [ \"$(echo ${b%%.ko*} | tr - _)\" = " +
                 name +
                 " ] && echo $f; done; "
                 "true");
    };
    const std::string before = file("gateway-6.1"), now = file("gateway-6.12");
    CHECK((change == "removed" || change == "now built in") == (now.empty() && !before.empty()));
    CHECK((change == "added" || change == "now a module") == (before.empty() && !now.empty()));
    if (change == "now built in") {
      ++now_built_in;
      CHECK(built_in_now.find("/" + name + ".ko") != std::string::npos);
      CHECK(built_in_before.find("/" + name + ".ko") == std::string::npos);
    }
    if (name == "wireguard") {
      std::string facts = run("modinfo -F version " + now.substr(0, now.size() - 1));
      facts.pop_back();
      facts += ", srcversion " + run("modinfo -F srcversion " + now.substr(0, now.size() - 1));
      facts.pop_back();
      CHECK(module.at("to") == facts);
    }
  }
  CHECK(now_built_in > 0);
  CHECK(diff.at("risks")[0].at("text").get<std::string>().starts_with(
      "kernel 6.1 -> 6.12: module ABI changes; "));

  // What travels, by the sizes of the blobs in the store.
  const json a = release("gateway-6.1"), b = release("gateway-6.12");
  std::set<std::string> there;
  for (const json& layer : a.at("layers")) there.insert(blob(layer.at("blob")));
  std::uint64_t bytes = test::bytes_of(blob(b.at("kernel").at("image"))).size(), whole = bytes;
  for (const json& layer : b.at("layers")) {
    const std::uint64_t size = test::bytes_of(blob(layer.at("blob"))).size();
    whole += size;
    if (!there.contains(blob(layer.at("blob")))) bytes += size;
  }
  CHECK(diff.at("travel").at("bytes") == bytes);
  CHECK(diff.at("travel").at("whole") == whole);
  CHECK(bytes < whole);
  MESSAGE("a kernel series apart, " << bytes << " of " << whole << " bytes travel");
}

TEST_CASE_FIXTURE(Examples, "a real release is made again from its lock, and two people say so") {
  run("rm *.yaml *.lock.json");
  for (const std::string who : {"ann", "bob"}) {
    run("minisign -G -W -p " + who + ".pub -s " + who + ".key > /dev/null");
    const json report = json::parse(
        run(kBuilder + "rebuild gateway-6.12 --store store --signer k.pub --json --key " + who +
            ".key" + kCache + "2> errors"));
    CHECK(report.at("identical") == true);
  }
  run(kBuilder +
      "verify gateway-6.12 --store store --key k.pub --rebuilt-by 2 --rebuilder ann.pub "
      "--rebuilder bob.pub");
  run("for s in store/statements/*/*.json; do minisign -V -q -p ann.pub -m $s || "
      "minisign -V -q -p bob.pub -m $s || exit 1; done");
}

}  // namespace weir::builder
