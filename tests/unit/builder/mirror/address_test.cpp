#include "builder/mirror/address.h"

#include <doctest/doctest.h>

#include "apt_root.h"
#include "http_server.h"

namespace weir::builder {

TEST_CASE("an address is read, and printed without its login") {
  const auto address = parse_address("HTTPS://ann%40x:p%2Fw@Mirror.Example:8443/a b/%7e");
  REQUIRE(address.has_value());
  CHECK(*address == Address{"https", "mirror.example", 8443, "/a%20b/%7e", Login{"ann@x", "p/w"}});
  CHECK(print(*address) == "https://mirror.example:8443/a%20b/%7e");
  CHECK(print(*parse_address("http://[::1]:80/x")) == "http://[::1]:80/x");
  CHECK(parse_address("http://[::1]")->port == 0);
  // A password with what should have been encoded in it.
  CHECK(parse_address("http://ann:p@w:d@h/x")->login == Login{"ann", "p@w:d"});
  for (const char* local : {"file:/srv/debian", "file:///srv/debian"}) {
    CHECK(print(*parse_address(local)) == "file:/srv/debian");
  }
}

TEST_CASE("what is no address is refused without telling its login") {
  for (const std::string text :
       {"mirror.example/debian", "http:/x", "http://", "http://ann:secret@", "file:relative",
        "http://ann:secret@h:99999/", "http://ann:secret@h:x/", "http://ann:secret@ho st/",
        "ann:secret@host//x", "http://ann:sec/ret@host:/"}) {
    CAPTURE(text);
    const auto address = parse_address(text);
    if (address) {
      CHECK(print(*address).find("ret") == std::string::npos);
      continue;
    }
    CHECK(address.error().code == Errc::invalid_input);
  }
  CHECK(without_login("bad=http://ann:secret@host/x") == "bad=http://host/x");
  CHECK(without_login("http://ann:sec/r@et@host/x") == "http://host/x");
  for (const char* between : {" ", "\t", "\n", "'", "\""}) {
    CHECK(without_login("http://ann:s3" + std::string(between) + "cr3t@host:99999/x") ==
          "http://host:99999/x");
  }
  CHECK(without_login("no address") == "no address");
  CHECK(parse_address("http://ann:secret@ho^st/x").error().message ==
        "'http://ho^st/x' is not a URL");
}

TEST_CASE("file names are encoded as apt encodes them") {
  // A flat archive of such names: apt says what it would ask for.
  const std::vector<std::string> names = {
      "foo_1%3a2_amd64.deb", "foo+x~1_amd64.deb",   "pool/m/a:b_1.deb",
      "pool/x y_1.deb",      "pool/\xc3\xa9_1.deb", "pool/a@b,c=d&e!f$g'h(i)j*k;l_1.deb"};
  std::string packages;
  std::string wanted;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = "p" + std::to_string(i);
    packages += "Package: " + name +
                "\nVersion: 1\nArchitecture: all\nMaintainer: x\nFilename: " + names[i] +
                "\nSize: 3\nSHA256: " + std::string(64, '0') + "\nDescription: x\n\n";
    wanted += " " + name;
  }
  HttpServer server(HttpServer::files({{"/./Packages", packages}}));
  const AptRoot apt("deb [trusted=yes] " + server.url() + " ./\n",
                    "Acquire::http::Proxy \"DIRECT\";\n");
  AptRoot::apt_get("update");
  const std::string uris = AptRoot::apt_get("--print-uris download" + wanted);
  for (const auto& name : names) {
    CAPTURE(uris);
    CHECK(uris.find("'" + server.url() + "/" + encode_path(name) + "' ") != std::string::npos);
  }
  // These apt sends as they are, and so never gets such a file.
  CHECK(encode_path("a?b#c") == "a%3fb%23c");
  CHECK(decode_path(encode_path("a?b#c%3a \xc3\xa9")) == "a?b#c%3a \xc3\xa9");
}

}  // namespace weir::builder
