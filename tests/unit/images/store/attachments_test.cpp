// Documents attached to others: one contract for every store, and the files of the folder's.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "images/store/folder/edge/folder_store.h"
#include "images/store/read_evidence.h"
#include "manifests/base/edge/file.h"
#include "tests/unit/images/scratch.h"
#include "tests/unit/images/store/memory_store.h"

namespace weir::images {
namespace {

const Digest kSubject = Digest::of(as_bytes("a release"));
const Digest kOther = Digest::of(as_bytes("another release"));

std::vector<std::string> bytes_of(const Result<Attached>& attached) {
  REQUIRE_MESSAGE(attached.has_value(), attached.error().message);
  std::vector<std::string> out;
  for (const Attachment& each : attached->found) out.push_back(each.bytes);
  return out;
}

/// Does this in a folder and in memory.
void in_each_store(const std::function<void(Store&)>& what) {
  const test::TemporaryFolder folder;
  auto on_disk = *FolderStore::open_or_create(folder.path + "/store");
  what(on_disk);
  test::MemoryStore in_memory;
  what(in_memory);
}

}  // namespace

TEST_CASE("what is attached to a subject comes back, of its kind and subject alone") {
  using Texts = std::vector<std::string>;
  in_each_store([](Store& store) {
    for (const AttachmentKind kind : {AttachmentKind::signature, AttachmentKind::rebuilt,
                                      AttachmentKind::booted, AttachmentKind::provenance}) {
      CHECK(bytes_of(store.attached(kSubject, kind)).empty());
      const std::string text = "of kind " + std::to_string(static_cast<int>(kind));
      REQUIRE(store.attach(kSubject, kind, {text, "sig", "00AA"}).has_value());
      CHECK(bytes_of(store.attached(kSubject, kind)) == Texts{text});
      CHECK(bytes_of(store.attached(kOther, kind)).empty());
    }
  });
}

TEST_CASE("a key signs once, statements add up, and one provenance takes the place of the other") {
  using Texts = std::vector<std::string>;
  in_each_store([](Store& store) {
    REQUIRE(store.attach(kSubject, AttachmentKind::signature, {"one", {}, "01"}).has_value());
    CHECK(store.attach(kSubject, AttachmentKind::signature, {"again", {}, "01"}).error().code ==
          Errc::busy);
    REQUIRE(store.attach(kSubject, AttachmentKind::signature, {"two", {}, "02"}).has_value());
    CHECK(bytes_of(store.attached(kSubject, AttachmentKind::signature)) == Texts{"one", "two"});

    for (const char* by : {"01", "02", "01"}) {
      REQUIRE(store.attach(kSubject, AttachmentKind::booted, {"{}", "by", by}).has_value());
    }
    const auto stated = store.attached(kSubject, AttachmentKind::booted);
    REQUIRE(stated->found.size() == 2);
    CHECK(stated->found[0].by == "01");
    CHECK(stated->found[0].signature == "by");

    for (const char* text : {"older", "newer", "newer"}) {
      REQUIRE(store.attach(kSubject, AttachmentKind::provenance, {text}).has_value());
    }
    CHECK(bytes_of(store.attached(kSubject, AttachmentKind::provenance)) == Texts{"newer"});
  });
}

TEST_CASE("a document waits for its first signature and goes") {
  in_each_store([](Store& store) {
    const auto name = *ReleaseName::parse("demo");
    CHECK(unsigned_or_stored(store, name).error().code == Errc::not_found);
    REQUIRE(store.write_unsigned(name, "{}").has_value());
    CHECK(*unsigned_or_stored(store, name) == "{}");
    store.tidy_unsigned(name);
    CHECK(*store.read_unsigned(name) == "{}");
    store.remove_unsigned(name);
    CHECK(store.read_unsigned(name).error().code == Errc::not_found);
  });
}

TEST_CASE("documents that wait for their first signature are listed by name until they go") {
  using Names = std::vector<ReleaseName>;
  in_each_store([](Store& store) {
    const auto early = *ReleaseName::parse("alpha"), late = *ReleaseName::parse("beta");
    CHECK(store.list_unsigned().value() == Names{});
    for (const auto& name : {late, early, late}) {
      REQUIRE(store.write_unsigned(name, "{}").has_value());
    }
    CHECK(store.list_unsigned().value() == Names{early, late});
    // None of them is a release.
    CHECK(store.list().value() == Names{});
    store.remove_unsigned(early);
    CHECK(store.list_unsigned().value() == Names{late});
  });
}

TEST_CASE("a release has 64 signatures, and no more") {
  const test::TemporaryFolder folder;
  auto store = *FolderStore::open_or_create(folder.path + "/store");
  const StoredRelease release{*ReleaseName::parse("demo"), "{}", "the one beside it"};
  const Digest digest = Digest::of(as_bytes(release.json));
  for (int i = 1; i < 64; ++i) {
    const std::string number = std::to_string(i);
    REQUIRE(store.attach(digest, AttachmentKind::signature, {"by " + number, {}, number}));
  }
  const auto all = all_signatures(store, release);
  REQUIRE_MESSAGE(all.has_value(), all.error().message);
  CHECK(all->found.size() == 64);
  CHECK(all->found.front().bytes == "the one beside it");
  REQUIRE(store.attach(digest, AttachmentKind::signature, {"one too many", {}, "64"}));
  CHECK(all_signatures(store, release).error().code == Errc::exhausted);
}

TEST_CASE("a folder's documents lie where docs/store.md says, and what older ones wrote is read") {
  const test::TemporaryFolder folder;
  auto store = *FolderStore::open_or_create(folder.path);
  const std::string hex = kSubject.hex();
  const std::string statement = Digest::of(as_bytes("{}")).hex().substr(0, 16);
  REQUIRE(store.attach(kSubject, AttachmentKind::signature, {"s", {}, "0A"}).has_value());
  REQUIRE(store.attach(kSubject, AttachmentKind::rebuilt, {"{}", "t", "0B"}).has_value());
  REQUIRE(store.attach(kSubject, AttachmentKind::provenance, {"p"}).has_value());
  const auto text = [&](const std::string& path) {
    return *read_file(folder.path + "/" + path, ByteCount{100});
  };
  CHECK(text("signatures/" + hex + "/0A.minisig") == "s");
  CHECK(text("statements/" + hex + "/rebuilt-" + statement + "-0B.json") == "{}");
  CHECK(text("statements/" + hex + "/rebuilt-" + statement + "-0B.json.minisig") == "t");
  CHECK(text("attestations/" + hex + "/provenance.intoto.jsonl") == "p");

  REQUIRE(write_file(folder.path + "/statements/" + hex + "/booted-1-0C.json.minisig", "u"));
  CHECK(bytes_of(store.attached(kSubject, AttachmentKind::booted)).empty());
  REQUIRE(write_file(folder.path + "/statements/" + hex + "/booted-1-0C.json", "b"));
  const auto booted = store.attached(kSubject, AttachmentKind::booted);
  REQUIRE(booted->found.size() == 1);
  CHECK(booted->found[0].by == "0C");
  CHECK(booted->found[0].signature == "u");
}

TEST_CASE("what cannot be read is left out and told, and hides nothing that can") {
  const test::TemporaryFolder folder;
  auto store = *FolderStore::open_or_create(folder.path);
  REQUIRE(store.attach(kSubject, AttachmentKind::signature, {"good", {}, "77"}).has_value());
  const std::string place = folder.path + "/signatures/" + kSubject.hex();
  std::filesystem::create_directory(place + "/11.minisig");
  std::filesystem::create_symlink("nowhere", place + "/22.minisig");
  REQUIRE(write_file(place + "/33.minisig", std::string((64 << 10) + 1, 'x')).has_value());
  const auto attached = store.attached(kSubject, AttachmentKind::signature);
  CHECK(bytes_of(attached) == std::vector<std::string>{"good"});
  REQUIRE(attached->unreadable.size() == 3);
  CHECK(attached->unreadable[2].find("33.minisig: larger than") != std::string::npos);
}

}  // namespace weir::images
