// weir-builder init as a person runs it.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "manifests/documents/image_manifest.h"
#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {
namespace {

struct Init {
  test::TemporaryFolder folder;
  int status = 0;

  std::string run(const std::string& arguments) {
    std::string out = test::output_of("cd " + folder.path + " && " + test::build_folder() +
                                          "/bin/weir-builder " + arguments + " 2>&1 < /dev/null",
                                      &status);
    status = WEXITSTATUS(status);
    return out;
  }
  [[nodiscard]] bool has(const std::string& file) const {
    return std::filesystem::exists(folder.path + "/" + file);
  }
};

manifests::ImageManifest manifest(const std::string& text) {
  const auto parsed = manifests::parse_image_manifest(text);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  return *parsed;
}

}  // namespace

TEST_CASE("a first manifest is the example, which builds, under its name and with its packages") {
  Init init;
  const auto said = nlohmann::json::parse(
      init.run("init --from gateway-6.12 --name edge --package tcpdump --package nftables --json"));
  REQUIRE(init.status == 0);
  CHECK(said.at("wrote") == "edge.yaml");
  CHECK(said.at("next") ==
        nlohmann::json::parse(R"(["weir-keys generate --out release", "weir-builder lock edge.yaml",
                                  "weir-builder scripts edge.yaml",
                                  "weir-builder build edge.yaml --key release.key --store store"])"));
  auto expected = manifest(test::bytes_of(test::source_folder() + "/examples/gateway-6.12.yaml"));
  expected.name = *ReleaseName::parse("edge");
  expected.packages.emplace_back("tcpdump");
  expected.reviewed = {"debian-12"};
  const std::string text = test::bytes_of(init.folder.path + "/edge.yaml");
  CHECK(manifest(text) == expected);
  CHECK(text.starts_with("# yaml-language-server: $schema=/usr/share/weir/schemas/image-manifest"));
  CHECK(init.run("validate edge.yaml") == "edge.yaml: valid image-manifest\n");
}

TEST_CASE("a first manifest with packages of its own takes its Debian's reviewed list, if any") {
  Init init;
  const std::tuple<const char*, const char*, std::vector<std::string>> cases[] = {
      {"gateway-debian-13", "--package tcpdump", {"debian-13"}},
      {"gateway-debian-13-backports", "--package tcpdump", {"debian-13"}},
      {"gateway-debian-14", "--package tcpdump", {"debian-14"}},
      {"gateway-6.1", "", {}},
      {"gateway-6.1", "--package nftables", {}},
  };
  for (const auto& [example, more, lists] : cases) {
    const std::string shown = std::string(example) + " " + more;
    CAPTURE(shown);
    const std::string said = init.run("init --from " + std::string(example) + " --name a " + more);
    CHECK(init.status == 0);
    CHECK(manifest(test::bytes_of(init.folder.path + "/a.yaml")).reviewed == lists);
    const bool beyond = std::string(more) == "--package tcpdump";
    CHECK((said.find("\n  weir-builder scripts a.yaml\n") != std::string::npos) == beyond);
    CHECK(init.run("validate a.yaml") == "a.yaml: valid image-manifest\n");
    test::must("rm " + init.folder.path + "/a.yaml");
  }
}

TEST_CASE("nothing is overwritten, and a plan writes nothing") {
  Init init;
  CHECK(init.run("init --from gateway-6.1 --name edge --plan")
            .starts_with("would write edge.yaml\n"));
  CHECK(init.status == 0);
  CHECK_FALSE(init.has("edge.yaml"));
  test::must("cd " + init.folder.path + " && echo mine > edge.yaml");
  CHECK(init.run("init --from gateway-6.1 --name edge").find("edge.yaml: is there already") !=
        std::string::npos);
  CHECK(init.status == 1);
  CHECK(test::bytes_of(init.folder.path + "/edge.yaml") == "mine\n");
  (void)init.run("init --from gateway-6.1 --name edge --manifest other.yaml");
  CHECK(init.status == 0);
  CHECK(init.has("other.yaml"));
}

TEST_CASE("a plan is refused where nothing can be written, as the writing is") {
  Init init;
  const std::string from = "init --from gateway-6.1 --name edge --manifest ";
  for (const char* plan : {"", " --plan", " --plan --json"}) {
    CAPTURE(plan);
    for (const std::string place : {"/proc/edge.yaml", "/sys/edge.yaml"}) {
      const std::string out = init.run(from + place + plan);
      CAPTURE(out);
      CHECK(init.status == 1);
      CHECK(out.find("belongs to a file system of the kernel") != std::string::npos);
      CHECK(out.find("would_write") == std::string::npos);
      CHECK(out.find("would write") == std::string::npos);
    }
    if (::geteuid() != 0) continue;
    // In a mount namespace, which goes with its program.
    const std::string out = test::output_of(
        "cd " + init.folder.path +
            " && mkdir -p ro && unshare --mount sh -c 'mount -t tmpfs -o ro " +
            "none ro && exec \"$@\"' sh " + test::build_folder() + "/bin/weir-builder " + from +
            "ro/edge.yaml" + plan + " 2>&1 < /dev/null",
        &init.status);
    CAPTURE(out);
    CHECK(WEXITSTATUS(init.status) == 1);
    CHECK(out.find("ro: Read-only file system") != std::string::npos);
    CHECK(out.find("would") == std::string::npos);
  }
}

TEST_CASE("what comes next can be pasted, whatever its paths are called") {
  Init init;
  (void)init.run(
      "init --from gateway-6.1 --name edge --manifest \"it's mine.yaml\" --store 'a store'");
  REQUIRE(init.status == 0);
  const auto said = nlohmann::json::parse(
      init.run("init --from gateway-6.1 --name edge --key 'my keys/release.key' --json"));
  const std::string next = said.at("next").at(2);
  // A shell's own words.
  CHECK(test::must("cd " + init.folder.path + " && set -- " + next + " && printf '%s\\n' \"$5\"") ==
        "my keys/release.key\n");
  CHECK(said.at("next").at(0) == "weir-keys generate --out 'my keys/release'");
}

TEST_CASE("what is missing or wrong is named, and no file is left") {
  Init init;
  const std::pair<const char*, const char*> cases[] = {
      {"", "no terminal to ask at: say --from EXAMPLE (gateway-6.1, "},
      {"--from gateway-6.1", "no terminal to ask at: say --name NAME"},
      {"--from gateway-0 --name a", "--from: no example 'gateway-0' is shipped (gateway-6.1, "},
      {"--from bogus", "--from: no example 'bogus' is shipped (gateway-6.1, "},
      {"--from gateway-6.2 --name a", "); closest: gateway-6.1"},
      {"--from gateway-6.1 --name Upper", "name: 'Upper'"},
      {"--from gateway-6.1 --name a --package 'b c'", "'b c' is not a package name"},
      {"--from gateway-6.1 --name a --manifest no/a.yaml", "no: no such folder"},
  };
  for (const auto& [arguments, says] : cases) {
    const auto& shown = arguments;
    CAPTURE(shown);
    const std::string out = init.run("init " + std::string(arguments));
    CAPTURE(out);
    CHECK(init.status == 1);
    CHECK(out.find(says) != std::string::npos);
  }
  CHECK(std::filesystem::is_empty(init.folder.path));
}

TEST_CASE("an answer at a terminal that cannot be is told, and asked for again") {
  Init init;
  const std::string program =
      " | script -qec '" + test::build_folder() + "/bin/weir-builder init' /dev/null";
  const std::string out =
      test::must("cd " + init.folder.path +
                 " && echo mine > taken.yaml && "
                 "printf 'gateway-0\\ngateway-6.1\\nUpper\\ntaken\\nasked\\nSTRACE\\nstrace\\n'" +
                 program);
  CAPTURE(out);
  for (const char* says :
       {"no example 'gateway-0' is shipped", "name: 'Upper'", "taken.yaml: is there already",
        "'STRACE' is not a package name", "wrote asked.yaml"}) {
    CAPTURE(says);
    CHECK(out.find(says) != std::string::npos);
  }
  CHECK(manifest(test::bytes_of(init.folder.path + "/asked.yaml")).packages.back() == "strace");
  // What no answer mends is told before the first question.
  const std::string place =
      test::output_of("cd " + init.folder.path + " && echo | script -qec '" + test::build_folder() +
                          "/bin/weir-builder init --manifest taken.yaml' /dev/null",
                      &init.status);
  CHECK(WEXITSTATUS(init.status) == 1);
  CHECK(place.find("taken.yaml: is there already") != std::string::npos);
  CHECK(place.find("Which example") == std::string::npos);
  // Where nothing more is typed it ends, and nothing is written.
  const std::string ended =
      test::output_of("mkdir " + init.folder.path + "/other && cd " + init.folder.path +
                          "/other && printf 'gateway-6.1\\nUpper\\n'" + program,
                      &init.status);
  CHECK(WEXITSTATUS(init.status) == 1);
  CHECK(ended.find("no answer: nothing was written") != std::string::npos);
  CHECK(std::filesystem::is_empty(init.folder.path + "/other"));
}

TEST_CASE("at a terminal, what no option says is asked for") {
  Init init;
  // script(1) makes a terminal of what is written into it.
  const std::string out =
      test::must("cd " + init.folder.path +
                 " && printf 'gateway-6.1\\nasked\\nstrace, tcpdump\\n' | script -qec '" +
                 test::build_folder() + "/bin/weir-builder init' /dev/null");
  CAPTURE(out);
  REQUIRE(init.has("asked.yaml"));
  const auto packages = manifest(test::bytes_of(init.folder.path + "/asked.yaml")).packages;
  CHECK(packages.at(packages.size() - 2) == "strace");
  CHECK(packages.back() == "tcpdump");

  // Without an answer it is today's stable release.
  const std::string usual =
      test::must("cd " + init.folder.path + " && printf '\\nusual\\n\\n' | script -qec '" +
                 test::build_folder() + "/bin/weir-builder init' /dev/null");
  CHECK(usual.find("\n  gateway-6.1 ") != std::string::npos);
  CHECK(manifest(test::bytes_of(init.folder.path + "/usual.yaml")).sources.at(0).suites.at(0) ==
        "trixie");
}

TEST_CASE("an option that cannot be is named, and no line of a file that nobody wrote") {
  Init init;
  CHECK(init.run("init --from gateway-6.1 --name 'Bad Name'")
            .starts_with("weir-builder init: --name: 'Bad Name' is not a name"));
  for (const std::string name : {"12", "true", "null"}) {
    CAPTURE(name);
    (void)init.run("init --from gateway-6.1 --name " + name);
    CHECK(init.status == 0);
    CHECK(manifest(test::bytes_of(init.folder.path + "/" + name + ".yaml")).name.string() == name);
  }
  const std::string said = init.run("init --from gateway-6.1 --name a --package 'b c'");
  CHECK(said.starts_with("weir-builder init: --package: packages["));
  CHECK(said.find("]: 'b c' is not a package name") != std::string::npos);
}

}  // namespace weir::builder
