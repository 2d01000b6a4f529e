// A real release in every boot format, as foreign tools see them. Machines boot them in tests/vm.
#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/build/example.h"
#include "tests/folders.h"
#include "tests/schemas/judge.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using nlohmann::json;
using test::must;

constexpr const char* kName = "gateway-6.12";

struct Built : test::Example {
  Built() : Example(kName) { (void)build(); }

  // With the tools of root.
  std::string run(const std::string& command) const {
    return must("cd " + folder.path + " && export LC_ALL=C TZ=UTC PATH=$PATH:/usr/sbin && " +
                command);
  }
  [[nodiscard]] std::string command(const std::string& format, const std::string& out,
                                    const std::string& more = "") const {
    return test::build_folder() + "/bin/weir-builder export " + std::string(kName) + " --format " +
           format + " --out " + out + " --store store --key k.pub --json " + more;
  }
  [[nodiscard]] json exported(const std::string& format, const std::string& out,
                              const std::string& more = "") const {
    return json::parse(run(command(format, out, more)));
  }
  // It fails with this code, says this, and leaves nothing behind.
  void refused(const std::string& command, int code, const std::string& says) const {
    int status = 0;
    const std::string before = run("ls -A");
    const std::string out = test::output_of("cd " + folder.path + " && " + command, &status);
    CAPTURE(out);
    CHECK(WEXITSTATUS(status) == code);
    CHECK(out.find(says) != std::string::npos);
    CHECK(run("ls -A") == before);
  }
  [[nodiscard]] std::string segments() const {
    std::string out;
    const json document = release();
    for (const json& layer : document.at("layers")) out += blob(layer.at("blob")) + " ";
    return out;
  }
};

}  // namespace

TEST_CASE("a release in every boot format is what foreign tools expect, twice the same") {
  const Built built;
  const json release = built.release();
  for (const std::string format : {"kernel", "uki", "disk", "qcow2", "pxe", "oci"}) {
    CAPTURE(format);
    const json report = built.exported(format, format);
    CHECK(report.at("format") == format);
    // Whatever the umask, the zone, the folder and the clock's second.
    built.run("umask 077; export TZ=Pacific/Kiritimati; cd / && " + test::build_folder() +
              "/bin/weir-builder export " + kName + " --format " + format + " --store " +
              built.folder.path + "/store --key " + built.folder.path + "/k.pub --out " +
              built.folder.path + "/again-" + format);
    built.run("diff -r " + format + " again-" + format);
    for (const json& file : report.at("files")) {
      const std::string path = file.at("path");
      CHECK(file.at("digest") == "sha256:" + built.run("sha256sum < " + path).substr(0, 64));
      CHECK(file.at("bytes") == std::stoull(built.run("stat -c %s " + path)));
    }
  }

  // What stock tools read about it goes with each: what the store's provenance names.
  const std::string bill =
      built.run(test::build_folder() +
                "/bin/weir-builder sbom gateway-6.12 --store store --key k.pub --format spdx");
  for (const std::string place : {"kernel/", "pxe/", "uki.", "disk.", "qcow2."}) {
    CAPTURE(place);
    CHECK(test::bytes_of(built.folder.path + "/" + place + "sbom.spdx.json") == bill);
    built.run("/usr/bin/python3 -W ignore " + test::source_folder() + "/tests/schemas/dsse.py " +
              place + "provenance.dsse.json k.pub | grep -q $(sha256sum < " + place +
              "sbom.cdx.json | cut -c 1-64)");
  }

  built.run("cat " + built.segments() + " > initrd");
  const std::string kernel = built.blob(release.at("kernel").at("image"));
  for (const char* folder : {"kernel", "pxe"}) {
    built.run(std::string("cd ") + folder + " && sha256sum -c --quiet SHA256SUMS");
    built.run("cmp initrd " + std::string(folder) + "/initrd.img && cmp " + kernel + " " + folder +
              "/vmlinuz");
  }
  CHECK(built.run("cat kernel/cmdline") == release.at("command_line").get<std::string>() + "\n");

  // The UKI's sections are the release's own bytes.
  built.run(
      "objcopy --dump-section .linux=s.linux --dump-section .initrd=s.initrd "
      "--dump-section .osrel=s.osrel --dump-section .cmdline=s.cmdline "
      "--dump-section .uname=s.uname uki rest");
  built.run("cmp -n $(stat -c %s " + kernel + ") " + kernel + " s.linux");
  built.run("cmp -n $(stat -c %s initrd) initrd s.initrd");
  CHECK(built.run("tr -d '\\0' < s.uname") == release.at("kernel").at("release"));
  CHECK(built.run("tr -d '\\0' < s.cmdline") == release.at("command_line"));
  CHECK(built.run("tr -d '\\0' < s.osrel > o; . ./o; echo $ID $VERSION_ID $IMAGE_VERSION") ==
        "debian 12 gateway-6.12\n");

  CHECK(built.run("sgdisk --verify disk").find("No problems found") != std::string::npos);
  built.run("dd if=disk of=system bs=1M skip=1 count=64 status=none && fsck.fat -n system");
  built.run("mcopy -n -i disk@@1M ::EFI/BOOT/BOOTX64.EFI from-disk && cmp from-disk uki");
  built.run("qemu-img check qcow2 && qemu-img compare -f raw -F qcow2 disk qcow2");
}

TEST_CASE("a container image is the release's root, for skopeo and for tar") {
  const Built built;
  (void)built.exported("oci", "image");
  const json release = built.release();
  const json seen = json::parse(built.run("skopeo inspect oci:image:" + std::string(kName)));
  CHECK(seen.at("Architecture") == "amd64");
  CHECK(seen.at("Os") == "linux");
  CHECK(seen.at("Layers").size() == release.at("layers").size());
  CHECK(seen.at("Labels").at("weir.release-digest") ==
        "sha256:" +
            built.run("sha256sum < store/releases/gateway-6.12/release.json").substr(0, 64));
  const json config = json::parse(built.run("skopeo inspect --config oci:image:gateway-6.12"));
  CHECK(config.at("rootfs").at("diff_ids").size() == release.at("layers").size());
  // Copying to Docker's format unpacks every layer and compares its diff id.
  built.run(
      "skopeo copy -q oci:image:gateway-6.12 oci:other:copy && "
      "skopeo copy -q oci:image:gateway-6.12 docker-archive:image.tar");

  // SBOMs and provenance refer to the image. What comes out of the copy is the image alone.
  const auto layout = [&](const std::string& digest) {
    return built.folder.path + "/image/blobs/sha256/" + digest.substr(7);
  };
  const json index = json::parse(test::bytes_of(built.folder.path + "/image/index.json"));
  const std::string image = index.at("manifests")[0].at("digest");
  CHECK("sha256:" +
            built.run("skopeo inspect --raw oci:image:gateway-6.12 | sha256sum").substr(0, 64) ==
        image);
  std::map<std::string, std::string> documents;
  for (const json& entry : index.at("manifests")) {
    built.run("sha256sum < " + layout(entry.at("digest")) + " | grep -q " +
              entry.at("digest").get<std::string>().substr(7));
    if (entry.at("digest") == image) continue;
    CHECK_FALSE(entry.contains("annotations"));
    const json referrer = json::parse(test::bytes_of(layout(entry.at("digest"))));
    CHECK(referrer.at("subject").at("digest") == image);
    CHECK(referrer.at("artifactType") == entry.at("artifactType"));
    // source: OCI image specification 1.1, manifest.md, guidance for an empty descriptor
    CHECK(
        referrer.at("config") ==
        json{{"mediaType", "application/vnd.oci.empty.v1+json"},
             {"digest", "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
             {"size", 2}});
    CHECK(test::bytes_of(layout(referrer.at("config").at("digest"))) == "{}");
    REQUIRE(referrer.at("layers").size() == 1);
    documents[entry.at("artifactType")] = layout(referrer.at("layers")[0].at("digest"));
  }
  REQUIRE(documents.size() == 3);
  built.run("/usr/bin/python3 -W ignore " + test::source_folder() + "/tests/schemas/sbom.py " +
            documents.at("application/spdx+json") + " " +
            documents.at("application/vnd.cyclonedx+json"));
  built.run("/usr/bin/python3 -W ignore " + test::source_folder() + "/tests/schemas/dsse.py " +
            documents.at("application/vnd.in-toto+json") + " k.pub > /dev/null");

  // In a store of its own, without the overlays that not every kernel mounts.
  const std::string podman =
      "podman --root $PWD/podman --runroot $PWD/run --tmpdir $PWD/tmp "
      "--storage-driver vfs --events-backend none ";
  const std::string id = built.run(podman + "pull -q oci:image:gateway-6.12").substr(0, 64);
  CHECK("sha256:" + id == json::parse(test::bytes_of(layout(image))).at("config").at("digest"));
  const json taken = json::parse(built.run(podman + "image inspect " + id))[0];
  CHECK(taken.at("RootFS").at("Layers") == config.at("rootfs").at("diff_ids"));
  CHECK(taken.at("Labels") == seen.at("Labels"));

  // Unpacked one over another, both are the same tree; devices stay out of the container.
  std::string blobs;
  for (const json& layer : seen.at("Layers")) {
    blobs += "image/blobs/sha256/" + layer.get<std::string>().substr(7) + " ";
  }
  built.run("mkdir cpio tar && for layer in " + built.segments() +
            "; do zstdcat $layer | (cd cpio && cpio -idum --quiet); done; for layer in " + blobs +
            "; do tar -C tar --keep-directory-symlink -xpzf $layer; done; rm cpio/dev/console");
  for (const char* listed :
       {" && find . -type f -printf '%p %M %U %G %T@\\n' | sort",
        " && find . -mindepth 1 ! -type f -printf '%p %M %U %G %l\\n' | sort"}) {
    CHECK(built.run(std::string("cd cpio") + listed) == built.run(std::string("cd tar") + listed));
  }
  built.run("diff -r --no-dereference cpio tar");
}

TEST_CASE("a UKI signed for Secure Boot verifies, and without its signature is the unsigned one") {
  const Built built;
  for (const char* name : {"db", "stranger"}) {
    built.run(
        "openssl req -new -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=throw-away-test "
        "-keyout " +
        std::string(name) + ".key -out " + name + ".crt 2> /dev/null");
  }
  (void)built.exported("uki", "plain.efi");
  const json report =
      built.exported("uki", "signed.efi", "--secure-boot-key db.key --secure-boot-cert db.crt");
  CHECK(report.at("secure_boot") == true);
  CHECK(built.run("sbverify --cert db.crt signed.efi 2>&1") == "Signature verification OK\n");
  built.run("! sbverify --cert stranger.crt signed.efi 2> /dev/null");
  built.run("sbattach --remove signed.efi && cmp signed.efi plain.efi");
  built.refused(
      built.command("uki", "bad.efi", "--secure-boot-key db.crt --secure-boot-cert db.crt"), 1,
      "sbsign refused");
}

TEST_CASE("a real lock, release and rebuild statement are valid by their schemas") {
  const Built built;
  built.run(test::build_folder() +
            "/bin/weir-builder rebuild gateway-6.12 --store store --key k.key "
            "--cache " +
            test::build_folder() + "/test-cache > /dev/null 2>&1");
  const auto read = [&](const std::string& name) {
    return test::bytes_of(built.folder.path + "/" + name);
  };
  const std::string statement = built.run("find store/statements -name '*.json' | tr -d '\n'");
  CHECK(test::judged_by_schema({{"image-manifest", read("image.yaml"), true},
                                {"lock", read("image.lock.json")},
                                {"release", read("store/releases/gateway-6.12/release.json")},
                                {"rebuild", read(statement)}}) ==
        std::vector<std::string>{"", "", "", ""});
}

TEST_CASE("the EFI stub is the one that the lock pins, installed or not") {
  const Built built;
  const std::string stub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
  const json lock = json::parse(test::bytes_of(built.folder.path + "/image.lock.json"));
  const json& pinned = lock.at("programs")[2];
  CHECK(pinned.at("name") == "linuxx64.efi.stub");
  CHECK(pinned.at("digest") == "sha256:" + built.run("sha256sum < " + stub).substr(0, 64));
  CHECK(built.exported("uki", "a.efi").at("stub_digest") == pinned.at("digest"));
  // From the store, as it is after a copy by skopeo; else the installed one, or one by name.
  const std::string blob = built.blob(pinned);
  built.run("cmp " + blob + " " + stub +
            " && skopeo inspect --raw oci:store:gateway-6.12 | grep -q " +
            pinned.at("digest").get<std::string>() + " && mv " + blob + " my.stub");
  (void)built.exported("uki", "b.efi");
  (void)built.exported("uki", "c.efi", "--stub my.stub");
  built.run("cmp a.efi b.efi && cmp a.efi c.efi && printf x >> my.stub");
  for (const std::string plan : {"", " --plan"}) {
    built.refused(built.command("uki", "x", "--stub my.stub" + plan), 1,
                  "--update linuxx64.efi.stub");
  }
  // A build has it from the cache, and refuses where neither that nor the installed one is it.
  const std::string hex = pinned.at("digest").get<std::string>().substr(7);
  built.run("mkdir cache && cp -r " + test::build_folder() +
            "/test-cache/blobs cache/ && sed -i 's/" + hex + "/" + std::string(64, '0') +
            "/' image.lock.json");
  built.refused(
      test::build_folder() +
          "/bin/weir-builder build image.yaml --key k.key --store store --cache cache --replace",
      1, "which the lock pins: bring that one, or lock again");
  // Locked where there was none: only a stub with its digest will do.
  auto without =
      nlohmann::ordered_json::parse(test::bytes_of(built.folder.path + "/image.lock.json"));
  without.at("programs").erase(2);
  std::ofstream(built.folder.path + "/image.lock.json") << without.dump(2) << "\n";
  built.run(test::build_folder() +
            "/bin/weir-builder build image.yaml --key k.key --store other --cache cache 2> errors");
  built.refused(test::build_folder() +
                    "/bin/weir-builder export gateway-6.12 --format uki --out d.efi --store other "
                    "--key k.pub",
                1, "its lock pins no EFI stub: install Debian's systemd-boot-efi, lock again");
  built.run(test::build_folder() +
            "/bin/weir-builder export gateway-6.12 --format uki --out d.efi --store other "
            "--key k.pub --stub-digest sha256:" +
            hex);  // of another lock, so another image
}

TEST_CASE("an export that cannot be done says why and leaves nothing") {
  const Built built;
  built.run("minisign -G -W -p other.pub -s other.key > /dev/null");
  built.refused(built.command("cdrom", "x"), 2, "is none of kernel, uki, disk");
  built.refused(built.command("uki", "x", "--secure-boot-key k"), 2, "belong together");
  built.refused(built.command("oci", "x", "--secure-boot-key k --secure-boot-cert c"), 2, "signs");
  built.refused(built.command("uki", "x", "--stub none.efi"), 1, "systemd-boot-efi");
  built.refused(built.command("uki", "x", "--stub /bin/true"), 1,
                "which the lock pins: bring that one, or lock again");
  built.refused(built.command("uki", "x", "--stub-digest sha256:" + std::string(64, '0')), 1,
                "which the lock pins");
  built.run("mkdir full && touch full/file");
  built.refused(built.command("oci", "full"), 1, "is there already");
  built.refused(test::build_folder() +
                    "/bin/weir-builder export gateway-6.12 --format kernel --out x --store store "
                    "--key other.pub",
                1, "gateway-6.12");
  built.refused(built.command("disk", "x", "--plan > /dev/null; false"), 1, "");
  // A plan refuses what the command would refuse.
  for (const std::string plan : {"", " --plan"}) {
    built.refused(built.command("uki", "x", "--stub none.efi" + plan), 1, "systemd-boot-efi");
    built.refused(built.command("uki", "/dev/full", plan), 1, "/dev/full: is not a file");
    built.refused(built.command("uki", "none/x", plan), 1, "there is no folder none");
    built.refused(built.command("oci", "full", plan), 1, "is there already");
    built.refused(built.command("oci", "none/x", plan), 1, "there is no folder none");
    built.refused(
        built.command("uki", "x", "--secure-boot-key no.key --secure-boot-cert no.crt" + plan), 1,
        "no.key");
  }

  const std::string damaged = built.blob(built.release().at("layers").at(3).at("blob"));
  built.run("printf x | dd of=" + damaged + " bs=1 seek=100 conv=notrunc status=none");
  for (const char* format : {"kernel", "uki", "disk", "oci"}) {
    built.refused(built.command(format, "x"), 1, "layer ");
  }
}

}  // namespace weir::builder
