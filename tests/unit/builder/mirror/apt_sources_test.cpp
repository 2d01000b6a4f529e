#include "builder/mirror/apt_sources.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <set>

#include "apt_root.h"
#include "builder/mirror/lines.h"
#include "manifests/documents/image_sources.h"

namespace weir::builder {
namespace {

using Words = std::vector<std::string>;

Result<std::vector<AptSource>> deb822(std::string_view text) {
  return parse_apt_sources(text, AptFormat::deb822, "amd64");
}
Result<std::vector<AptSource>> one_line(std::string_view text) {
  return parse_apt_sources(text, AptFormat::one_line, "amd64");
}

// "@" stands for an address that is no other text's.
const char* const kLines[] = {
    "deb @ x main",
    "deb cdrom:[Debian 12]/ bookworm main",
    "deb x foo main",
    "deb foo: x main",
    "deb [arch=] @ x main",
    "deb [arch=amd64]@ x main",
    "deb [arch=amd64] @ x main",
    "deb [ arch=amd64,i386 trusted=yes ]\t@ x main contrib",
    "deb [arch=amd64 @ x main",
    "deb [] @ x main",
    "deb [arch] @ x main",
    "deb [=xy] @ x main",
    "deb [a=] @ x main",
    "deb [arch=\"amd64\"] @ x main",
    "deb [arch=amd64] [a=b] @ x main",
    "deb [a#b=c] @ x main # [d",
    "deb [signed-by=/x.gpg,/y.gpg] @ x main",
    "deb [signed-by=0123456789abcdef0123456789ABCDEF01234567!,/y.gpg] @ x main",
    "deb [signed-by=x.gpg] @ x main",
    "deb [signed-by=/x,0123456789abcdef] @ x main",
    "deb-src [signed-by=,] @ x main",
    "deb \"@ x main",
    "deb @/[x x main",
    "deb @ x \"main",
    "deb @ x main \"b",
    "deb @ x/ \"b",
    "deb @ x/ main",
    "deb @ x%2fy ma\"i\"n",
    "deb\v@ \tx main\r",
    "deb @/$(ARCH) $(ARCH) $(ARCH)",
    "deb @ $(ARCH)/",
    "deb @ x",
    "deb @ # x main",
    "deb @",
    "deb [arch=amd64]",
    "deb",
    "deb-src http://x",
    "deb-src @ x",
    "deb-src @ x main",
    "Deb @ x main",
    "rpm @ x main",
};

#define REST "URIs: @\nSuites: x\nComponents: main\n"
const char* const kStanzas[] = {
    "Types: deb\n" REST,
    "Types: deb\nTypes: deb\n" REST,
    "Types: deb\nTypes: deb-src\n" REST,
    "Types: deb\nEnabled: no\nenabled: yes\n" REST,
    "Types: deb\nSuites: y z\n" REST,
    "Types: deb-src\nURIs: x\n",
    "Types: deb\nURIs: x\nSuites: x\nComponents: main\n",
    "Types: deb\nURIs: @ x\nSuites: x\nComponents: main\n",
    "Types: deb\nURIs: cdrom:[Debian 12]/\nSuites: x\nComponents: main\n",
    "Enabled: no\n" REST,
    "Enabled: no\nTypes: rpm\n" REST,
    "Enabled: no\nTypes: deb\nURIs: x\n",
    "Types: deb\nEnabled: 0x0\nURIs: x\n",
    "Types: deb\nEnabled: 2\n" REST,
    "Types: deb\nEnabled:\n" REST,
    "Types: rpm\n" REST,
    "Types: deb rpm\n" REST,
    "Types: deb,deb-src\n" REST,
    "Types: Deb\n" REST,
    "Types:\n" REST,
    REST,
    "X: y\n\nTypes: deb\n" REST,
    "Types:\n\tdeb\n \n" REST,
    "Types: deb\nURIs: @\nSuites: x/\nComponents: main\n",
    "Types: deb\nURIs: @\nSuites: x\n",
    "Types: deb\nURIs: @/$(ARCH)\nSuites: $(ARCH)\nComponents: $(ARCH)\n",
    "Types : deb\n-x: y\na b: c\n: d\n" REST,
    "Types: deb\n" REST "garbage\n",
    "#c\n\nTypes: deb\n#c\n" REST " contrib\n#c",
    "Types: deb\n" REST "Signed-By: /x.gpg, /y.gpg\n",
    "Types: deb\n" REST "Signed-By: x.gpg\n",
    "Types: deb-src\n" REST "Signed-By: x.gpg\n",
    "Enabled: no\nTypes: deb\n" REST "Signed-By: x.gpg\n",
    "Types: deb\n" REST "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abcd\n",
    "",
};
#undef REST

struct AptFile {
  std::string name, address, text;
};

std::vector<AptFile> apt_files() {
  std::vector<AptFile> out;
  const auto add = [&](std::string text, const char* suffix) {
    const std::string number = std::to_string(100 + out.size());
    const std::string address = "http://a.example/" + number;
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
      text.replace(at, 1, address);
    }
    out.push_back({number + suffix, address, std::move(text)});
  };
  for (const char* line : kLines) add(std::string(line) + "\n", ".list");
  for (const char* stanza : kStanzas) add(stanza, ".sources");
  return out;
}

// "address/ suite component" as apt-get indextargets prints it; a flat suite has no component.
std::set<std::string> targets_of(const std::vector<AptSource>& entries) {
  std::set<std::string> out;
  for (const auto& entry : entries) {
    for (const auto& uri : entry.uris) {
      for (const auto& suite : entry.suites) {
        const bool flat = manifests::is_flat(suite);
        for (const auto& component : flat ? Words{"$(COMPONENT)"} : entry.components) {
          out.insert(uri + "/ " + suite + " " + component);
        }
      }
    }
  }
  return out;
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

TEST_CASE("apt's sources are taken and refused as apt-get takes and refuses them") {
  const AptRoot apt("", "APT::Architecture \"amd64\";\nAPT::Architectures { \"amd64\"; };\n");
  const std::string folder = "etc/apt/sources.list.d/";
  const auto files = apt_files();
  for (const auto& file : files) apt.write(folder + file.name, file.text);
  const std::string errors = AptRoot::apt_get("indextargets 2>&1");
  std::vector<std::pair<AptFile, std::set<std::string>>> taken;
  for (const auto& file : files) {
    CAPTURE(file.text);
    const bool refused = errors.find("/" + file.name) != std::string::npos ||
                         errors.find(file.address + "/ ") != std::string::npos;
    const auto read = parse_apt_sources(file.text, apt_format_of(file.name), "amd64");
    CAPTURE((read ? "taken" : read.error().message));
    CHECK(read.has_value() != refused);
    if (refused) std::filesystem::remove(apt.path() + "/" + folder + file.name);
    if (read && !refused) taken.emplace_back(file, targets_of(*read));
  }
  CHECK(taken.size() > files.size() / 3);
  CHECK(taken.size() < files.size() * 2 / 3);
  const std::string targets = AptRoot::apt_get(
      "indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' "
      "'Created-By: Packages'");
  for (const auto& one : taken) {
    const auto& file = one.first;
    const auto& ours = one.second;
    if (file.text.find(file.address) == std::string::npos) continue;
    CAPTURE(file.text);
    std::set<std::string> of_apt;
    each_line(targets, [&](std::string_view line) {
      if (line.starts_with(file.address + "/")) of_apt.emplace(line);
    });
    CHECK(ours == of_apt);
  }
}

}  // namespace weir::builder
