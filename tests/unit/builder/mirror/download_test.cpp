#include "builder/mirror/edge/download.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fstream>

#include "builder/mirror/address.h"
#include "http_server.h"
#include "tests/patience.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

const DownloadPolicy kQuick{.parallel = 3,
                            .attempts = 4,
                            .first_wait = std::chrono::milliseconds(1),
                            .patience = std::chrono::seconds(2),
                            .slowest = ByteCount{1}};

std::string noise(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  for (char& c : out) {
    seed = seed * 1103515245 + 12345;
    c = static_cast<char>(seed >> 16);
  }
  return out;
}

struct DownloadFixture {
  test::TemporaryFolder folder;
  Cache cache = *Cache::open_or_create(folder.path + "/cache");

  static Download wanted(const HttpServer& server, const std::string& path,
                         const std::string& content) {
    return {"file " + path,
            {server.url() + path},
            Digest::of(as_bytes(content)),
            ByteCount{content.size()}};
  }
  Status one(const Download& wanted) { return download({wanted}, cache, kQuick, {}); }
  std::string cached(const std::string& content) {
    const auto blob =
        FetchedBlob::open(cache, Digest::of(as_bytes(content)), ByteCount{content.size()});
    return blob ? blob->read().value_or("") : "(none: " + blob.error().message + ")";
  }
  std::string partial(const std::string& content) {
    return cache.partial_path(Digest::of(as_bytes(content)));
  }
};

}  // namespace

TEST_CASE_FIXTURE(DownloadFixture, "many files come at once, and progress ends at all of them") {
  std::map<std::string, std::string> files;
  std::vector<Download> downloads;
  downloads.reserve(20);
  for (unsigned i = 0; i < 20; ++i) {
    files["/" + std::to_string(i)] = noise(1000 * i + 1, i);
  }
  HttpServer server(HttpServer::files(files));
  for (const auto& [path, content] : files) downloads.push_back(wanted(server, path, content));
  DownloadProgress last;
  const DownloadObserver observer{[&](const DownloadProgress& p) { last = p; }};
  CHECK(download(downloads, cache, kQuick, observer).has_value());
  for (const auto& [path, content] : files) CHECK(cached(content) == content);
  CHECK(last.files_done == 20);
  CHECK(last.bytes_done == last.bytes_total);
}

TEST_CASE_FIXTURE(DownloadFixture, "what an earlier run left behind is continued") {
  const std::string content = noise(100000, 1);
  HttpServer server(HttpServer::files({{"/f", content}}));
  std::ofstream(partial(content)) << content.substr(0, 60000);
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(cached(content) == content);
  REQUIRE(server.requests().size() == 1);
  CHECK(server.requests()[0].from == 60000);
  CHECK_FALSE(std::filesystem::exists(partial(content)));
}

TEST_CASE_FIXTURE(DownloadFixture, "a partial file of other bytes costs one more attempt") {
  const std::string content = noise(100000, 1);
  for (const std::string& wrong :
       {std::string(60000, 'x'), std::string(100000, 'x'), std::string(100001, 'x')}) {
    HttpServer server(HttpServer::files({{"/f", content}}));
    std::ofstream(partial(content)) << wrong;
    REQUIRE(one(wanted(server, "/f", content)).has_value());
    CHECK(cached(content) == content);
    std::filesystem::remove(cache.blob_path(Digest::of(as_bytes(content))));
  }
}

TEST_CASE_FIXTURE(DownloadFixture, "a server without ranges sends all of it again") {
  const std::string content = noise(100000, 1);
  HttpServer server([&](const HttpRequest&, int) { return HttpAnswer{200, content, 0}; });
  std::ofstream(partial(content)) << content.substr(0, 60000);
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(cached(content) == content);
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "a cut connection and a busy server are tried again, with what came") {
  const std::string content = noise(100000, 1);
  HttpServer server([&](const HttpRequest& request, int before) {
    if (before == 0) return HttpAnswer{503, "busy", 0};
    if (before == 1) return HttpAnswer{200, content.substr(0, 30000), content.size()};
    return HttpAnswer{206, content.substr(request.from), 0};
  });
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(cached(content) == content);
  REQUIRE(server.requests().size() == 3);
  CHECK(server.requests()[2].from == 30000);
}

TEST_CASE_FIXTURE(DownloadFixture, "attempts are bounded, and the last one's reason is told") {
  HttpServer server([](const HttpRequest&, int) { return HttpAnswer{503, "busy", 0}; });
  const auto status = one(wanted(server, "/f", "abc"));
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == Errc::io);
  CHECK(status.error().message == "file /f: " + server.url() + "/f: the server answered 503");
  CHECK(server.requests().size() == 4);
}

TEST_CASE_FIXTURE(DownloadFixture, "a mirror that trickles is cut off, and what came is kept") {
  using std::chrono::milliseconds;
  const std::string content = noise(100000, 1);
  // At most 500 bytes a second.
  HttpServer server([&](const HttpRequest& request, int) {
    return HttpAnswer{request.from == 0 ? 200 : 206, content.substr(request.from), 0, 10,
                      milliseconds(20)};
  });
  const DownloadPolicy policy{.attempts = 2,
                              .first_wait = milliseconds(1),
                              .patience = std::chrono::seconds(1),
                              .slowest = ByteCount{1000}};
  const auto status = download({wanted(server, "/f", content)}, cache, policy, {});
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == Errc::timeout);
  CHECK(status.error().message == "file /f: " + server.url() + "/f: sent less than 1000 B in 1 s");
  REQUIRE(server.requests().size() == 2);
  CHECK(server.requests()[1].from > 0);
}

TEST_CASE_FIXTURE(DownloadFixture, "a slow line that keeps the pace takes its time") {
  const std::string content = noise(30, 1);
  HttpServer server([&](const HttpRequest& request, int) {
    return HttpAnswer{request.from == 0 ? 200 : 206, content.substr(request.from), 0, 1,
                      std::chrono::milliseconds(100)};
  });
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(cached(content) == content);
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "other bytes than promised are an integrity error and leave nothing") {
  const std::string content = noise(5000, 1);
  for (const std::string& other : {noise(5000, 2), content + "x", noise(9000, 2)}) {
    HttpServer server(HttpServer::files({{"/f", other}}));
    const auto status = one(wanted(server, "/f", content));
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == Errc::integrity);
    CHECK(server.requests().size() == 2);
    CHECK(cached(content).starts_with("(none"));
    CHECK_FALSE(std::filesystem::exists(partial(content)));
  }
}

TEST_CASE_FIXTURE(DownloadFixture, "what is missing at one address is looked for at the next") {
  HttpServer server(HttpServer::files({{"/second", "abc"}}));
  Download two = wanted(server, "/first", "abc");
  two.urls.push_back(server.url() + "/second");
  CHECK(one(two).has_value());
  CHECK(cached("abc") == "abc");
  const auto gone = one(wanted(server, "/third", "other"));
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::not_found);
  CHECK_FALSE(std::filesystem::exists(partial("other")));
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "two builders that fetch the same file do not disturb each other") {
  const std::string content = noise(50000, 1);
  HttpServer server(HttpServer::files({{"/f", content}}));
  const Fd other(::open(partial(content).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(cached(content) == content);
  CHECK(std::filesystem::exists(partial(content)));
  CHECK(std::filesystem::file_size(partial(content)) == 0);
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "what a killed builder began beside another goes; what can go on stays") {
  const std::string content = noise(50000, 1), left = partial(content) + ".unfinished.aBc123";
  const Fd other(::open(partial(content).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(::flock(other.get(), LOCK_EX | LOCK_NB) == 0);
  std::size_t seen = 0;
  HttpServer server([&](const HttpRequest&, int) {
    for (const auto& each : std::filesystem::directory_iterator(folder.path + "/cache/partial")) {
      if (each.path().string().starts_with(partial(content) + ".unfinished.")) ++seen;
    }
    // Its own, which is on its way, is nobody's to remove.
    CHECK(Cache::open_or_create(folder.path + "/cache").has_value());
    return HttpAnswer{200, content, 0};
  });
  REQUIRE(one(wanted(server, "/f", content)).has_value());
  CHECK(seen == 1);
  CHECK(cached(content) == content);
  struct stat info {};
  REQUIRE(::stat(cache.blob_path(Digest::of(as_bytes(content))).c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0644);

  std::ofstream(left) << "cut";
  std::ofstream(partial("cut off")) << "cut";
  const std::string mine = partial(content) + ".unfinished.aBc124";
  const Fd held(::open(mine.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::flock(held.get(), LOCK_EX | LOCK_NB) == 0);
  REQUIRE(Cache::open_or_create(folder.path + "/cache").has_value());
  CHECK_FALSE(std::filesystem::exists(left));
  CHECK(std::filesystem::exists(mine));
  CHECK(std::filesystem::exists(partial("cut off")));
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "files of this machine are spoken, with file and copy, and continued") {
  const std::string content = noise(70000, 1);
  REQUIRE(write_file(folder.path + "/a b%3a1.deb", content).has_value());
  for (const std::string scheme : {"file:", "copy:", "file://"}) {
    CAPTURE(scheme);
    Download local{"local",
                   {scheme + folder.path + "/" + encode_path("a b%3a1.deb")},
                   Digest::of(as_bytes(content)),
                   ByteCount{content.size()}};
    std::ofstream(partial(content)) << content.substr(0, 60000);
    const auto status = one(local);
    REQUIRE_MESSAGE(status.has_value(), status.error().message);
    CHECK(cached(content) == content);
    std::filesystem::remove(cache.blob_path(local.digest));
    local.urls = {scheme + folder.path + "/none.deb"};
    CHECK(one(local).error().code == Errc::not_found);
  }
  // What would be waited for is refused.
  test::must("mkfifo " + folder.path + "/pipe");
  const auto pipe =
      one({"pipe", {"file:" + folder.path + "/pipe"}, Digest::of(as_bytes("x")), ByteCount{1}});
  REQUIRE_FALSE(pipe.has_value());
  CHECK(pipe.error().message.ends_with("/pipe: is not a file"));
}

TEST_CASE_FIXTURE(DownloadFixture, "redirects are followed, but never to this machine's files") {
  std::ofstream(folder.path + "/file") << "abc";
  HttpServer server([&](const HttpRequest& request, int) {
    const auto to = [](const std::string& where) {
      return HttpAnswer{302, "moved", 0, 0, {}, "Location: " + where + "\r\n"};
    };
    if (request.path == "/local") return to("file://" + folder.path + "/file");
    if (request.path == "/first") return to("/second");
    if (request.path == "/loop") return to("/loop");
    return HttpAnswer{200, "abc"};
  });
  CHECK(one(wanted(server, "/first", "abc")).has_value());
  CHECK(cached("abc") == "abc");
  for (const std::string path : {"/local", "/loop"}) {
    const auto status = one(wanted(server, path, "xyz"));
    REQUIRE_FALSE(status.has_value());
    CAPTURE(status.error().message);
    CHECK(status.error().message.find("redirects") != std::string::npos);
  }
  CHECK_FALSE(
      one({"other", {"ftp://127.0.0.1/f"}, Digest::of(as_bytes("x")), ByteCount{1}}).has_value());
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "mirrors are asked in turn, and each retry is one line that says why") {
  const std::string content = noise(1000, 1);
  HttpServer busy([](const HttpRequest&, int) { return HttpAnswer{503, "busy"}; });
  HttpServer spoiled(HttpServer::files({{"/f", noise(1000, 2)}}));
  HttpServer good([&](const HttpRequest&, int before) {
    return before == 0 ? HttpAnswer{500, ""} : HttpAnswer{200, content};
  });
  Download wanted = DownloadFixture::wanted(busy, "/f", content);
  wanted.urls.push_back(spoiled.url() + "/f");
  wanted.urls.push_back(good.url() + "/f");
  std::vector<std::string> lines;
  const DownloadObserver observer{{}, [&](const std::string& line) { lines.push_back(line); }};
  const auto status = download({wanted}, cache, kQuick, observer);
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
  CHECK(cached(content) == content);
  CHECK(lines == std::vector<std::string>{
                     "file /f: " + busy.url() + "/f: the server answered 503; trying " +
                         spoiled.url() + "/f (1 of 4)",
                     "file /f: " + spoiled.url() +
                         "/f: the mirror serves other bytes than its signed index says; trying " +
                         good.url() + "/f (1 of 4)",
                     "file /f: " + good.url() + "/f: the server answered 500; trying " +
                         busy.url() + "/f (2 of 4)",
                     "file /f: " + busy.url() + "/f: the server answered 503; trying " +
                         spoiled.url() + "/f (2 of 4)",
                     "file /f: " + spoiled.url() +
                         "/f: the mirror serves other bytes than its signed index says; trying " +
                         good.url() + "/f (2 of 4)"});
  // A cache on the way is told not to answer again from memory.
  REQUIRE(spoiled.requests().size() == 2);
  CHECK(header_of(spoiled.requests()[0], "Cache-Control").empty());
  CHECK(header_of(spoiled.requests()[1], "Cache-Control") == "no-cache");
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "a login page in place of a file is called that, and nothing of it stays") {
  const std::string content = noise(5000, 1);
  for (const std::size_t padding : {0U, 6000U}) {
    HttpServer portal([&](const HttpRequest&, int) {
      return HttpAnswer{200, "\n<!DOCTYPE html>\n<html><head><title>\n Guest network\n</title>" +
                                 std::string(padding, ' ') + "</head></html>"};
    });
    const auto status = one(wanted(portal, "/f", content));
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == Errc::integrity);
    CHECK(status.error().message ==
          "file /f: " + portal.url() +
              "/f: the server answered with a web page, 'Guest network', in place of the file: "
              "perhaps a login page stands between");
    CHECK(portal.requests().size() == 2);
    CHECK_FALSE(std::filesystem::exists(partial(content)));
  }
}

TEST_CASE_FIXTURE(DownloadFixture,
                  "a server that never answers is called silent, and what is bounded ends") {
  HttpServer silent([](const HttpRequest&, int) {
    return HttpAnswer{200, std::string(10, 'x'), 0, 1, test::kPatience};
  });
  DownloadPolicy policy = kQuick;
  policy.patience = std::chrono::seconds(1);
  policy.attempts = 1;
  const auto status = download({wanted(silent, "/f", "0123456789")}, cache, policy, {});
  REQUIRE_FALSE(status.has_value());
  CHECK(status.error().code == Errc::timeout);
  CHECK(status.error().message == "file /f: " + silent.url() + "/f: sent nothing in 1 s");

  policy.patience = std::chrono::duration_cast<std::chrono::seconds>(test::kPatience);
  policy.until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  const auto both = download({wanted(silent, "/f", "0123456789"), wanted(silent, "/g", "abc")},
                             cache, policy, {});
  REQUIRE_FALSE(both.has_value());
  CHECK(both.error().code == Errc::timeout);
  CHECK(both.error().message.ends_with(": was not fetched in the time that --fetch-within allows"));
}

}  // namespace weir::builder
