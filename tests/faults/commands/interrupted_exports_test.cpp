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
    // A PE program of x86-64 (0x8664) besides, with its header at 0x80.
    kernel.replace(0, 2, "MZ").replace(0x3c, 1, "\x80");
    write("k/boot/vmlinuz-9.9", kernel.replace(0x80, 6, std::string("PE\0\0\x64\x86", 6)));
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

TEST_CASE_FIXTURE(Exported,
                  "an export over an older one leaves all of the one or all of the other") {
  tool("older", "1.0");
  lock();
  (void)built();
  const std::string line = command("disk", with_stub());
  again(line);
  // The newer release has none.
  run("echo theirs > out.provenance.dsse.json && mkdir -p older newer && mv out* older");
  tool("newer", "1.1");
  lock();
  (void)built();
  again(line);
  run("mv out* newer && ! cmp -s older/out newer/out");
  run("! cmp -s older/out.sbom.spdx.json newer/out.sbom.spdx.json");

  const auto over_the_older = [this] { run("rm -f out* && cp older/* ."); };
  const auto all_of = [this](const std::string& which) {
    int status = 0;
    test::output_of("cd " + path() + " && [ \"$(ls -d out*)\" = \"$(ls " + which +
                        ")\" ] && for f in " + which +
                        "/*; do cmp -s $f $(basename $f) || exit 1; done",
                    &status);
    return status == 0;
  };
  over_the_older();
  const auto calls = sampled.calls_of(line);
  CHECK(all_of("newer"));
  int renames = 0;
  for (const test::Disturbance& at : sampled.points(calls)) {
    const std::string where = print(at);
    CAPTURE(where);
    over_the_older();
    const auto outcome = sampled.disturb(line, at);
    REQUIRE(outcome.hit);
    const bool rename = at.kind.starts_with("rename");
    if (rename) ++renames;
    // Killed between two renames: what is beside its place is the next export's to remove.
    if (at.fault == test::Fault::disk_full) {
      CHECK(all_of(outcome.done ? "newer" : "older"));
    } else if (!rename) {
      run("rm -f out*.unfinished.*");
      CHECK((all_of("older") || all_of("newer")));
    }
    if (at.fault == test::Fault::disk_full || !rename) continue;
    again(line);
    CHECK(all_of("newer"));
  }
  // Image, two bills, and the provenance that goes: each refused once, and killed before once.
  CHECK(renames == 8);
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
