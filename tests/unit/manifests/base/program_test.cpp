#include "manifests/base/edge/program.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "manifests/base/edge/file.h"

namespace weir {
namespace {

// Takes what is written to a descriptor while it lives.
class Capture {
 public:
  explicit Capture(int fd) : fd_(fd), kept_(::dup(fd)), file_(std::tmpfile()) {
    REQUIRE(file_ != nullptr);
    ::dup2(::fileno(file_), fd_);
  }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
  ~Capture() {
    end();
    std::fclose(file_);
  }

  std::string text() {
    end();
    std::string out;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) out += static_cast<char>(c);
    return out;
  }

 private:
  void end() {
    if (kept_ < 0) return;
    ::dup2(kept_, fd_);
    ::close(kept_);
    kept_ = -1;
  }

  int fd_, kept_;
  std::FILE* file_;
};

struct Said {
  int code;
  std::string out, err;
};

struct Given {
  std::string store, format, channel = "stable", release;
  std::optional<std::string> state, comment;
  std::vector<std::string> keys, files;
  std::optional<std::vector<std::string>> updates;
  std::uint32_t nodes = 1;
  std::optional<std::uint32_t> quorum;
  bool json = false, ran = false;
};

Command bake(Given& given) {
  return {.name = "bake",
          .summary = "makes a cake",
          .about = "Makes a cake, which is\nround.",
          .examples = "  weir-cake bake lemon --store shelf\n",
          .takes = Positional{"CAKE", &given.release},
          .options =
              {{"store,s", "DIR", &given.store, "where it goes", Need::required},
               {"format", "FORMAT", &given.format, "its form", Need::optional, {"round", "square"}},
               {"channel", "NAME", &given.channel, "for whom"},
               {"state", "FILE", &given.state, "remembers"},
               {"key", "FILE", &given.keys, "can be repeated"},
               {"update", "[THING...]", &given.updates, "only these"},
               {"comment", "TEXT", &given.comment, "on the box"},
               {"nodes", "N", &given.nodes, "how many"},
               {"quorum", "M", &given.quorum, "of them"},
               {"json", "", &given.json, "prints the result as JSON"}},
          .check = [&given]() -> Status {
            if (given.keys.size() != 2) return {};
            return fail(Errc::invalid_input, "two keys are one too many");
          },
          .run = [&given]() -> Result<Exit> {
            given.ran = true;
            if (given.release == "burnt") return fail(Errc::io, "smoke\x1b[2J\nweir-cake: done");
            std::puts(given.release.c_str());
            return given.release == "half" ? Exit::needs_person : Exit::done;
          }};
}

Said say(std::vector<const char*> words, Given& given) {
  const auto nothing = []() -> Result<Exit> { return Exit::done; };
  const CommandTable program{"weir-cake",
                             "cakes for gateways",
                             {bake(given),
                              {.name = "trust init", .summary = "begins", .run = nothing},
                              {.name = "trust sign",
                               .summary = "signs",
                               .run = [] { return Result<Exit>(fail(Errc::bug, "torn")); },
                               .failed = [](const Error&) { return Exit::moved_back; }}}};
  words.insert(words.begin(), "weir-cake");
  std::fflush(stdout);
  Capture out(STDOUT_FILENO), err(STDERR_FILENO);
  const int code = run_program(program, static_cast<int>(words.size()), words.data());
  return {code, out.text(), err.text()};
}

Said say(std::vector<const char*> words) {
  Given given;
  return say(std::move(words), given);
}

}  // namespace

TEST_CASE("options and arguments reach what they belong to") {
  Given given;
  const Said said =
      say({"bake", "--key", "a", "lemon", "-s", "shelf", "--key=b", "--key", "c", "--nodes", "3",
           "--quorum", "2", "--json", "--state", "file", "--format", "round"},
          given);
  CHECK(said.code == 0);
  CHECK(said.out == "lemon\n");
  CHECK(said.err.empty());
  CHECK(given.release == "lemon");
  CHECK(given.store == "shelf");
  CHECK(given.keys == std::vector<std::string>{"a", "b", "c"});
  CHECK(given.nodes == 3);
  CHECK(given.quorum == 2U);
  CHECK(given.state == "file");
  CHECK(given.format == "round");
  CHECK(given.channel == "stable");
  CHECK(given.json);
  CHECK_FALSE(given.updates.has_value());
}

TEST_CASE("a list that is optional can be given without a word") {
  Given bare, two;
  CHECK(say({"bake", "lemon", "-s", "x", "--update"}, bare).code == 0);
  CHECK(bare.updates == std::vector<std::string>{});
  CHECK(say({"bake", "lemon", "-s", "x", "--update", "a", "b", "--update", "c"}, two).code == 0);
  CHECK(two.updates == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("wrong usage is one sentence that names what was meant, and nothing runs") {
  const struct {
    std::vector<const char*> words;
    const char* says;
  } cases[] = {
      {{"bake", "lemon", "--stroe", "x"},
       "weir-cake bake: there is no option --stroe; closest: --store (weir-cake bake --help "
       "explains)\n"},
      {{"bake", "lemon"},
       "weir-cake bake: --store DIR is missing: where it goes (weir-cake bake --help explains)\n"},
      {{"bake", "-s", "x"}, "weir-cake bake: which CAKE? (weir-cake bake --help explains)\n"},
      {{"bake", "a", "b", "-s", "x"},
       "weir-cake bake: too many arguments (weir-cake bake --help explains)\n"},
      {{"bake", "a", "-s", "x", "--format", "rond"},
       "weir-cake bake: --format: 'rond' is none of round, square; closest: round (weir-cake bake "
       "--help explains)\n"},
      {{"bake", "a", "-s", "x", "--key", "1", "--key", "2"},
       "weir-cake bake: two keys are one too many (weir-cake bake --help explains)\n"},
      {{"bkae"},
       "weir-cake: there is no command 'bkae'; closest: bake (weir-cake --help explains)\n"},
      {{"trust", "sing"},
       "weir-cake: there is no command 'trust sing'; closest: trust sign (weir-cake trust "
       "--help explains)\n"},
      {{"bake\x1b[2J"},
       "weir-cake: there is no command 'bake\\x1b[2J' (weir-cake --help explains)\n"},
      {{""}, "weir-cake: there is no command '' (weir-cake --help explains)\n"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.says);
    Given given;
    const Said said = say(each.words, given);
    CHECK(said.code == 2);
    CHECK(said.out.empty());
    CHECK(said.err == each.says);
    CHECK_FALSE(given.ran);
  }
  for (const char* number : {"three", "-1", "5000000000"}) {
    CAPTURE(number);
    const Said said = say({"bake", "a", "-s", "x", "--nodes", number});
    CHECK(said.code == 2);
    CHECK(said.err.find("--nodes") != std::string::npos);
  }
}

TEST_CASE("an empty value is refused with the option's name, but for a text that is for people") {
  const struct {
    std::vector<const char*> words;
    const char* says;
  } cases[] = {
      {{"--store", ""}, "--store DIR is empty: where it goes"},
      {{"-s", ""}, "--store DIR is empty: where it goes"},
      {{"-s", "x", "--channel", ""}, "--channel NAME is empty: for whom"},
      {{"-s", "x", "--state", ""}, "--state FILE is empty: remembers"},
      {{"-s", "x", "--key", "a", "--key", ""}, "--key FILE is empty: can be repeated"},
      {{"-s", "x", "--update", "a", ""}, "--update [THING...] is empty: only these"},
  };
  for (const auto& each : cases) {
    CAPTURE(each.says);
    Given given;
    std::vector<const char*> words = {"bake", "lemon"};
    words.insert(words.end(), each.words.begin(), each.words.end());
    const Said said = say(words, given);
    CHECK(said.code == 2);
    CHECK(said.err ==
          "weir-cake bake: " + std::string(each.says) + " (weir-cake bake --help explains)\n");
    CHECK_FALSE(given.ran);
  }
  CHECK(say({"bake", "", "-s", "x"}).err ==
        "weir-cake bake: which CAKE? (an argument is empty) (weir-cake bake --help explains)\n");
  Given given;
  CHECK(say({"bake", "lemon", "-s", "x", "--comment", ""}, given).code == 0);
  CHECK(given.comment == "");
}

TEST_CASE("a failure is told once, on one line that no text from outside can forge") {
  const Said said = say({"bake", "burnt", "-s", "x"});
  CHECK(said.code == 1);
  CHECK(said.err == "weir-cake bake: smoke\\x1b[2J\\nweir-cake: done\n");
  CHECK(say({"bake", "half", "-s", "x"}).code == 4);
  const Said torn = say({"trust", "sign"});
  CHECK(torn.code == 3);
  CHECK(torn.err == "weir-cake trust sign: torn\n");
}

TEST_CASE("help is there for the program, a group and each command, and the version for all") {
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"--help"}, {"-h"}, {"help"}}) {
    const Said said = say(words);
    CHECK(said.code == 0);
    CHECK(said.err.empty());
    CHECK(said.out.find("usage: weir-cake COMMAND") == 0);
    CHECK(said.out.find("\n  bake        makes a cake\n") != std::string::npos);
    CHECK(said.out.find("exit codes: 0 done, 1 failed, 2 wrong usage") != std::string::npos);
  }
  for (const std::vector<const char*>& words :
       {std::vector<const char*>{"bake", "--help"}, {"bake", "-h"}, {"help", "bake"}}) {
    const Said said = say(words);
    CHECK(said.code == 0);
    CHECK(said.out.find(
              "usage: weir-cake bake CAKE [options]\n\nMakes a cake, which is\nround.\n") == 0);
    CHECK(said.out.find("  -s [ --store ] DIR") != std::string::npos);
    CHECK(said.out.find("--channel NAME (=stable)") != std::string::npos);
    CHECK(said.out.find("\nexamples:\n  weir-cake bake lemon --store shelf\n") !=
          std::string::npos);
  }
  const Said group = say({"trust", "--help"});
  CHECK(group.code == 0);
  CHECK(group.out.find("trust sign") != std::string::npos);
  CHECK(group.out.find("bake") == std::string::npos);
  CHECK(say({"trust"}).code == 2);
  CHECK(say({}).code == 2);
  CHECK(say({"--version"}).out == "weir-cake " WEIR_VERSION "\n");
}

TEST_CASE("results that cannot be written are a failure") {
  Given given;
  const CommandTable program{"weir-cake", "cakes", {bake(given)}};
  const char* words[] = {"weir-cake", "bake", "lemon", "-s", "x"};
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  std::FILE* full = std::fopen("/dev/full", "w");
  REQUIRE(full != nullptr);
  ::dup2(::fileno(full), STDOUT_FILENO);
  int code = 0;
  std::string told;
  {
    Capture err(STDERR_FILENO);
    code = run_program(program, 5, words);
    told = err.text();
  }
  ::dup2(kept, STDOUT_FILENO);
  ::close(kept);
  std::fclose(full);
  std::clearerr(stdout);
  CHECK(code == 1);
  CHECK(told == "weir-cake bake: the results could not be written to standard output\n");
}

TEST_CASE("a program of one command has no command's name") {
  std::string what;
  const CommandTable program{"weir-one",
                             "does one thing",
                             {{.name = "",
                               .summary = "does it",
                               .takes = Positional{"THING", &what},
                               .run = []() -> Result<Exit> { return Exit::done; }}}};
  const char* words[] = {"weir-one", "it"};
  CHECK(run_program(program, 2, words) == 0);
  CHECK(what == "it");
  Capture out(STDOUT_FILENO);
  const char* help[] = {"weir-one", "--help"};
  const int code = run_program(program, 2, help);
  const std::string said = out.text();
  CHECK(code == 0);
  CHECK(said.find("usage: weir-one THING [options]\n") == 0);
}

TEST_CASE("the table describes itself as JSON, for manuals and completions") {
  const auto table = nlohmann::json::parse(say({"--describe"}).out);
  CHECK(table["program"] == "weir-cake");
  CHECK(table["version"] == WEIR_VERSION);
  REQUIRE(table["commands"].size() == 3);
  const auto& command = table["commands"][0];
  CHECK(command["name"] == "bake");
  CHECK(command["takes"] == "CAKE");
  CHECK(command["options"][0]["name"] == "store");
  CHECK(command["options"][0]["short"] == "s");
  CHECK(command["options"][0]["required"] == true);
  CHECK(command["options"][1]["one_of"] == nlohmann::json({"round", "square"}));
  CHECK(command["options"][2]["default"] == "stable");
  CHECK(command["options"].back()["name"] == "help");
}

}  // namespace weir
