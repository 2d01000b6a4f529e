#include "builder/mirror/apt_sources.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

using Words = std::vector<std::string>;

Result<std::vector<AptSource>> deb822(std::string_view text) {
  return parse_apt_sources(text, AptFormat::deb822, "amd64");
}
Result<std::vector<AptSource>> one_line(std::string_view text) {
  return parse_apt_sources(text, AptFormat::one_line, "amd64");
}

}  // namespace

TEST_CASE("a deb822 file of apt's is read as sources.list(5) says") {
  const auto read = deb822(
      "# comment\n"
      "Types: deb deb-src\n"
      "URIs: https://a.example/deb http://b.example/$(ARCH)/\n"
      "Suites: stable\n"
      "# between\n"
      " stable-updates\n"
      "Components: main contrib\n"
      "Architectures: amd64 arm64\n"
      "Signed-By: /usr/share/keyrings/a.gpg,/b.asc\n"
      "\n"
      "Types: deb-src\nURIs: https://c.example\nSuites: x\nComponents: main\n"
      "\n"
      "Enabled: no\nTypes: deb\nURIs: https://c.example\nSuites: x\nComponents: main\n"
      "\n"
      "types: deb\r\nuris: https://d.example/x\r\nsuites: ./\r\nsigned-by:\r\n"
      " -----BEGIN PGP PUBLIC KEY BLOCK-----\r\n .\r\n abcd\r\n"
      " -----END PGP PUBLIC KEY BLOCK-----\r\n");
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  REQUIRE(read->size() == 2);
  CHECK((*read)[0] == AptSource{{"https://a.example/deb", "http://b.example/amd64/"},
                                {"stable", "stable-updates"},
                                {"main", "contrib"},
                                {"amd64", "arm64"},
                                {"/usr/share/keyrings/a.gpg", "/b.asc"},
                                ""});
  CHECK((*read)[1].suites == Words{"./"});
  CHECK((*read)[1].components.empty());
  CHECK((*read)[1].keyrings.empty());
  CHECK((*read)[1].key_block.find("abcd") != std::string::npos);
}

TEST_CASE("a file of one-line entries is read as sources.list(5) says") {
  const auto read = one_line(
      "\n# deb http://old.example x main\n"
      "deb [arch=amd64,arm64 signed-by=/x.gpg] https://a.example/deb bookworm/updates main contrib"
      " # why\n"
      "deb-src https://a.example/deb bookworm main\n"
      "deb\thttps://b.example/deb ./\r\n"
      "deb https://c.example/deb / \n");
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  REQUIRE(read->size() == 3);
  CHECK((*read)[0] == AptSource{{"https://a.example/deb"},
                                {"bookworm/updates"},
                                {"main", "contrib"},
                                {"amd64", "arm64"},
                                {"/x.gpg"},
                                ""});
  CHECK((*read)[1] == AptSource{{"https://b.example/deb"}, {"./"}, {}, {}, {}, ""});
  CHECK((*read)[2].suites == Words{"/"});
}

TEST_CASE("what apt refuses in its sources is refused, naming the place") {
  const std::pair<const char*, const char*> lines[] = {
      {"deb https://a.example stable\n", "line 1: suite 'stable' needs components"},
      {"\ndeb https://a.example ./ main\n", "line 2: suite './' ends in '/'"},
      {"deb https://a.example\n", "line 1: has no suite"},
      {"deb\n", "line 1: has no URI"},
      {"rpm https://a.example x main\n", "line 1: 'rpm' is neither deb nor deb-src"},
      {"deb [arch=amd64 https://a.example x main\n", "line 1: the '[' is not closed"},
      {"deb [amd64] https://a.example x main\n", "line 1: 'amd64' is not OPTION=VALUE"},
  };
  for (const auto& [text, says] : lines) {
    const auto read = one_line(text);
    const auto& shown = text;
    CAPTURE(shown);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message.find(says) == 0);
  }
  const auto entry = deb822("Types: deb\nURIs: https://a.example\nSuites: x\n");
  REQUIRE_FALSE(entry.has_value());
  CHECK(entry.error().message.find("entry 1: suite 'x' needs components") == 0);
}

}  // namespace weir::builder
