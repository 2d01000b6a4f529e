// Exports, killed or on a full disk at each of their calls: what is asked for is there whole or not
// at all; a second run makes what an undisturbed one makes.
#include <string>

#include "tests/faults/stored_fixture.h"

namespace weir::builder {
namespace {

const std::string kStub = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";

struct Exported : Stored {
  // A disk has some dozen extents, a container image a blob a layer.
  test::Disturbed sampled{path(), 3};

  Exported() {
    // With what tells of an EFI stub.
    std::string kernel = read("k/boot/vmlinuz-9.9");
    write("k/boot/vmlinuz-9.9", kernel.replace(0, 2, "MZ"));
    std::erase_if(packages, [](const auto& p) { return p.name == "linux-image-demo"; });
    packages.push_back(package("linux-image-demo", "9.9-2", "k"));
    lock();
    (void)built();
    keep();
  }
  [[nodiscard]] static std::string command(const std::string& format, const std::string& more) {
    return kBuilder + "export demo --store store --key k.pub --format " + format + " --out out " +
           more;
  }
  [[nodiscard]] std::string with_stub() const {
    return "--stub " + kStub + " --stub-digest " +
           test::must("sha256sum < " + kStub).substr(0, 64) + " ";
  }
  /// A file and those beside it: each is there whole or not at all. `whole` says so of the file
  /// itself.
  void check_files(const std::string& export_command,
                   const std::string& whole = "cmp out reference/out") const {
    prepare()();
    again(export_command);
    run("rm -rf reference && mkdir reference && mv out* reference");
    const std::string others = "for f in reference/out.*; do f=$(basename $f); ";
    sampled.everywhere(prepare(), export_command, [&](bool done) {
      run(others + "[ ! -e $f ] || cmp $f reference/$f || exit 1; done");
      if (done || fs::exists(path() + "/out")) run(whole);
      again(export_command);
      run(whole + " && " + others + "cmp $f reference/$f || exit 1; done");
    });
  }
};

}  // namespace

TEST_CASE_FIXTURE(Exported, "a folder that is exported is there whole or not at all") {
  // What each writes: a folder, a folder with folders in it.
  for (const std::string format : {"kernel", "pxe", "oci"}) {
    CAPTURE(format);
    const std::string line = command(format, "");
    prepare()();
    again(line);
    run("rm -rf reference && mv out reference");
    sampled.everywhere(prepare(), line, [&](bool done) {
      CHECK((!done || fs::exists(path() + "/out")));
      if (fs::exists(path() + "/out")) run("diff -r reference out && rm -r out");
      again(line);
      run("diff -r reference out");
    });
  }
}

TEST_CASE_FIXTURE(Exported, "a UKI and a disk that are exported are there whole or not at all") {
  for (const std::string format : {"uki", "disk", "qcow2"}) {
    CAPTURE(format);
    check_files(command(format, with_stub()));
  }
}

TEST_CASE_FIXTURE(Exported, "a UKI signed for Secure Boot is there whole or not at all") {
  run("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 99 -keyout db.key "
      "-out db.crt 2> /dev/null");
  check_files(command("uki", with_stub() + "--secure-boot-key db.key --secure-boot-cert db.crt"),
              "sbverify --cert db.crt out > /dev/null");
}

TEST_CASE_FIXTURE(Exported, "an export that is interrupted leaves nothing unfinished") {
  for (const std::string format : {"oci", "disk", "qcow2"}) {
    CAPTURE(format);
    disturbed.interrupted_everywhere(prepare(),
                                     command(format, format == "oci" ? "" : with_stub()));
  }
}

TEST_CASE_FIXTURE(Exported, "what a killed export left goes with the next one into its folder") {
  prepare()();
  const std::string line = command("qcow2", with_stub());
  const auto ended = test::supervise(path(), line, [](const test::Call& call) {
    const bool converts = !call.own && call.path.ends_with("/disk.qcow2");
    return converts ? test::Verdict::kill : test::Verdict::goes_on;
  });
  REQUIRE((WIFSIGNALED(ended.status) && WTERMSIG(ended.status) == SIGKILL));
  REQUIRE(disturbed.unfinished() != "");
  // Another's, as far as a name tells, and nobody's.
  run("touch out.unfinished.abc notes");
  again(kBuilder + "export demo --store store --key k.pub --format kernel --out out.kernel");
  CHECK(disturbed.unfinished() == "./out.unfinished.abc\n");
  run("test -e notes");
}

}  // namespace weir::builder
