#include "builder/edge/fetch.h"

#include <doctest/doctest.h>

#include <fstream>

#include "http_server.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

using manifests::LockedPackage;

LockedPackage package(const std::string& name, const std::string& content) {
  return {.name = name,
          .version = "1.0-1",
          .architecture = "amd64",
          .path = "pool/" + name + ".deb",
          .size = ByteCount{content.size()},
          .digest = Digest::of(as_bytes(content)),
          .suite = "stable",
          .why = "asked for"};
}

struct Fixture {
  test::TemporaryFolder folder;
  Cache cache = *Cache::open_or_create(folder.path + "/cache");
  std::vector<LockedPackage> packages = {package("b", "content of b"),
                                         package("a", "content of a")};
  Mirrors mirrors(const HttpServer& server) {
    Mirrors out;
    out.set("stable", server.url() + "/debian");
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "packages come from the mirror once, then from the cache") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of b"}}));
  const auto first = fetch_packages(packages, mirrors(server), cache, {});
  REQUIRE_MESSAGE(first.has_value(), first.error().message);
  REQUIRE(first->size() == 2);
  CHECK((*first)[0].package().name == "b");
  CHECK((*first)[0].deb().read() == std::string("content of b"));
  CHECK(server.requests().size() == 2);
  const auto second = fetch_packages(packages, Mirrors{}, cache, {});
  REQUIRE_MESSAGE(second.has_value(), second.error().message);
  CHECK((*second)[1].deb().read() == std::string("content of a"));
}

TEST_CASE_FIXTURE(Fixture, "a damaged cache is noticed and mended") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of b"}}));
  REQUIRE(fetch_packages(packages, mirrors(server), cache, {}).has_value());
  for (const char* damage : {"content of B", "short", ""}) {
    std::ofstream(cache.blob_path(packages[0].digest)) << damage;
    const auto again = fetch_packages(packages, mirrors(server), cache, {});
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK((*again)[0].deb().read() == std::string("content of b"));
  }
  std::ofstream(cache.blob_path(packages[0].digest)) << "content of B";
  const auto opened = FetchedPackage::open(cache, packages[0]);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == Errc::integrity);
}

TEST_CASE_FIXTURE(Fixture, "a package that left the mirror is named, with what to do") {
  HttpServer server(HttpServer::files({{"/debian/pool/a.deb", "content of a"}}));
  const auto out = fetch_packages(packages, mirrors(server), cache, {});
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().code == Errc::not_found);
  CHECK(out.error().message ==
        "b 1.0-1: the mirror does not have it, and the cache has no copy: mirrors drop superseded "
        "versions, so lock again");
  // The others are kept for the next time.
  CHECK(FetchedPackage::open(cache, packages[1]).has_value());
}

TEST_CASE_FIXTURE(Fixture, "a mirror that serves other bytes is an integrity error") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of B"}}));
  const auto out = fetch_packages(packages, mirrors(server), cache, {});
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().code == Errc::integrity);
  CHECK(out.error().message.starts_with("b 1.0-1: the mirror serves other bytes"));
}

TEST_CASE_FIXTURE(Fixture,
                  "a program comes from the cache, or from a folder if it is the locked one") {
  const std::string content = "the program";
  const manifests::LockedProgram program{"weir-init", Digest::of(as_bytes(content)),
                                         ByteCount{content.size()}};
  CHECK(fetch_program(program, folder.path, cache).error().code == Errc::not_found);
  std::ofstream(folder.path + "/weir-init") << "another";
  CHECK(fetch_program(program, folder.path, cache).error().code == Errc::integrity);
  std::ofstream(folder.path + "/weir-init") << content;
  CHECK(fetch_program(program, folder.path, cache)->read() == content);
  std::filesystem::remove(folder.path + "/weir-init");
  CHECK(fetch_program(program, folder.path, cache)->read() == content);
}

}  // namespace weir::builder
