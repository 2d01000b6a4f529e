// What must be refused: each with an error of its own, a non-zero exit status, steering and blue's
// peers as they were, and green stopped. The cases share one fleet.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "images/store/folder/edge/folder_store.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/minisign.h"
#include "manifests/base/edge/file.h"
#include "manifests/documents/release.h"
#include "tests/folders.h"
#include "tests/lab/process.h"
#include "tests/text.h"
#include "tests/vm/fleet_fixture.h"

namespace weir::test {
namespace {

std::unique_ptr<BlueFleet> shared_fleet;

BlueFleet& fleet() {
  if (!shared_fleet) {
    shared_fleet = std::make_unique<BlueFleet>(lab::FleetOptions{});
    // One live client, so that there is a session and a home to disturb.
    REQUIRE(shared_fleet->lab().connect("plain").has_value());
    const auto works = shared_fleet->lab().wait_for_tunnel("plain");
    if (!works) FAIL(works.error().message);
    // Then it falls silent, after one keepalive some 10 s later: an initiation of 148 bytes, a ping
    // of 84 padded to 96 and 32 of header and tag, a keepalive of 32. From here on the counters
    // stand.
    REQUIRE(eventually([] {
      return shared_fleet->dump_peers("blue").find("\"rx_bytes\":308") != std::string::npos;
    }));
  }
  return *shared_fleet;
}

struct EndOfProgram {
  ~EndOfProgram() { shared_fleet.reset(); }
} end_of_program;

/// Learned entries come and go with packets; what the deployer set may not.
struct Before {
  std::string steering = fleet().dump_steering();
  std::string peers = fleet().dump_peers("blue");
};

/// Gives the order and holds the result against the rules above. Returns standard error.
std::string refused(const lab::Argv& command, const Before& before) {
  const lab::Output output = fleet().order_quietly(command);
  CAPTURE(output.err);
  CHECK(output.status == 1);
  const auto refusal = output.err.rfind("weir-deployer " + command[0] + ": ");
  REQUIRE(refusal != std::string::npos);
  CHECK(fleet().dump_steering() == before.steering);
  CHECK(fleet().dump_peers("blue") == before.peers);
  CHECK(fleet().machine("green-1") == "gone");
  CHECK(fleet().status()["active_pool"] == "blue");
  std::fputs(output.err.substr(refusal).c_str(), stderr);
  return output.err;
}

/// Puts a changed copy of the green release into a store, signed by `key`.
void write_variant(const std::string& store_path, const std::string& name,
                   const std::string& key_file,
                   const std::function<void(manifests::Release&)>& change) {
  auto store = images::FolderStore::open(store_path);
  REQUIRE(store.has_value());
  const auto stored = store->read_release(*ReleaseName::parse(kGreenRelease));
  REQUIRE(stored.has_value());
  auto release = manifests::parse_release(stored->json);
  REQUIRE(release.has_value());
  release->name = *ReleaseName::parse(name);
  change(*release);
  const std::string json = manifests::print(*release);
  const auto key = keys::read_secret_key(key_file);
  if (!key) FAIL(key.error().message);
  const auto signature = keys::sign(*key, as_bytes(json), "a test's release");
  REQUIRE(signature.has_value());
  REQUIRE(store->write_release(release->name, json, *signature).has_value());
}

void flip_bit(const std::string& path, std::uintmax_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(at));
  file.put(static_cast<char>(byte ^ 0x10));
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a store with one flipped bit") {
  const Before before;
  const std::string store = fleet().copy_store();
  const auto opened = images::FolderStore::open(store);
  const auto stored = opened->read_release(*ReleaseName::parse(kGreenRelease));
  const auto release = manifests::parse_release(stored->json);
  REQUIRE(release.has_value());
  const auto& layer = release->layers[release->layers.size() / 2].blob;
  flip_bit(store + "/blobs/sha256/" + layer.digest.hex(), layer.size.value / 2);
  fleet().use_store(store);
  const std::string error = refused({"deploy", "--release", kGreenRelease}, before);
  CHECK(has(error, layer.digest.hex()));
  fleet().use_store(fleet().baked("store"));
}

TEST_CASE("a signature by another key") {
  const Before before;
  const std::string store = fleet().copy_store();
  const std::string other = fleet().lab().path("other");
  REQUIRE(lab::must_run({test::build_folder() + "/bin/weir-keys", "generate", "--no-passphrase",
                         "--out", other})
              .has_value());
  write_variant(store, "foreign", other + ".key", [](manifests::Release&) {});
  fleet().use_store(store);
  const std::string error = refused({"deploy", "--release", "foreign"}, before);
  CHECK(has(error, "sign"));
  CHECK(has(error, "foreign"));
  fleet().use_store(fleet().baked("store"));
}

TEST_CASE("a node that reports another lock digest") {
  const Before before;
  const std::string store = fleet().copy_store();
  write_variant(store, "mislabelled", fleet().baked("release.key"),
                [](manifests::Release& release) {
                  release.lock_digest = Digest::of(as_bytes("another lock"));
                });
  fleet().use_store(store);
  const std::string error = refused({"deploy", "--release", "mislabelled"}, before);
  CHECK(has(error, "green-1"));
  CHECK(has(error, "lock digest"));
  fleet().use_store(fleet().baked("store"));
}

TEST_CASE("a green clock five seconds behind blue") {
  const Before before;
  fleet().use({.green_clock_offset = "-5s"});
  const std::string error = refused({"deploy", "--release", kGreenRelease}, before);
  CHECK(has(error, "green-1"));
  CHECK(has(error, "clock"));
  fleet().use({});
}

TEST_CASE("an unreachable node") {
  const Before before;
  const std::string store = fleet().copy_store();
  write_variant(store, "deaf", fleet().baked("release.key"), [](manifests::Release& release) {
    release.command_line += " rdinit=/nonexistent panic=0";
  });
  fleet().use_store(store);
  fleet().use({.policy = "boot_timeout: 20s"});
  const std::string error = refused({"deploy", "--release", "deaf"}, before);
  CHECK(has(error, "green-1"));
  fleet().use({});
  fleet().use_store(fleet().baked("store"));
}

TEST_CASE("a release that is not there, and a manifest with an unknown key or an impossible pin") {
  const Before before;
  const std::string error = refused({"deploy", "--release", "gateway-9.9"}, before);
  CHECK(has(error, "gateway-9.9"));

  const std::string builder = test::build_folder() + "/bin/weir-builder";
  const auto lock_of = [&](const std::string& from, const std::string& to) {
    auto text =
        read_file(test::source_folder() + "/examples/gateway-6.12.yaml", ByteCount{1 << 20});
    REQUIRE(text.has_value());
    const auto at = text->find(from);
    REQUIRE(at != std::string::npos);
    text->replace(at, from.size(), to);
    const std::string path = fleet().lab().path("manifest.yaml");
    REQUIRE(write_file(path, *text).has_value());
    const auto output =
        lab::run({builder, "lock", path, "--out", fleet().lab().path("manifest.lock.json")});
    REQUIRE(output.has_value());
    CHECK(output->status == 1);
    CHECK_FALSE(std::filesystem::exists(fleet().lab().path("manifest.lock.json")));
    std::fputs(output->err.c_str(), stderr);
    return output->err;
  };
  const std::string unknown = lock_of("architecture: amd64", "architecture: amd64\ncolour: green");
  CHECK(has(unknown, "colour"));
  const std::string missing =
      lock_of("linux-image-6.12.*-cloud-amd64", "linux-image-9.9.*-cloud-amd64");
  CHECK(has(missing, "linux-image-9.9.*-cloud-amd64"));
  CHECK(fleet().dump_steering() == before.steering);
  CHECK(fleet().dump_peers("blue") == before.peers);
}

}  // namespace weir::test
