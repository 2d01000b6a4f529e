#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/documents/lock.h"
#include "tests/folders.h"
#include "tests/unit/builder/mirror/http_server.h"
#include "tests/unit/builder/release/throw_away_key.h"

namespace weir::builder {

/// Packages that dpkg-deb makes, archives that the tools of archives make of them, `weir-builder
/// lock` of such an archive over HTTP, and what apt-get makes of the same one by itself.
class RealArchive {
 public:
  static constexpr const char* kKernel = "linux-image-6.1.0-9-cloud-amd64";

  RealArchive() {
    test::must("mkdir -p " + at("debs") + " " + at("repo") + " " + at("programs"));
    REQUIRE(write_file(at("programs/weir-init"), "init").has_value());
    REQUIRE(write_file(at("programs/weir-node"), "node").has_value());
    deb(kKernel, "6.1.20-1");
    deb("tool", "1:1.0-1", "libx (>= 1.1)");
    deb("libx", "1.0", "", "all");
    deb("libx", "1.1", "", "all");
  }

  [[nodiscard]] std::string at(const std::string& path) const { return folder_.path + "/" + path; }
  [[nodiscard]] const ThrowAwayKey& key() const { return key_; }

  /// Makes a package, in debs/.
  void deb(const std::string& name, const std::string& version, const std::string& depends = "",
           const std::string& architecture = "amd64") {
    const std::string tree = at("tree");
    test::must("rm -rf " + tree + " && mkdir -p " + tree + "/DEBIAN " + tree + "/usr/share/" +
               name);
    REQUIRE(write_file(tree + "/DEBIAN/control",
                       "Package: " + name + "\nVersion: " + version + "\nArchitecture: " +
                           architecture + "\nMaintainer: Nobody <nobody@example.org>\n" +
                           (depends.empty() ? "" : "Depends: " + depends + "\n") +
                           "Section: misc\nPriority: optional\nDescription: fixture\n")
                .has_value());
    REQUIRE(write_file(tree + "/usr/share/" + name + "/version", version).has_value());
    test::must("dpkg-deb --root-owner-group -Zgzip --build " + tree + " " + at("debs") +
               " >/dev/null");
  }

  /// Signs repo/FOLDER/Release beside it.
  void sign(const std::string& folder, const ThrowAwayKey& by, bool inrelease) const {
    const std::string release = at("repo/" + folder + "Release");
    const std::string text = test::bytes_of(release);
    const std::string out = release.substr(0, release.size() - 7);
    if (inrelease) {
      REQUIRE(write_file(out + "InRelease", by.clear_sign(text)).has_value());
      test::must("rm " + release);
    } else {
      REQUIRE(write_file(release + ".gpg", by.detached(text)).has_value());
    }
  }

  struct Outcome {
    int status = 0;
    std::string out;
  };

  /// Of repo/ and what `sources` says: the value of that field of the manifest.
  Outcome lock(const std::string& sources, const std::string& more = "",
               const std::string& packages = "[tool]") {
    REQUIRE(write_file(at("image.yaml"), "name: fixture\narchitecture: amd64\nsources: " + sources +
                                             "\nkernel: {package: '" + kKernel + "'}\npackages: " +
                                             packages + "\nnode_programs: programs\n")
                .has_value());
    HttpServer server(HttpServer::files(served()));
    url_ = server.url();
    std::string options = more.empty() ? "--mirror URL/repo" : more;
    for (auto place = options.find("URL"); place != std::string::npos;
         place = options.find("URL", place + url_.size())) {
      options.replace(place, 3, url_);
    }
    for (const auto& [path, text] : with_url_) {
      std::string filled = text;
      for (auto place = filled.find("URL"); place != std::string::npos;
           place = filled.find("URL", place + url_.size())) {
        filled.replace(place, 3, url_);
      }
      REQUIRE(write_file(at(path), filled).has_value());
    }
    return weir_builder("lock " + at("image.yaml") + " " + options);
  }
  /// With a cache of its own, and nothing of this machine's apt.
  Outcome weir_builder(const std::string& arguments) {
    Outcome outcome;
    outcome.out = test::output_of("APT_CONFIG=" + apt_config() + " " + test::build_folder() +
                                      "/bin/weir-builder " + arguments + " --cache " + at("cache"),
                                  &outcome.status);
    outcome.status = WEXITSTATUS(outcome.status);
    return outcome;
  }
  /// A file that is written anew for each lock, with the server's address for "URL".
  void write_with_url(const std::string& path, std::string text) {
    with_url_[path] = std::move(text);
  }

  [[nodiscard]] manifests::Lock locked() const {
    const auto lock = manifests::parse_lock(test::bytes_of(at("image.lock.json")));
    REQUIRE_MESSAGE(lock.has_value(), lock.error().message);
    return *lock;
  }

  /// The files that apt-get would fetch for kernel and tool, below repo/.
  std::set<std::string> apt_files(const std::string& source) {
    const std::string apt = apt_of(source);
    test::must(apt + "-qq update");
    const std::string out =
        test::must(apt + "-qq --print-uris install tool " + std::string(kKernel));
    std::set<std::string> files;
    const std::string base = "'file:" + at("repo/");
    for (auto place = out.find(base); place != std::string::npos;
         place = out.find(base, place + 1)) {
      const auto start = place + base.size();
      std::string path = out.substr(start, out.find('\'', start) - start);
      if (path.starts_with("./")) path.erase(0, 2);
      files.insert(std::move(path));
    }
    return files;
  }
  /// apt-get in a root of its own, with one line of sources.
  std::string apt_of(const std::string& source) {
    test::must("rm -rf " + at("apt") + " && mkdir -p " + at("apt/etc") + " " +
               at("apt/state/lists/partial") + " " + at("apt/cache/archives/partial"));
    REQUIRE(write_file(at("apt/etc/sources.list"), source + "\n").has_value());
    return "APT_CONFIG=" + apt_config() + " apt-get ";
  }

  /// Weir's choice is apt's, and the bytes are those of the files.
  void check_as_apt(const std::string& source) {
    std::set<std::string> paths;
    for (const auto& package : locked().packages) {
      paths.insert(package.path);
      const std::string file = at("repo/" + package.path);
      CAPTURE(file);
      CHECK(package.digest.hex() ==
            test::must("sha256sum " + file + " | cut -c1-64 | tr -d '\\n'"));
      CHECK(package.size.value == std::filesystem::file_size(file));
    }
    CHECK(paths.size() == 3);
    CHECK(paths == apt_files(source));
  }

 private:
  // Nothing of this machine's apt counts.
  std::string apt_config() {
    test::must("mkdir -p " + at("apt/etc/sources.list.d"));
    REQUIRE(write_file(at("apt.conf"), "Dir::State \"" + at("apt/state") + "\";\nDir::Cache \"" +
                                           at("apt/cache") + "\";\nDir::Etc \"" + at("apt/etc") +
                                           "\";\nDir::State::status \"/dev/null\";\n"
                                           "APT::Architecture \"amd64\";\n"
                                           "APT::Architectures \"amd64\";\n"
                                           "APT::Sandbox::User \"root\";\n"
                                           "APT::Install-Recommends \"no\";\n")
                .has_value());
    return at("apt.conf");
  }
  [[nodiscard]] std::map<std::string, std::string> served() const {
    std::map<std::string, std::string> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path)) {
      const std::string path = entry.path().string().substr(folder_.path.size());
      if (entry.is_regular_file() && path.starts_with("/repo")) {
        out[path] = test::bytes_of(entry.path().string());
      }
    }
    return out;
  }

  test::TemporaryFolder folder_;
  ThrowAwayKey key_;
  std::string url_;
  std::map<std::string, std::string> with_url_;
};

}  // namespace weir::builder
