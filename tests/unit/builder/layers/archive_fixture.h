#pragma once

#include <ctime>
#include <map>
#include <string>

#include "tests/folders.h"
#include "tests/unit/builder/lock/packages_fixture.h"
#include "tests/unit/builder/mirror/http_server.h"
#include "tests/unit/builder/release/throw_away_key.h"

namespace weir::builder {

inline std::string date(std::time_t when) {
  return test::must("LC_ALL=C date -u -d @" + std::to_string(when) +
                    " '+%a, %d %b %Y %H:%M:%S UTC' | tr -d '\\n'");
}

/// A small archive of one suite, and a manifest that uses it.
struct Archive {
  ThrowAwayKey key;
  test::TemporaryFolder folder;
  std::map<std::string, std::string> files;
  std::time_t now = std::time(nullptr);
  std::time_t dated = now - 3600;  ///< the InRelease's Date
  std::string packages =
      paragraph("linux-image-6.1.0-9-cloud-amd64", "6.1.20-1", {{"Depends", "kmod"}}) +
      paragraph("kmod", "30") + paragraph("tool", "1.0", {{"Depends", "lib"}}) +
      paragraph("lib", "1.1");
  std::string manifest =
      "name: fixture\narchitecture: amd64\n"
      "sources: {suites: [stable], keyring: " +
      key.keyring() +
      "}\n"
      "kernel: {package: 'linux-image-6.1.*-cloud-amd64'}\n"
      "packages: [tool]\nprovides: [kmod]\nnode_programs: programs\n";

  Archive() {
    test::must("mkdir -p " + folder.path + "/programs");
    REQUIRE(write_file(folder.path + "/programs/weir-init", "init").has_value());
    REQUIRE(write_file(folder.path + "/programs/weir-node", "node").has_value());
    publish();
  }

  [[nodiscard]] std::string release(const std::string& packed, const std::string& name) const {
    const std::string at = "main/binary-amd64/Packages";
    const auto line = [](const std::string& bytes, const std::string& path) {
      return " " + Digest::of(as_bytes(bytes)).hex() + " " + std::to_string(bytes.size()) + " " +
             path + "\n";
    };
    return "Suite: " + name + "\nCodename: " + name + "\nDate: " + date(dated) +
           "\nValid-Until: " + date(now + 3600) + "\nAcquire-By-Hash: yes\nSHA256:\n" +
           line(packages, at) + line(packed, at + ".xz");
  }
  [[nodiscard]] std::string packed() const {
    REQUIRE(write_file(folder.path + "/Packages", packages).has_value());
    return test::must("xz -c " + folder.path + "/Packages");
  }
  void publish() {
    const std::string bytes = packed();
    files.clear();
    files["/debian/dists/stable/InRelease"] = key.clear_sign(release(bytes, "stable"));
    files["/debian/dists/stable/main/binary-amd64/by-hash/SHA256/" +
          Digest::of(as_bytes(bytes)).hex()] = bytes;
  }

  /// Publishes a new index.
  void republish(const std::string& text) {
    packages = text;
    dated += 60;
    publish();
  }

  struct Outcome {
    int status = 0;
    std::string out;
  };
  Outcome lock(const std::string& more = "") {
    REQUIRE(write_file(folder.path + "/image.yaml", manifest).has_value());
    HttpServer server(HttpServer::files(files));
    int status = 0;
    auto out = test::output_of(test::build_folder() + "/bin/weir-builder lock " + folder.path +
                                   "/image.yaml --mirror " + server.url() + "/debian/ --cache " +
                                   folder.path + "/cache " + more,
                               &status);
    return {WEXITSTATUS(status), std::move(out)};
  }
  [[nodiscard]] std::string path() const { return folder.path + "/image.lock.json"; }
  [[nodiscard]] std::string text() const { return test::bytes_of(path()); }
};

}  // namespace weir::builder
