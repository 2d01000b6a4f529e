#include "builder/mirror/apt_settings.h"

#include <doctest/doctest.h>

#include "apt_root.h"

namespace weir::builder {
namespace {

AptSettings settings_of(const std::string& conf) {
  const AptRoot apt("", conf);
  return AptSettings::parse(test::must("apt-config dump --format '%F=%V%n'"));
}

Address at(const char* url) {
  return *parse_address(url);
}

using Proxy = std::optional<ChosenProxy>;

}  // namespace

TEST_CASE("settings are apt's: https takes what http says, and a host's own count first") {
  const auto settings = settings_of(
      "Acquire::http { Timeout \"7\"; Proxy \"http://p:1\"; };\n"
      "acquire::HTTPS::cainfo \"/etc/ca one=\\x.pem\";\n"
      "Acquire::https::ca.example::CAInfo \"/new.pem\";\n"
      "Acquire::https::CAInfo::old.example \"/old.pem\";\n");
  CHECK(settings.of(at("https://a/x"), "Timeout") == "7");
  CHECK(settings.of(at("https://a/x"), "CAInfo") == "/etc/ca one=\\x.pem");
  CHECK(settings.of(at("http://a/x"), "CAInfo").empty());
  CHECK(settings.of(at("https://ca.example/x"), "CAInfo") == "/new.pem");
  CHECK(settings.of(at("https://old.example/x"), "CAInfo") == "/old.pem");
}

TEST_CASE("a proxy is apt's: a host's own, what was detected, for all, the environment") {
  const auto settings = settings_of(
      "Acquire::http::Proxy \"http://all:1\";\n"
      "Acquire::http::Proxy::direct.example \"DIRECT\";\n"
      "Acquire::http::Proxy::own.example \"http://own:2\";\n");
  const ProxyVariables variables{"http://env:3", "http://tls:4"};
  CHECK(choose_proxy(settings, at("http://a/"), "", variables) ==
        Proxy({"http://all:1", "Acquire::http::Proxy of apt.conf"}));
  CHECK(choose_proxy(settings, at("https://a/"), "", variables) ==
        Proxy({"http://all:1", "Acquire::http::Proxy of apt.conf"}));
  CHECK(choose_proxy(settings, at("http://direct.example/"), "", variables) ==
        Proxy(ChosenProxy{}));
  CHECK(choose_proxy(settings, at("http://own.example/"), "http://seen:5", variables) ==
        Proxy({"http://own:2", "Acquire::http::Proxy::own.example of apt.conf"}));
  CHECK(choose_proxy(settings, at("http://a/"), "http://seen:5", variables) ==
        Proxy({"http://seen:5", "Proxy-Auto-Detect of apt.conf"}));
  CHECK(choose_proxy(settings, at("http://a/"), "DIRECT", variables) == Proxy(ChosenProxy{}));
  CHECK(choose_proxy(settings, at("file:/srv"), "", variables) == Proxy(ChosenProxy{}));
  const AptSettings none;
  CHECK(choose_proxy(none, at("http://a/"), "", variables) ==
        Proxy({"http://env:3", "http_proxy of the environment"}));
  CHECK(choose_proxy(none, at("https://a/"), "", variables) ==
        Proxy({"http://tls:4", "https_proxy of the environment"}));
  CHECK(choose_proxy(none, at("https://a/"), "", {"http://env:3", ""}) ==
        Proxy({"http://env:3", "http_proxy of the environment"}));
  CHECK(choose_proxy(none, at("http://a/"), "", {"", "http://tls:4"}) == std::nullopt);
}

}  // namespace weir::builder
