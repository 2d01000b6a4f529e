#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "images/store/folder/edge/folder_store.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/images/scratch.h"

namespace weir::images {
namespace {

namespace fs = std::filesystem;
using test::output_of;
using test::TemporaryFolder;

manifests::Blob put(Store& store, std::string_view text) {
  const Digest digest = Digest::of(as_bytes(text));
  REQUIRE(store.write_blob(digest, as_bytes(text)).has_value());
  return {digest, ByteCount{text.size()}};
}

manifests::Release release_in(Store& store, std::string_view name) {
  const std::string id(40, 'a');
  const auto layer = put(store, std::string(4000, 'l'));
  return {*ReleaseName::parse(name),
          "amd64",
          1,
          Digest::of(as_bytes("lock")),
          {"linux-image", "6.1", "6.1-amd64", id, put(store, "kernel")},
          {},
          {},
          {},
          {},
          {{"base", layer, Digest::of(as_bytes("cpio")), ByteCount{9000}}},
          "quiet",
          {},
          "0"};
}

Status write(Store& store, const manifests::Release& release,
             std::string_view signature = "signed") {
  return store.write_release(release.name, manifests::print(release), signature);
}

std::string contents(const manifests::Blob& blob, const Store& store, Status& status) {
  std::string out;
  status = store.read_blob(blob, [&](Bytes bytes) -> Status {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  return out;
}

}  // namespace

TEST_CASE("what was written to a store comes out again, byte for byte") {
  const TemporaryFolder folder;
  auto store = FolderStore::open_or_create(folder.path + "/store");
  REQUIRE(store.has_value());
  const auto release = release_in(*store, "gateway-6.1");
  REQUIRE(write(*store, release).has_value());

  const auto again = FolderStore::open(folder.path + "/store");
  REQUIRE(again.has_value());
  const auto names = again->list();
  REQUIRE(names.has_value());
  REQUIRE(names->size() == 1);
  const auto stored = again->read_release(release.name);
  REQUIRE(stored.has_value());
  CHECK(stored->json == manifests::print(release));
  CHECK(stored->signature == "signed");
  Status status;
  CHECK(contents(release.layers[0].blob, *again, status) == std::string(4000, 'l'));
  CHECK(status.has_value());
  CHECK(again->has_blob(release.kernel.image.digest));
  CHECK_FALSE(again->has_blob(Digest::of(as_bytes("other"))));
}

TEST_CASE("writing again replaces a release, and a blob is written once") {
  const TemporaryFolder folder;
  auto store = FolderStore::open_or_create(folder.path);
  REQUIRE(store.has_value());
  auto release = release_in(*store, "gateway");
  REQUIRE(write(*store, release).has_value());
  release.command_line = "loud";
  REQUIRE(write(*store, release, "signed again").has_value());
  const auto stored = store->read_release(release.name);
  REQUIRE(stored.has_value());
  CHECK(stored->json == manifests::print(release));
  CHECK(stored->signature == "signed again");
  CHECK(store->write_blob(Digest::of(as_bytes("kernel")), as_bytes("kernel")) == false);
  CHECK(store->write_blob(Digest::of(as_bytes("new")), as_bytes("new")) == true);
  // Nothing temporary stays behind.
  for (const auto& entry : fs::recursive_directory_iterator(folder.path)) {
    CHECK(entry.path().filename().string()[0] != '.');
  }
}

TEST_CASE("skopeo reads the store and copies releases from it") {
  const TemporaryFolder folder;
  const std::string path = folder.path + "/store";
  auto store = FolderStore::open_or_create(path);
  REQUIRE(store.has_value());
  const auto old = release_in(*store, "gateway-6.1");
  const auto next = release_in(*store, "gateway-6.12");
  REQUIRE(write(*store, next).has_value());
  REQUIRE(write(*store, old).has_value());
  for (const auto& release : {old, next}) {
    int status = -1;
    const std::string raw =
        output_of("skopeo inspect --raw oci:" + path + ":" + release.name.string(), &status);
    CAPTURE(raw);
    REQUIRE(status == 0);
    const auto manifest = nlohmann::json::parse(raw);
    const std::string document = manifests::print(release);
    CHECK(manifest.at("config").at("digest") == Digest::of(as_bytes(document)).string());
    CHECK(manifest.at("layers").size() == 3);
    CHECK(manifest.at("layers")[1].at("digest") == release.layers[0].blob.digest.string());
    const std::string copied =
        output_of("skopeo --insecure-policy copy -q oci:" + path + ":" + release.name.string() +
                      " oci:" + folder.path + "/copy:" + release.name.string(),
                  &status);
    CAPTURE(copied);
    CHECK(status == 0);
    CHECK(fs::exists(folder.path + "/copy/blobs/sha256/" + release.kernel.image.digest.hex()));
  }
}

TEST_CASE("a flipped bit, a cut and an excess are found, and the blob is named") {
  const TemporaryFolder folder;
  auto store = FolderStore::open_or_create(folder.path);
  REQUIRE(store.has_value());
  const std::string text(3000000, 'x');
  const auto blob = put(*store, text);
  const std::string path = folder.path + "/blobs/sha256/" + blob.digest.hex();
  std::string flipped = text;
  flipped[2500000] = static_cast<char>(flipped[2500000] ^ 4);
  for (const std::string& damaged : {flipped, text.substr(1), text + "x", std::string()}) {
    std::ofstream(path, std::ios::binary) << damaged;
    Status status;
    (void)contents(blob, *store, status);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == Errc::integrity);
    CHECK(status.error().message.find(blob.digest.string()) != std::string::npos);
  }
  // Building again repairs it.
  CHECK(store->write_blob(blob.digest, as_bytes(text)) == true);
  Status status;
  CHECK(contents(blob, *store, status) == text);
  CHECK(status.has_value());
}

TEST_CASE("a blob that changes while it is read is damaged; one that is replaced is what it was") {
  const TemporaryFolder folder;
  auto store = *FolderStore::open_or_create(folder.path + "/s");
  std::string genuine(3 << 20, 'g');
  for (std::size_t i = 0; i < genuine.size(); ++i) genuine[i] = static_cast<char>(i * i >> 7);
  const manifests::Blob blob = put(store, genuine);
  const std::string path = folder.path + "/s/blobs/sha256/" + blob.digest.hex();
  std::string got;
  const auto read_and = [&](auto change) {
    got.clear();
    return store.read_blob(blob, [&](Bytes bytes) -> Status {
      if (got.empty()) change();
      got.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return {};
    });
  };
  const auto replaced = read_and([&] {
    std::ofstream(path + ".other") << std::string(genuine.size(), 'x');
    fs::rename(path + ".other", path);
  });
  CHECK(replaced.has_value());
  CHECK(got == genuine);
  // And from then on it is another.
  CHECK(read_and([] {}).error().code == Errc::integrity);
  CHECK(store.read_document(blob.digest, ByteCount{16 << 20}).error().code == Errc::integrity);

  std::ofstream(path) << genuine;
  const auto changed = read_and([&] {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2 << 20).put('!');
  });
  REQUIRE_FALSE(changed.has_value());
  CHECK(changed.error().code == Errc::integrity);
  CHECK(got != genuine);
}

TEST_CASE("a release whose blobs are missing does not appear") {
  const TemporaryFolder folder;
  auto store = FolderStore::open_or_create(folder.path);
  REQUIRE(store.has_value());
  auto release = release_in(*store, "gateway");
  const auto whole = release;
  release.layers[0].blob.digest = Digest::of(as_bytes("missing"));
  auto status = write(*store, release);
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == Errc::not_found);
  CHECK(status.error().message.find("layer base") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path + "/index.json"));
  const auto missing = store->read_release(whole.name);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);

  REQUIRE(write(*store, whole).has_value());
  const auto other = store->read_release(*ReleaseName::parse("other"));
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().message.find("gateway") != std::string::npos);
}

TEST_CASE("what is not a store is refused") {
  const TemporaryFolder folder;
  CHECK(FolderStore::open(folder.path).error().code == Errc::not_found);
  REQUIRE(write_file(folder.path + "/letter", "dear").has_value());
  CHECK(FolderStore::open_or_create(folder.path).error().code == Errc::invalid_input);
  REQUIRE(write_file(folder.path + "/oci-layout", "{}").has_value());
  CHECK(FolderStore::open(folder.path).error().code == Errc::invalid_input);
  auto store = FolderStore::open_or_create(folder.path + "/deep/store");
  REQUIRE(store.has_value());
  CHECK(store->write_blob(Digest::of(as_bytes("a")), as_bytes("b")).error().code == Errc::bug);
  REQUIRE(write_file(folder.path + "/deep/store/index.json", "[]").has_value());
  const auto release = release_in(*store, "gateway");
  CHECK(write(*store, release).error().code == Errc::invalid_input);
}

}  // namespace weir::images
