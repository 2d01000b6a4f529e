// Bills of materials, as facts of a release and its lock, and as documents that others read.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "builder/bill/bill_of_materials.h"
#include "builder/bill/debian_release.h"
#include "tests/folders.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {
namespace {

using nlohmann::json;

struct Bills : Fixture {
  json spdx, cyclonedx;

  Bills() {
    // A package with a name and a version that have to be encoded, and one that needs it, by a name
    // that it provides, and has its documentation.
    write("p/usr/share/doc/libplus++1/copyright",
          "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
          "Files: *\nCopyright: nobody\nLicense: GPL-2+ or own-words\n\n"
          "Files: debian/*\nCopyright: nobody\nLicense: Expat\n Text.\n\n"
          "License: own-words\n Words.\n");
    packages.push_back(
        package("libplus++1", "1:2.0~rc1-1+b1", "p", "", "Provides: plus-abi (= 2)\n"));
    run("mkdir -p q/usr/share/doc && ln -s libplus++1 q/usr/share/doc/plus-tools");
    packages.push_back(package("plus-tools", "1", "q", "",
                               "Depends: nothing | plus-abi (>= 2), libdemo (>> 0.9), initramfs\n"
                               "Pre-Depends: tool:any\n"));
    for (auto& each : packages)
      each.path = "pool/main/" + pool_folder(each.name) + each.path.substr(5);
    packages.back().why = "needed by tool";
    lock();
    (void)built();
    spdx = bill("spdx");
    cyclonedx = bill("cyclonedx");
  }
  static std::string pool_folder(const std::string& name) {
    return name.starts_with("lib") ? name.substr(0, 4) + "/" + name + "-source/"
                                   : name.substr(0, 1) + "/" + name + "/";
  }
  json bill(const std::string& format) const {
    const auto out =
        builder("sbom demo --store store --key k.pub --format " + format + " --out " + format);
    CHECK(out.out == "wrote " + format + "\n");
    REQUIRE_MESSAGE(out.status == 0, out.out);
    return json::parse(read(format));
  }
  // By the specifications' rules, and by the official schemas where they are at hand.
  [[nodiscard]] std::string judged() const {
    const char* official = std::getenv("WEIR_OFFICIAL_SCHEMAS");
    if (official == nullptr) {
      MESSAGE("the official schemas are not looked at: WEIR_OFFICIAL_SCHEMAS names no folder");
    }
    return run("/usr/bin/python3 -W ignore " + test::source_folder() +
               "/tests/schemas/sbom.py spdx cyclonedx " +
               std::string(official != nullptr ? official : ""));
  }
};

const json& named(const json& list, const std::string& name) {
  for (const json& item : list) {
    if (item.at("name") == name) return item;
  }
  FAIL("nothing is called " << name);
  return list;
}

}  // namespace

TEST_CASE_FIXTURE(Bills,
                  "both bills hold to their specifications and list the release's packages") {
  CHECK(judged() == "\n");
  const json document = json::parse(read("image.lock.json"));
  CHECK(document.at("packages").size() == 5);
  for (const json& locked : document.at("packages")) {
    const std::string digest = locked.at("digest").get<std::string>().substr(7);
    const json& a = named(spdx.at("packages"), locked.at("name"));
    CHECK(a.at("versionInfo") == locked.at("version"));
    CHECK(a.at("checksums")[0].at("checksumValue") == digest);
    CHECK(a.at("packageFileName") == locked.at("path"));
    CHECK(a.at("comment") == locked.at("why"));
    const json& b = named(cyclonedx.at("components"), locked.at("name"));
    CHECK(b.at("version") == locked.at("version"));
    CHECK(b.at("hashes")[0].at("content") == digest);
    CHECK(b.at("purl") == a.at("externalRefs")[0].at("referenceLocator"));
  }
  const std::string url = "pkg:deb/debian/libplus%2B%2B1@1:2.0~rc1-1%2Bb1?arch=amd64&distro=demo";
  CHECK(named(cyclonedx.at("components"), "libplus++1").at("purl") == url);
  CHECK(named(spdx.at("packages"), "libplus++1").at("sourceInfo") ==
        "built package from: libplus++1-source");
  const json source = {{"name", "aquasecurity:trivy:SrcName"}, {"value", "libplus++1-source"}};
  const json& properties = named(cyclonedx.at("components"), "libplus++1").at("properties");
  CHECK(std::find(properties.begin(), properties.end(), source) != properties.end());
  // The kernel, the pinned module, our own programs, and the layers that no package brings.
  const json stated = release();
  for (const auto& part : std::map<std::string, json>{
           {"linux", stated.at("kernel").at("image").at("digest")},
           {"one", stated.at("modules")[0].at("digest")},
           {"weir-init", document.at("programs")[0].at("digest")},
           {"weir-node", document.at("programs")[1].at("digest")},
           {"weir-settings", stated.at("layers").back().at("blob").at("digest")},
           {"demo",
            "sha256:" + run("sha256sum < store/releases/demo/release.json").substr(0, 64)}}) {
    const std::string& name = part.first;
    const json& digest = part.second;
    CAPTURE(name);
    CHECK("sha256:" + named(spdx.at("packages"), name)
                          .at("checksums")[0]
                          .at("checksumValue")
                          .get<std::string>() ==
          digest);
  }
}

TEST_CASE_FIXTURE(Bills, "all that the packages say of who needs whom is in both") {
  std::set<std::string> relations;
  for (const json& each : spdx.at("relationships")) {
    relations.insert(each.at("spdxElementId").get<std::string>() + " " +
                     each.at("relationshipType").get<std::string>() + " " +
                     each.at("relatedSpdxElement").get<std::string>());
  }
  CHECK(relations.contains("SPDXRef-DOCUMENT DESCRIBES SPDXRef-Image"));
  std::set<std::string> edges;
  for (const std::string& each : relations) {
    if (each.find(" DEPENDS_ON ") != std::string::npos) edges.insert(each);
  }
  CHECK(edges == std::set<std::string>{
                     "SPDXRef-Package-plus-tools DEPENDS_ON SPDXRef-Package-libdemo",
                     "SPDXRef-Package-plus-tools DEPENDS_ON SPDXRef-Package-libplusPLUSPLUS1",
                     "SPDXRef-Package-plus-tools DEPENDS_ON SPDXRef-Package-tool"});
  CHECK(relations.contains("SPDXRef-Package-linux-image-demo CONTAINS SPDXRef-KernelImage"));
  CHECK(relations.contains("SPDXRef-Package-linux-image-demo CONTAINS SPDXRef-Module-one"));
  std::map<std::string, json> needs;
  for (const json& each : cyclonedx.at("dependencies")) {
    needs[each.at("ref")] = each.at("dependsOn");
  }
  CHECK(needs.at("pkg:deb/debian/plus-tools@1?arch=amd64&distro=demo") ==
        json{"pkg:deb/debian/libdemo@1.0?arch=amd64&distro=demo",
             "pkg:deb/debian/libplus%2B%2B1@1:2.0~rc1-1%2Bb1?arch=amd64&distro=demo",
             "pkg:deb/debian/tool@1.0?arch=amd64&distro=demo"});
  CHECK(needs.at("pkg:deb/debian/tool@1.0?arch=amd64&distro=demo").empty());
  CHECK(cyclonedx.at("compositions").size() == 1);
  CHECK(cyclonedx.at("compositions")[0].at("aggregate") == "complete");
  CHECK(needs.at("pkg:deb/debian/linux-image-demo@9.9-1?arch=amd64&distro=demo") ==
        json{"kernel-image", "module:one", "module:two"});
  CHECK(needs.at("release:demo").size() == cyclonedx.at("components").size());
}

TEST_CASE_FIXTURE(Bills,
                  "scanners find one operating system: Debian with its version, and no other") {
  // Its suite has a name of nobody's release.
  for (const json& each : cyclonedx.at("components")) CHECK(each.at("type") != "operating-system");
  CHECK(cyclonedx.at("metadata").at("component").at("type") == "container");
  run("rm -r store && before=$(sha256sum < image.yaml | cut -c1-64) && "
      "sed -i 's/suites: .demo./suites: [bookworm-updates]/' image.yaml && "
      "sed -i \"s/$before/$(sha256sum < image.yaml | cut -c1-64)/; "
      "s/\\\"suite\\\": \\\"demo\\\"/\\\"suite\\\": \\\"bookworm-updates\\\"/\" image.lock.json");
  (void)built();
  const json a = bill("spdx"), b = bill("cyclonedx");
  CHECK(judged() == "\n");  // by Trivy's rules too: sbom.py has them
  const json& system = named(b.at("components"), "debian");
  CHECK(system.at("type") == "operating-system");
  CHECK(system.at("version") == "12");
  const json& described = named(a.at("packages"), "debian");
  CHECK(described.at("SPDXID") == "SPDXRef-OperatingSystem-debian");
  CHECK(described.at("versionInfo") == "12");
  std::size_t systems = 0;
  for (const json& each : a.at("packages")) {
    systems += each.at("primaryPackagePurpose") == "OPERATING_SYSTEM" ? 1 : 0;
  }
  CHECK(systems == 1);
}

// Debian's advisories are about Debian's packages, and scanners look them up by these.
TEST_CASE_FIXTURE(Bills, "a package of somebody else's archive is neither Debian's nor within it") {
  run("rm -r store");
  std::string asked = read("image.yaml");
  asked.replace(asked.find("{suites: [demo]}"), 16,
                "[{suites: [bookworm]}, {name: frr, suites: [stable]}]");
  write("image.yaml", asked);
  auto document = nlohmann::ordered_json::parse(read("image.lock.json"));
  document.at("manifest_digest") = Digest::of(as_bytes(asked)).string();
  auto& sources = document.at("sources");
  sources.push_back(sources[0]);
  sources[0].at("suite") = "bookworm";
  sources[1].at("suite") = "frr:stable";
  sources[1]["vendor"] = "frr";
  for (auto& package : document.at("packages")) {
    package.at("suite") = package.at("name") == "plus-tools" ? "frr:stable" : "bookworm";
  }
  write("image.lock.json", document.dump(2) + "\n");
  (void)built();
  const json a = bill("spdx"), b = bill("cyclonedx");
  CHECK(judged() == "\n");
  const json& other = named(b.at("components"), "plus-tools");
  CHECK(other.at("purl") == "pkg:deb/frr/plus-tools@1?arch=amd64");
  CHECK(other.at("supplier").at("name") == "frr");
  CHECK(named(a.at("packages"), "plus-tools").at("supplier") == "Organization: frr");
  CHECK(named(b.at("components"), "tool").at("purl") ==
        "pkg:deb/debian/tool@1.0?arch=amd64&distro=bookworm");
  std::set<std::string> whole;
  for (const json& each : a.at("relationships")) {
    if (each.at("relatedSpdxElement") == "SPDXRef-Package-plus-tools" &&
        each.at("relationshipType") == "CONTAINS") {
      whole.insert(each.at("spdxElementId"));
    }
  }
  CHECK(whole == std::set<std::string>{"SPDXRef-Image"});
}

// The releases' numbers are what their os-release files say.
TEST_CASE("an image is of the Debian that its first suite of a release's name is of") {
  const auto release_of = [](const std::vector<std::string>& suites, const std::string& base = "") {
    auto lock = *manifests::parse_lock(
        test::bytes_of(test::source_folder() + "/tests/fuzz/corpus/lock/example"));
    lock.sources.clear();
    for (const auto& suite : suites) lock.sources.push_back({suite, Digest::of({}), "", ""});
    lock.packages.erase(lock.packages.begin() + 1, lock.packages.end());
    lock.packages[0].name = base.empty() ? "other" : "base-files";
    lock.packages[0].version = base;
    return debian_release_of(lock);
  };
  CHECK(release_of({"bookworm", "bookworm-backports"}) == "12");
  CHECK(release_of({"frr-stable", "trixie-security", "bookworm"}) == "13");
  CHECK(release_of({"forky"}) == "14");
  CHECK(release_of({"stable"}, "12.4+deb12u11") == "12");
  CHECK(release_of({"stable"}) == "");
}

TEST_CASE_FIXTURE(Bills, "an EFI stub that the lock pins is in both, and in the provenance") {
  run("rm -r store && printf stub > stub");
  const std::string digest = run("sha256sum < stub").substr(0, 64);
  run("cp stub cache/blobs/sha256/" + digest);
  auto document = nlohmann::ordered_json::parse(read("image.lock.json"));
  document.at("programs")
      .push_back({{"name", "linuxx64.efi.stub"}, {"digest", "sha256:" + digest}, {"size", 4}});
  write("image.lock.json", document.dump(2) + "\n");
  (void)built();
  const json a = bill("spdx"), b = bill("cyclonedx");
  CHECK(judged() == "\n");
  const json& stub = named(a.at("packages"), "linuxx64.efi.stub");
  CHECK(stub.at("checksums")[0].at("checksumValue") == digest);
  const json relation = {{"spdxElementId", stub.at("SPDXID")},
                         {"relationshipType", "OPTIONAL_COMPONENT_OF"},
                         {"relatedSpdxElement", "SPDXRef-Image"}};
  const json& relations = a.at("relationships");
  CHECK(std::find(relations.begin(), relations.end(), relation) != relations.end());
  CHECK(named(b.at("components"), "linuxx64.efi.stub").at("hashes")[0].at("content") == digest);
  CHECK(named(b.at("components"), "linuxx64.efi.stub").at("scope") == "optional");
  const json statement = json::parse(builder("provenance demo --store store --key k.pub").out);
  CHECK(named(statement.at("predicate").at("buildDefinition").at("resolvedDependencies"),
              "linuxx64.efi.stub")
            .at("digest")
            .at("sha256") == digest);
}

TEST_CASE_FIXTURE(Bills, "licences that a copyright file declares are in both") {
  const std::string declared = "(GPL-2.0-or-later OR LicenseRef-own-words) AND MIT";
  for (const char* name : {"libplus++1", "plus-tools"}) {
    CAPTURE(name);
    CHECK(named(spdx.at("packages"), name).at("licenseDeclared") == declared);
    CHECK(named(cyclonedx.at("components"), name).at("licenses") ==
          json::array({{{"expression", declared}}}));
  }
  CHECK(named(spdx.at("packages"), "tool").at("licenseDeclared") == "NOASSERTION");
  CHECK_FALSE(named(cyclonedx.at("components"), "tool").contains("licenses"));
  const json& own = spdx.at("hasExtractedLicensingInfos");
  REQUIRE(own.size() == 1);
  CHECK(own[0].at("licenseId") == "LicenseRef-own-words");
  CHECK(own[0].at("extractedText").get<std::string>().ends_with("of: libplus++1, plus-tools"));
  // Made again from the layers of the store, where the build had what its cache remembers.
  run("rm -r store/attestations");
  CHECK(bill("spdx") == spdx);
  CHECK(bill("cyclonedx") == cyclonedx);
  (void)built();
  CHECK(bill("spdx") == spdx);
}

TEST_CASE_FIXTURE(Bills, "bills are the same bytes anywhere, and name the release they are of") {
  const auto again =
      builder("sbom demo --store ../$(basename $PWD)/store --key k.pub --format spdx",
              "export TZ=Pacific/Kiritimati; umask 077;");
  CHECK(again.out == read("spdx"));
  const std::string digest = run("sha256sum < store/releases/demo/release.json").substr(0, 64);
  CHECK(spdx.at("documentNamespace") == "urn:weir:spdx:demo:" + digest);
  CHECK(spdx.at("creationInfo").at("created") == "2023-11-14T22:13:20Z");  // date -d @1700000000
  // RFC 9562's version 5, by Python.
  CHECK(cyclonedx.at("serialNumber").get<std::string>() + "\n" ==
        run("/usr/bin/python3 -c \"import uuid; print('urn:uuid:' + "
            "str(uuid.uuid5(uuid.NAMESPACE_URL, 'urn:weir:cyclonedx:demo:" +
            digest + "')))\""));
  // No host of an archive, no folder of this machine.
  for (const char* format : {"spdx", "cyclonedx"}) {
    const std::string text = read(format);
    CHECK(text.find(path()) == std::string::npos);
    run(std::string("! grep -o '[a-z]*://[^\"]*' ") + format +
        " | grep -v '^http://cyclonedx.org/'");
  }
}

TEST_CASE_FIXTURE(Bills, "a bill that cannot be made says why") {
  const auto refused = [&](const std::string& arguments, int code, const std::string& says) {
    const auto out = builder("sbom " + arguments);
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == code);
    CHECK(out.out.find(says) != std::string::npos);
  };
  const std::string of = "demo --store store --key k.pub ";
  refused(of, 2, "--format");
  refused(of + "--format swid", 2, "'swid' is none of spdx, cyclonedx");
  refused("demo --store store --format spdx", 2, "who is trusted? --key FILE or --trust FILE");
  refused("other --store store --key k.pub --format spdx", 1, "no release 'other'");
  refused(of + "--format spdx --out none/spdx", 1, "there is no folder none");
  // The provenance names the stored one; without it, it is made from the lock again.
  run("rm store/blobs/sha256/" + Digest::of(as_bytes(read("image.lock.json"))).hex());
  CHECK(bill("spdx") == spdx);
  run("rm -r store/attestations");
  refused(of + "--format spdx", 1, "release demo: its lock (sha256:");
}

TEST_CASE_FIXTURE(Bills, "a bill is of a release that a trusted key signed, and of no other") {
  run("minisign -G -W -p b.pub -s b.key > /dev/null");
  const auto refused = [&](const std::string& key, const std::string& says) {
    const auto out = builder("sbom demo --store store --format spdx --key " + key);
    CAPTURE(out.out);
    CHECK(WEXITSTATUS(out.status) == 1);
    CHECK(out.out.find(says) != std::string::npos);
    CHECK(out.out.find("SPDXID") == std::string::npos);
  };
  refused("b.pub", "release demo: ");
  // What a stranger says of it does not count: the bill is made from the lock.
  run("rm -r store/attestations");
  REQUIRE(builder("attest demo --store store --key b.key --release-key k.pub").status == 0);
  CHECK(bill("spdx") == spdx);
  run("sed -i 's/quiet/loud!/' store/releases/demo/release.json");
  refused("k.pub", "release demo: ");
}

// Paths of real packages in Debian 12.
TEST_CASE("an archive's path tells the source package") {
  CHECK(source_package_of("pool/main/g/gcc-12/libgcc-s1_12.2.0-14_amd64.deb") == "gcc-12");
  CHECK(source_package_of("pool/main/libs/libseccomp/libseccomp2_2.5.4-1_amd64.deb") ==
        "libseccomp");
  CHECK(source_package_of("pool/updates/main/l/linux-signed-amd64/linux-image-6.1_amd64.deb") ==
        "linux-signed-amd64");
  CHECK(source_package_of("pool/main/x/gcc-12/a.deb") == "");
  CHECK(source_package_of("dists/a/b.deb") == "");
  CHECK(source_package_of("pool/a.deb") == "");
  CHECK(source_package_of("") == "");
}

TEST_CASE("a lock of another release is refused") {
  const auto locked = manifests::parse_lock(
      test::bytes_of(test::source_folder() + "/tests/fuzz/corpus/lock/example"));
  const auto release = manifests::parse_release(
      test::bytes_of(test::source_folder() + "/tests/fuzz/corpus/release/release"));
  REQUIRE((locked.has_value() && release.has_value()));
  const auto bill = bill_of_materials(*release, Digest::of({}), *locked, {});
  CHECK(bill.error().code == Errc::integrity);
}

}  // namespace weir::builder
