#include "builder/mirror/edge/download_text.h"

#include <doctest/doctest.h>

#include "http_server.h"

namespace weir::builder {
namespace {

const DownloadPolicy kQuickly{.attempts = 4,
                              .first_wait = std::chrono::milliseconds(1),
                              .patience = std::chrono::seconds(2),
                              .slowest = ByteCount{1}};

Result<std::string> text_of(const std::vector<std::string>& urls, std::uint64_t limit,
                            const DownloadPolicy& policy = kQuickly) {
  TRY_ASSIGN(auto out, download_text("suite x", urls, ByteCount{limit}, policy, {}));
  return std::move(out.text);
}

}  // namespace

TEST_CASE("a small text comes within its limit") {
  HttpServer server([](const HttpRequest& request, int before) {
    if (request.path == "/busy" && before < 2) return HttpAnswer{500, "", 0};
    if (request.path == "/gone") return HttpAnswer{404, "", 0};
    return HttpAnswer{200, "hello", 0};
  });
  CHECK(text_of({server.url() + "/f"}, 5) == std::string("hello"));
  CHECK(text_of({server.url() + "/busy"}, 5) == std::string("hello"));
  CHECK(text_of({server.url() + "/f"}, 4).error().code == Errc::exhausted);
  const auto gone = text_of({server.url() + "/gone"}, 5);
  REQUIRE_FALSE(gone.has_value());
  CHECK(gone.error().code == Errc::not_found);
  CHECK(gone.error().message == "suite x: " + server.url() + "/gone: the mirror does not have it");
}

TEST_CASE("a text that trickles is cut off") {
  HttpServer server([](const HttpRequest&, int) {
    return HttpAnswer{200, std::string(100000, 'x'), 0, 10, std::chrono::milliseconds(20)};
  });
  DownloadPolicy policy = kQuickly;
  policy.attempts = 1;
  policy.patience = std::chrono::seconds(1);
  policy.slowest = ByteCount{1000};
  const auto text = text_of({server.url() + "/f"}, 1 << 20, policy);
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().code == Errc::timeout);
}

TEST_CASE("what is not sound is asked for once more past caches, and then from the next mirror") {
  const auto sound = [](const DownloadedText& file) -> Status {
    if (file.text == "new") return {};
    return fail(Errc::integrity, "is " + file.text);
  };
  const auto fetch = [&](const std::vector<std::string>& urls) {
    return download_text("suite x", urls, ByteCount{100}, kQuickly, {}, sound);
  };
  HttpServer stale([](const HttpRequest&, int) { return HttpAnswer{200, "old"}; });
  HttpServer cached([](const HttpRequest&, int before) {
    return HttpAnswer{200, before == 0 ? "truncat" : "new"};
  });
  const auto mended = fetch({cached.url() + "/f"});
  REQUIRE_MESSAGE(mended.has_value(), mended.error().message);
  CHECK(mended->text == "new");
  CHECK(header_of(cached.requests().at(1), "Cache-Control") == "no-cache");
  const auto other = fetch({stale.url() + "/f", cached.url() + "/f"});
  REQUIRE(other.has_value());
  CHECK(other->place == 1);
  const auto none = fetch({stale.url() + "/f"});
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == Errc::integrity);
  CHECK(none.error().message == "suite x: " + stale.url() + "/f: is old");
  CHECK(stale.requests().size() == 3);
}

TEST_CASE("a login page in place of an index is called that") {
  HttpServer portal([](const HttpRequest&, int) {
    return HttpAnswer{200, "<html><body>Please sign in</body></html>"};
  });
  const auto text = text_of({portal.url() + "/InRelease"}, 1000);
  REQUIRE_FALSE(text.has_value());
  CHECK(text.error().message.ends_with(
      "/InRelease: the server answered with a web page, in place of the file: perhaps a login "
      "page stands between"));
}

}  // namespace weir::builder
