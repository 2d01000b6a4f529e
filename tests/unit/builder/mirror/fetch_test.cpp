#include "builder/mirror/edge/fetch.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>

#include "builder/layers/edge/package_flow.h"
#include "http_server.h"
#include "tests/patience.h"
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

struct FetchFixture {
  test::TemporaryFolder folder;
  Cache cache = *Cache::open_or_create(folder.path + "/cache");
  std::vector<LockedPackage> packages = {package("b", "content of b"),
                                         package("a", "content of a")};
  const std::map<std::string, std::string> contents = {{"a", "content of a"},
                                                       {"b", "content of b"}};
  std::map<std::string, std::string> used;  ///< by the last flow, by name
  std::function<Status(std::size_t)> on_use;

  Result<std::chrono::nanoseconds> flow(const HttpServer* server) {
    used.clear();
    std::mutex guard;
    std::vector<WantedPackage> wanted;
    for (const auto& package : packages) wanted.push_back({package, !is_cached(cache, package)});
    return each_package(wanted, cache,
                        {[&]() -> Result<Mirrors> {
                           if (server == nullptr)
                             return fail(Errc::bug, "nothing is to be fetched");
                           Mirrors out;
                           TRY(out.add("stable", server->url() + "/debian"));
                           return out;
                         },
                         {},
                         [&](std::size_t i, const std::string& deb) -> Status {
                           if (on_use) TRY(on_use(i));
                           const std::lock_guard lock(guard);
                           used.emplace(packages[i].name, deb);
                           return {};
                         }});
  }
};

}  // namespace

TEST_CASE_FIXTURE(FetchFixture, "packages come from the mirror once, then from the cache") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of b"}}));
  REQUIRE(flow(&server).has_value());
  CHECK(used == contents);
  CHECK(server.requests().size() == 2);
  REQUIRE(flow(nullptr).has_value());
  CHECK(used == contents);
  CHECK(server.requests().size() == 2);
}

TEST_CASE_FIXTURE(FetchFixture, "work on what is there goes on while the rest is fetched") {
  std::promise<void> worked;
  bool seen = false;
  HttpServer server([&,
                     files = HttpServer::files({{"/debian/pool/a.deb", "content of a"},
                                                {"/debian/pool/b.deb", "content of b"}}),
                     asked = 0](const HttpRequest& request, int before) mutable {
    // The second answer waits until the first package is worked on.
    if (++asked == 2) {
      seen = worked.get_future().wait_for(test::kPatience) == std::future_status::ready;
    }
    return files(request, before);
  });
  std::once_flag once;
  on_use = [&](std::size_t) -> Status {
    std::call_once(once, [&] { worked.set_value(); });
    return {};
  };
  const auto fetching = flow(&server);
  REQUIRE_MESSAGE(fetching.has_value(), fetching.error().message);
  CHECK(seen);
  CHECK(used == contents);
}

TEST_CASE_FIXTURE(FetchFixture, "the first failure of the work ends it") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of b"}}));
  on_use = [](std::size_t) -> Status { return fail(Errc::bug, "cannot be used"); };
  const auto out = flow(&server);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().message == "cannot be used");
}

// Half a minute of the mirror's time, where nobody ends it.
HttpAnswer slowly(const std::string& content) {
  return {200, content, 0, content.size() / 60, std::chrono::milliseconds(500)};
}

TEST_CASE_FIXTURE(FetchFixture,
                  "what is still being fetched ends with the first failure of the work") {
  const std::string large(600'000, 'a');
  packages[1] = package("a", large);
  HttpServer server([&](const HttpRequest& request, int) {
    return request.path == "/debian/pool/a.deb" ? slowly(large) : HttpAnswer{200, "content of b"};
  });
  // What is there is worked on while the rest is fetched.
  REQUIRE(cache.put(packages[0].digest, "content of b").has_value());
  on_use = [&](std::size_t) -> Status {
    CHECK(test::eventually([&] { return !server.requests().empty(); }));
    return fail(Errc::bug, "cannot be used");
  };
  const auto out = flow(&server);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().message == "cannot be used");
  CHECK_FALSE(is_cached(cache, packages[1]));
}

TEST_CASE_FIXTURE(FetchFixture, "the first package that cannot be had ends the others' transfers") {
  const std::string large(600'000, 'a');
  packages[1] = package("a", large);
  HttpServer server([&](const HttpRequest& request, int) {
    return request.path == "/debian/pool/a.deb" ? slowly(large) : HttpAnswer{404, "no"};
  });
  const auto out = flow(&server);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().message.starts_with("b 1.0-1: the mirror does not have it"));
  CHECK_FALSE(is_cached(cache, packages[1]));
}

TEST_CASE_FIXTURE(FetchFixture, "a damaged cache is noticed and mended") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of b"}}));
  REQUIRE(flow(&server).has_value());
  for (const char* damage : {"content of B", "short", ""}) {
    std::ofstream(cache.blob_path(packages[0].digest)) << damage;
    const auto again = flow(&server);
    REQUIRE_MESSAGE(again.has_value(), again.error().message);
    CHECK(used == contents);
  }
  std::ofstream(cache.blob_path(packages[0].digest)) << "content of B";
  const auto read = read_package(cache, packages[0]);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == Errc::integrity);
  CHECK_FALSE(is_cached(cache, packages[0]));
}

TEST_CASE_FIXTURE(FetchFixture, "a package that left the mirror is named, with what to do") {
  std::swap(packages[0], packages[1]);
  HttpServer server([&](const HttpRequest& request, int) {
    if (request.path == "/debian/pool/a.deb") return HttpAnswer{200, "content of a"};
    CHECK(test::eventually([&] { return is_cached(cache, packages[0]); }));
    return HttpAnswer{404, "no such file"};
  });
  const auto out = flow(&server);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().code == Errc::not_found);
  CHECK(out.error().message ==
        "b 1.0-1: the mirror does not have it, and the cache has no copy: mirrors drop superseded "
        "versions, so lock again, or name a snapshot service with --snapshot");
  // What came before is kept for the next time.
  CHECK(read_package(cache, packages[0]) == std::string("content of a"));
}

TEST_CASE_FIXTURE(FetchFixture, "a mirror that serves other bytes is an integrity error") {
  HttpServer server(HttpServer::files(
      {{"/debian/pool/a.deb", "content of a"}, {"/debian/pool/b.deb", "content of B"}}));
  const auto out = flow(&server);
  REQUIRE_FALSE(out.has_value());
  CHECK(out.error().code == Errc::integrity);
  CHECK(out.error().message == "b 1.0-1: " + server.url() +
                                   "/debian/pool/b.deb: the mirror serves other bytes than its "
                                   "signed index says");
}

TEST_CASE_FIXTURE(FetchFixture,
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
