#include "builder/mirror/edge/connections.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>

#include "apt_root.h"
#include "builder/mirror/edge/download_text.h"
#include "builder/mirror/edge/mirror.h"
#include "http_server.h"
#include "tests/patience.h"

namespace weir::builder {
namespace {

// printf apt:debian | base64
constexpr const char* kAptDebian = "Basic YXB0OmRlYmlhbg==";

// Fetches with what the machine's apt is configured for, once.
Result<std::string> fetch(const std::string& base, const std::string& path) {
  TRY_ASSIGN(Connections connections, Connections::read());
  Mirrors mirrors(std::move(connections));
  TRY(mirrors.add("x", base));
  TRY_ASSIGN(const auto bases, mirrors.bases_of("x"));
  DownloadPolicy policy = mirrors.policy();
  policy.attempts = 1;
  TRY_ASSIGN(auto out, download_text("x", {bases.at(0) + path}, ByteCount{1 << 20}, policy, {}));
  return std::move(out.text);
}

std::string port_of(const HttpServer& server) {
  return server.url().substr(server.url().rfind(':') + 1);
}

// The Authorization headers of all requests below a folder.
std::vector<std::string> logins_below(HttpServer& server, const std::string& folder) {
  std::vector<std::string> out;
  for (const auto& request : server.requests()) {
    if (request.path.starts_with(folder)) out.push_back(header_of(request, "Authorization"));
  }
  return out;
}

}  // namespace

TEST_CASE(
    "what went wrong is said in words, with the proxy and who set it; libcurl's stand behind") {
  const auto said = [](const std::string& settings, const std::string& url) {
    const AptRoot apt("", settings);
    const auto out = fetch(url, "/InRelease");
    REQUIRE_FALSE(out.has_value());
    return out.error().message;
  };
  // Nobody listens on port 1.
  const std::string direct = "Acquire::http::Proxy \"DIRECT\";\n";
  CHECK(said(direct, "http://127.0.0.1:1/d")
            .starts_with("x: http://127.0.0.1:1/d/InRelease: the server cannot be reached ["));
  CHECK(said("Acquire::http::Proxy \"http://me:secret@127.0.0.1:1\";\n", "http://10.255.0.1/d")
            .starts_with("x: http://10.255.0.1/d/InRelease: the proxy http://127.0.0.1:1 "
                         "(Acquire::http::Proxy of apt.conf) cannot be reached ["));
  CHECK(said("Acquire::http::Proxy \"http://me:secret@127.0.0.1:1\";\n", "http://10.255.0.1/d")
            .find("secret") == std::string::npos);
  HttpServer login([](const HttpRequest&, int) { return HttpAnswer{407, ""}; });
  CHECK(said("Acquire::http::Proxy::10.255.0.1 \"" + login.url() + "\";\n", "http://10.255.0.1/d")
            .find("the server answered 407: the proxy " + login.url() +
                  " (Acquire::http::Proxy::10.255.0.1 of apt.conf) wants another login") !=
        std::string::npos);
}

TEST_CASE("logins of auth.conf and auth.conf.d reach the servers that apt would give them to") {
  HttpServer server([](const HttpRequest&, int) { return HttpAnswer{404, "none"}; });
  const std::string site = "127.0.0.1:" + port_of(server);
  const AptRoot apt("deb [trusted=yes] " + server.url() +
                        "/private/debian stable main\n"
                        "deb [trusted=yes] " +
                        server.url() +
                        "/private-too stable main\n"
                        "deb [trusted=yes] " +
                        server.url() +
                        "/public stable main\n"
                        "deb [trusted=yes] http://url:own@" +
                        site + "/own stable main\n",
                    "Acquire::http::Proxy \"DIRECT\";\n");
  apt.write("etc/apt/auth.conf",
            "machine 127.0.0.1 login tls password only\n"
            "machine http://127.0.0.1:1 login no password no\n");
  apt.write("etc/apt/auth.conf.d/10-office.conf",
            "machine http://" + site + "/private\n login apt password debian\n");
  apt.write("etc/apt/auth.conf.d/20-later.conf",
            "machine http://" + site + "/private login later password too\n");
  apt.write("etc/apt/auth.conf.d/ignored.bak",
            "machine http://" + site + "/public login not password read\n");
  AptRoot::apt_get("update");
  for (const std::string base : {"/private/debian", "/private-too", "/public", "/own"}) {
    CAPTURE(base);
    const auto by_apt = logins_below(server, base);
    REQUIRE_FALSE(by_apt.empty());
    const std::string url = base == "/own" ? "http://url:own@" + site + base : server.url() + base;
    CHECK_FALSE(fetch(url, "/dists/stable/InRelease").has_value());
    const auto all = logins_below(server, base);
    CHECK(all.back() == by_apt.front());
  }
  CHECK(logins_below(server, "/private/debian").back() == kAptDebian);
  CHECK(logins_below(server, "/public").back().empty());
}

TEST_CASE("a login that is missing or not taken is told, and never what it is") {
  HttpServer server([](const HttpRequest&, int) { return HttpAnswer{401, "who?"}; });
  const AptRoot apt;
  const auto none = fetch(server.url(), "/f");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == Errc::unauthorized);
  CHECK(none.error().message ==
        "x: " + server.url() +
            "/f: the server answered 401: it wants a login, and apt's auth.conf has none for it");
  CHECK(server.requests().size() == 1);
  const auto wrong = fetch("http://ann:secret@127.0.0.1:" + port_of(server), "/f");
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().message ==
        "x: " + server.url() +
            "/f: the server answered 401: it does not take the login that is known for it");
}

TEST_CASE("a login stays with its server when that sends elsewhere") {
  HttpServer other([](const HttpRequest&, int) { return HttpAnswer{200, "there"}; });
  HttpServer server([&](const HttpRequest&, int) {
    return HttpAnswer{302, "", 0, 0, {}, "Location: " + other.url() + "/there\r\n"};
  });
  const AptRoot apt;
  CHECK(fetch("http://ann:secret@127.0.0.1:" + port_of(server), "/f") == std::string("there"));
  CHECK_FALSE(header_of(server.requests().at(0), "Authorization").empty());
  CHECK(header_of(other.requests().at(0), "Authorization").empty());
}

TEST_CASE("~/.netrc counts where apt has no login") {
  HttpServer server([](const HttpRequest&, int) { return HttpAnswer{200, "text"}; });
  const AptRoot apt;
  apt.write(".netrc", "machine 127.0.0.1 login apt password debian\n");
  CHECK(fetch(server.url(), "/f") == std::string("text"));
  CHECK(header_of(server.requests().at(0), "Authorization") == kAptDebian);
}

TEST_CASE("apt's proxy is asked, with its login, and not for hosts that go directly") {
  HttpServer proxy([](const HttpRequest&, int) { return HttpAnswer{200, "by proxy"}; });
  HttpServer server([](const HttpRequest&, int) { return HttpAnswer{200, "directly"}; });
  const std::string with_login = "http://apt:debian@127.0.0.1:" + port_of(proxy);
  {
    const AptRoot apt("", "Acquire::http::Proxy \"" + with_login +
                              "/\";\nAcquire::http::Proxy::127.0.0.1 \"DIRECT\";\n");
    CHECK(fetch("http://mirror.invalid/debian", "/f") == std::string("by proxy"));
    CHECK(proxy.requests().at(0).path == "http://mirror.invalid/debian/f");
    CHECK(header_of(proxy.requests().at(0), "Proxy-Authorization") == kAptDebian);
    CHECK(header_of(proxy.requests().at(0), "Authorization").empty());
    CHECK(fetch(server.url(), "/f") == std::string("directly"));
  }
  {
    const AptRoot apt("", "Acquire::http::Proxy \"" + proxy.url() + "\";\n");
    apt.write("etc/apt/auth.conf",
              "machine http://127.0.0.1:" + port_of(proxy) + " login apt password debian\n");
    CHECK(fetch("http://mirror.invalid/debian", "/f") == std::string("by proxy"));
    CHECK(header_of(proxy.requests().at(1), "Proxy-Authorization") == kAptDebian);
  }
  {
    const AptRoot apt("", "Acquire::http::Proxy-Auto-Detect \"/detect\";\n");
    CHECK(fetch("http://mirror.invalid/", "/f").error().message.find("Proxy-Auto-Detect") !=
          std::string::npos);
  }
  {
    const AptRoot apt;
    apt.write("detect",
              "#!/bin/sh\necho \"$1\" >>" + apt.path() + "/asked\necho " + proxy.url() + "\n");
    test::must("chmod +x " + apt.path() + "/detect; echo 'Acquire::http::Proxy-Auto-Detect \"" +
               apt.path() + "/detect\";' >>" + apt.path() + "/apt.conf");
    CHECK(fetch("http://mirror.invalid", "/f") == std::string("by proxy"));
    CHECK(test::bytes_of(apt.path() + "/asked") == "http://mirror.invalid/f\n");
  }
  {
    const AptRoot apt("", "Acquire::http::Proxy \"gopher://ann:secret@h\";\n");
    const auto odd = fetch("http://mirror.invalid", "/f");
    REQUIRE_FALSE(odd.has_value());
    CHECK(
        odd.error().message.ends_with("proxy gopher://h (Acquire::http::Proxy of apt.conf): "
                                      "'gopher' is no proxy's protocol (http, "
                                      "https, socks5h)"));
  }
}

TEST_CASE(
    "a server with a certificate of one's own authority is trusted by Acquire::https::CAInfo") {
  const test::TemporaryFolder folder;
  test::must("cd " + folder.path +
             " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key "
             "-out ca.pem -days 2 -subj /CN=mirror -addext subjectAltName=IP:127.0.0.1 2>/dev/null "
             "&& echo signed >InRelease");
  // An HTTPS server that serves its folder.
  const std::string output = folder.path + "/output";
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string command = "cd " + folder.path +
                                " && exec openssl s_server -accept 127.0.0.1:0 -WWW -cert ca.pem "
                                "-key key >" +
                                output + " 2>&1";
    ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  REQUIRE(child > 0);
  std::string port;
  const bool up = test::eventually([&] {
    std::ifstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("ACCEPT ")) port = line.substr(line.rfind(':') + 1);
    }
    return !port.empty();
  });
  CHECK(up);
  const std::string url = "https://127.0.0.1:" + port;
  {
    const AptRoot apt;
    const auto refused = fetch(url, "/InRelease");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::unauthorized);
    CHECK(refused.error().message.ends_with("Acquire::https::CAInfo in apt.conf)"));
  }
  for (const std::string name : {"CAInfo", "CAInfo::127.0.0.1", "127.0.0.1::CAInfo"}) {
    CAPTURE(name);
    const AptRoot apt("", "Acquire::https::" + name + " \"" + folder.path + "/ca.pem\";\n");
    const auto text = fetch(url, "/InRelease");
    CHECK(text == std::string("signed\n"));
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace weir::builder
