#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "builder/lock/lock_version.h"
#include "images/formats/layer.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/maintainer_script.h"
#include "tests/folders.h"
#include "tests/unit/builder/mirror/package_workshop.h"

/// What weir-builder's commands are tried on, with packages made for the test.
namespace weir::builder {

namespace fs = std::filesystem;
inline constexpr const char* kScript = "#!/bin/sh\nset -e\nldconfig\n";

/// A kernel with two modules, a loader with a library, and a tool; a manifest and its lock; a cache
/// that holds everything; minisign's keys. `path()` has them, `build` uses them.
struct Fixture : test::Workshop {
  std::string release_name = "demo";
  std::string manifest =
      "name: demo\narchitecture: amd64\nsources: {suites: [demo]}\n"
      "kernel: {package: linux-image-demo}\nmodules: [one]\npackages: [tool]\n"
      "users: [{name: service, id: 100}]\n"
      "files: [{path: /etc/tool.conf, content: ours}]\ncommand_line: quiet\n"
      "accept_scripts: [{package: tool, script: postinst, sha256: " +
      manifests::script_digest(kScript, {"tool", "1.0"}).hex() +
      ", why: no cache is needed}]\n"
      // The epoch is of 2023: what is made of it must live for some years.
      "release: {valid_for: 3650d}\n";
  std::vector<manifests::LockedPackage> packages;
  std::int64_t epoch = 1700000000;

  Fixture() {
    kernel();
    libraries();
    tool("tool", "1.0");
    run("minisign -G -W -p k.pub -s k.key > /dev/null");
    write("init", "init");
    write("agent", "agent");
    lock();
  }

  void kernel() {
    const std::string root = std::string("k/lib/modules/") + test::kRelease + "/";
    const std::string magic = std::string("vermagic=") + test::kVermagic;
    module(root + "kernel/one.ko", {"name=one", magic, "depends=two", "version=3"}, {},
           {"two_call"});
    module(root + "kernel/two.ko", {"name=two", magic, "depends="}, {"two_call"}, {});
    write("k/boot/vmlinuz-9.9", boot_image("zstd -q"));
    packages.push_back(package("linux-image-demo", "9.9-1", "k"));
  }

  void libraries() {
    const std::string folder = "l/lib/x86_64-linux-gnu/";
    write("l.c", "int call(void){return 1;}\n");
    run("mkdir -p " + folder +
        " l/lib64 && gcc -shared -fPIC -nostdlib -Wl,-soname,libdemo.so.1 "
        "l.c -o " +
        folder + "libdemo.so.1.0 && gcc -shared -fPIC -nostdlib l.c -o " + folder +
        "ld.so && ln -s libdemo.so.1.0 " + folder +
        "libdemo.so.1 && "
        "ln -s /lib/x86_64-linux-gnu/ld.so l/lib64/ld-demo.so.2");
    packages.push_back(package("libdemo", "1.0", "l"));
  }

  void tool(const std::string& text, const std::string& version) {
    write("t.c", "int call(void);const char text[]=\"" + text + "\";void _start(void){call();}\n");
    run("mkdir -p t/bin && gcc -fPIE -pie -nostdlib t.c l/lib/x86_64-linux-gnu/libdemo.so.1.0 "
        "-Wl,--dynamic-linker=/lib64/ld-demo.so.2 -o t/bin/tool");
    write("t/etc/tool.conf", "theirs\n");
    write("t/DEBIAN/conffiles", "/etc/tool.conf\n");
    std::erase_if(packages, [](const auto& p) { return p.name == "tool"; });
    packages.push_back(package("tool", version, "t", kScript));
  }

  // Says this in `release`, the manifest's last field.
  void terms(const std::string& fields) {
    manifest.resize(manifest.find("release: "));
    manifest += "release: {" + fields + ", valid_for: 3650d}\n";
  }

  // Writes image.yaml, image.lock.json and the cache's blobs.
  void lock() {
    write("image.yaml", manifest);
    std::sort(packages.begin(), packages.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    const auto parsed = manifests::parse_image_manifest(manifest);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    manifests::Lock document{
        *ReleaseName::parse(release_name),
        "amd64",
        Digest::of(as_bytes(manifest)),
        epoch,
        {{"demo", Digest::of(as_bytes("InRelease")), "a day", std::string(40, 'A')}},
        "linux-image-demo",
        packages,
        {},
        parsed->accept_scripts,
        {},
        "0",
        images::layer_encoder()};
    for (const auto& [name, file] :
         {std::pair("weir-init", "init"), std::pair("weir-node", "agent")}) {
      const std::string bytes = read(file);
      document.programs.push_back({name, Digest::of(as_bytes(bytes)), ByteCount{bytes.size()}});
      write("cache/blobs/sha256/" + Digest::of(as_bytes(bytes)).hex(), bytes);
    }
    for (const auto& [name, source] : parsed->module_sources) {
      if (!source.digest) continue;
      const std::string bytes = read(source.file);
      document.modules.push_back({name, source.file, *source.digest, ByteCount{bytes.size()}});
      write("cache/blobs/sha256/" + source.digest->hex(), bytes);
    }
    for (const auto& locked : packages) {
      write("cache/blobs/sha256/" + locked.digest.hex(),
            read(locked.name + "_" + locked.version + ".deb"));
    }
    std::optional<manifests::Lock> before;
    if (fs::exists(path() + "/image.lock.json")) {
      before = *manifests::parse_lock(read("image.lock.json"));
    }
    document.version = lock_version(document, before, parsed->release.version);
    write("image.lock.json", manifests::print(document));
  }

  struct Outcome {
    int status = 0;
    std::string out;
  };
  [[nodiscard]] Outcome builder(const std::string& arguments,
                                const std::string& before = "") const {
    Outcome out;
    out.out = test::output_of("cd " + path() + " && " + before + " " + test::build_folder() +
                                  "/bin/weir-builder " + arguments,
                              &out.status);
    return out;
  }
  [[nodiscard]] Outcome build(const std::string& more = "", const std::string& before = "") const {
    return builder("build image.yaml --key k.key --store store --cache cache " + more, before);
  }
  [[nodiscard]] nlohmann::json built(const std::string& more = "") const {
    const Outcome out = build("--json " + more);
    REQUIRE_MESSAGE(out.status == 0, out.out);
    return nlohmann::json::parse(out.out);
  }
  [[nodiscard]] nlohmann::json release(const std::string& store = "store") const {
    return nlohmann::json::parse(read(store + "/releases/demo/release.json"));
  }
  [[nodiscard]] std::string blob(const nlohmann::json& stated) const {
    return "store/blobs/sha256/" + stated.at("digest").get<std::string>().substr(7);
  }

  // The build fails, says this, and leaves no release behind.
  void refused(const std::string& says, const std::string& more = "") const {
    const Outcome out = build(more);
    CAPTURE(out.out);
    CHECK(out.status != 0);
    CHECK(out.out.find(says) != std::string::npos);
    CHECK_FALSE(fs::exists(path() + "/store/releases/demo"));
    CHECK_FALSE(fs::exists(path() + "/store/index.json"));
  }
};

inline std::map<std::string, std::string> layers_of(const nlohmann::json& release) {
  std::map<std::string, std::string> out;
  for (const auto& layer : release.at("layers")) {
    out[layer.at("name")] = layer.at("blob").at("digest").get<std::string>();
  }
  return out;
}

}  // namespace weir::builder
