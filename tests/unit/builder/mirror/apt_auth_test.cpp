#include "builder/mirror/apt_auth.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

std::optional<Login> login(const std::string& text, const std::string& url) {
  return find_login(text, *parse_address(url));
}

const Login kApt{"apt", "debian"};

}  // namespace

// The examples of apt_auth.conf(5).
TEST_CASE("entries apply to an address as apt's manual says") {
  const std::string url = "https://example.org/debian";
  for (const std::string machine :
       {"example.org", "example.org/deb", "example.org/debian", "https://example.org/debian"}) {
    CAPTURE(machine);
    CHECK(login("machine " + machine + " login apt password debian\n", url) == kApt);
  }
  CHECK(login("machine example.org/debian/ login apt password debian", url + "/x") == kApt);
  for (const std::string machine : {"example.org:443", "example.org/deb/", "example.org/ubuntu",
                                    "example.orga", "example.net", "http://example.org"}) {
    CAPTURE(machine);
    CHECK_FALSE(login("machine " + machine + " login apt password debian", url).has_value());
  }
  CHECK(login("machine example.org\nlogin apt\npassword debian\n", url) == kApt);
}

TEST_CASE("a port is for that port, and none for all; http has to be said") {
  CHECK(login("machine h:8443 login apt password debian", "https://h:8443/x") == kApt);
  CHECK(login("machine h login apt password debian", "https://h:8443/x") == kApt);
  CHECK_FALSE(login("machine h:8443 login apt password debian", "https://h:8444/x"));
  CHECK_FALSE(login("machine h login apt password debian", "http://h/x"));
  CHECK(login("machine http://h login apt password debian", "http://h/x") == kApt);
}

TEST_CASE("the first entry that matches counts, and what is not known is passed over") {
  const std::string text =
      "# of the office\nmachine other login x password y\nmachine h/a\taccount 5 login apt\r\n"
      "password debian machine h login second password two";
  CHECK(login(text, "https://h/a/b") == kApt);
  CHECK(login(text, "https://h/b") == Login{"second", "two"});
  CHECK_FALSE(login(text, "https://i/b"));
  CHECK_FALSE(login("", "https://h"));
  CHECK_FALSE(login("machine", "https://h"));
  CHECK(login("machine h login", "https://h") == Login{});
}

}  // namespace weir::builder
