#include "builder/mirror/edge/mirror.h"

#include <doctest/doctest.h>

#include <string>
#include <tuple>

#include "apt_root.h"

namespace weir::builder {
namespace {

using Bases = std::vector<std::string>;

std::vector<SuiteSource> suites(std::initializer_list<const char*> labels) {
  std::vector<SuiteSource> out;
  for (const char* label : labels) out.push_back({label, label});
  return out;
}

}  // namespace

TEST_CASE("--mirror is for all suites or one, and several are asked in turn") {
  const AptRoot apt;
  const auto mirrors = read_mirrors(suites({"stable", "other"}), "amd64",
                                    {.mirrors = {"http://a/debian/", "stable=file:/srv/debian",
                                                 "http://b/debian", "stable=https://c/"}});
  REQUIRE_MESSAGE(mirrors.has_value(), mirrors.error().message);
  CHECK(mirrors->bases_of("stable") == Bases{"file:/srv/debian", "https://c"});
  CHECK(mirrors->bases_of("other") == Bases{"http://a/debian", "http://b/debian"});
}

TEST_CASE("a password in an address is neither in a base nor in an error") {
  const AptRoot apt("deb http://ann:secret@host/debian stable main\n");
  const auto mirrors =
      read_mirrors(suites({"stable"}), "amd64", {.mirrors = {"http://ann:secret@host/debian"}});
  REQUIRE(mirrors.has_value());
  CHECK(mirrors->bases_of("stable") == Bases{"http://host/debian"});
  for (const std::string wrong : {"ftp://ann:secret@host/debian", "x=y=http://ann:secret@host:0/",
                                  "http://ann:secret@ho st/", "ann:secret"}) {
    const auto status = check_mirrors({.mirrors = {wrong}});
    REQUIRE_FALSE(status.has_value());
    CAPTURE(status.error().message);
    CHECK(status.error().message.starts_with("--mirror '"));
    if (wrong != "ann:secret") {
      CHECK(status.error().message.find("secret") == std::string::npos);
    }
    CHECK_FALSE(check_mirrors({.snapshots = {wrong}}).has_value());
  }
}

TEST_CASE("apt's sources are found although its lists are empty, and all of a suite's are asked") {
  const AptRoot apt(
      "deb [arch=amd64] http://ann:secret@vendor/apt bookworm stable\n"
      "deb [arch=amd64] http://deb.example/debian/ bookworm main contrib\n"
      "deb [arch=amd64] http://deb.example/security bookworm-security main\n"
      "deb [arch=amd64] cdrom:[x]/ bookworm main\n");
  REQUIRE(AptRoot::apt_get("indextargets").empty());
  const auto mirrors =
      read_mirrors(suites({"bookworm", "bookworm-security", "bookworm-backports", "trixie"}),
                   "amd64", MirrorRequest{});
  REQUIRE_MESSAGE(mirrors.has_value(), mirrors.error().message);
  const Bases both = {"http://vendor/apt", "http://deb.example/debian"};
  CHECK(mirrors->bases_of("bookworm") == both);
  CHECK(mirrors->bases_of("bookworm-backports") == both);
  CHECK(mirrors->bases_of("bookworm-security") == Bases{"http://deb.example/security"});
  const auto none = mirrors->bases_of("trixie");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message ==
        "the manifest's sources: apt has no http, https, file or copy source for suite 'trixie': "
        "say one with --mirror trixie=URL");
  const auto two = mirrors->check_known(suites({"trixie", "bookworm", "trixie-updates"}));
  REQUIRE_FALSE(two.has_value());
  CHECK(two.error().message.find("source for suites 'trixie', 'trixie-updates': say each") !=
        std::string::npos);
  CHECK(mirrors->check_known(suites({"trixie"})).error().message == none.error().message);
  CHECK(mirrors->check_known(suites({"bookworm"})).has_value());
  const auto mistyped = mirrors->bases_of("bookwrm");
  REQUIRE_FALSE(mistyped.has_value());
  CHECK(mistyped.error().message.find("for suite 'bookwrm'; closest: bookworm: say one") !=
        std::string::npos);
}

TEST_CASE("a file of apt's sources that apt refuses is named with its line, unless none is asked") {
  const std::string good = "deb http://a.example/debian stable main\n";
  const std::tuple<const char*, std::string, const char*> files[] = {
      {"sources.list", good + "dep http://b.example/debian stable main\n",
       "line 2: 'dep' is neither deb nor deb-src"},
      {"sources.list.d/vendor.list", good + good + "deb [arch=amd64 http://b.example x main\n",
       "line 3: the '[' is not closed"},
      {"sources.list.d/vendor.sources",
       "Types: deb\nURIs: http://a.example/debian\nSuites: stable\nComponents: main\n\n"
       "Types: deb\nSuites: stable\nComponents: main\n",
       "entry 2: has no URI"}};
  for (const auto& [file, text, why] : files) {
    const AptRoot apt(good);
    apt.write(std::string("etc/apt/") + file, text);
    // What apt itself does.
    CHECK(AptRoot::apt_get("indextargets 2>&1").find("The list of sources could not be read") !=
          std::string::npos);
    const auto mirrors = read_mirrors(suites({"stable"}), "amd64", MirrorRequest{});
    REQUIRE_FALSE(mirrors.has_value());
    CHECK(mirrors.error().message ==
          apt.path() + "/etc/apt/" + file + ": " + why +
              "; apt works with none of its sources then: mend the file, or say with --mirror "
              "where suites are");
    const auto told = read_mirrors(suites({"stable"}), "amd64", {.mirrors = {"http://c/debian"}});
    REQUIRE_MESSAGE(told.has_value(), told.error().message);
    CHECK(told->bases_of("stable") == Bases{"http://c/debian"});
  }
}

TEST_CASE("a file of apt's sources that cannot be read is named where a suite has no mirror") {
  const AptRoot apt("deb http://a.example/debian stable main\n");
  // Larger than any such file; a person's is one that root alone may read.
  apt.write("etc/apt/sources.list.d/vendor.list", std::string(std::size_t{5} << 20, '#') + "\n");
  const auto mirrors = read_mirrors(suites({"stable", "vendor"}), "amd64", MirrorRequest{});
  REQUIRE_MESSAGE(mirrors.has_value(), mirrors.error().message);
  CHECK(mirrors->bases_of("stable") == Bases{"http://a.example/debian"});
  const auto none = mirrors->bases_of("vendor");
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().message.find("--mirror vendor=URL; not read: " + apt.path() +
                                  "/etc/apt/sources.list.d/vendor.list: larger than ") !=
        std::string::npos);
}

TEST_CASE(
    "a mirror or a snapshot service for a suite that is not there is refused with those that are") {
  const AptRoot apt;
  const auto mirrors =
      read_mirrors(suites({"stable", "vendor:stable"}), "amd64",
                   {.mirrors = {"vendor:stable=http://a/debian", "stabel=http://b/debian"}});
  REQUIRE_FALSE(mirrors.has_value());
  CHECK(mirrors.error().code == Errc::invalid_input);
  CHECK(mirrors.error().message ==
        "--mirror: there is no suite 'stabel'; those of the manifest are stable, vendor:stable");
  const manifests::LockedSource source{"stable", Digest::of(as_bytes("x")),
                                       "Tue, 20 May 2025 02:10:46 UTC", std::string(40, 'A')};
  const auto snapshot = read_mirrors(std::vector{source}, {}, "amd64",
                                     {.snapshots = {"other=http://s/debian/{time}"}});
  REQUIRE_FALSE(snapshot.has_value());
  CHECK(snapshot.error().message ==
        "--snapshot: there is no suite 'other'; those of the manifest are stable");
}

TEST_CASE("a snapshot service of a scheme that is not spoken is refused before anything is asked") {
  for (const std::string given : {"ftp://s/debian/{time}", "stable=ftp://s/debian/{time}"}) {
    const auto status = check_mirrors({.snapshots = {given}});
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().message ==
          "--snapshot '" + given +
              "' is neither URL nor SUITE=URL (http, https, file or copy, with {time} in it)");
  }
}

TEST_CASE("a lock's snapshot service is asked behind the mirrors, for the time of each source") {
  const AptRoot apt;
  // 2025-05-20 02:10:46 UTC was a Tuesday.
  const manifests::LockedSource source{"stable", Digest::of(as_bytes("x")),
                                       "Tue, 20 May 2025 02:10:46 UTC", std::string(40, 'A')};
  const auto mirrors = read_mirrors(std::vector{source}, {}, "amd64",
                                    {.mirrors = {"http://a/debian-security/"},
                                     .snapshots = {"stable=http://s/{archive}/{time}"}});
  REQUIRE_MESSAGE(mirrors.has_value(), mirrors.error().message);
  CHECK(mirrors->bases_of("stable") == Bases{"http://a/debian-security",
                                             "http://s/debian-security/20250520T081046Z",
                                             "http://s/debian-security/20250521T081046Z",
                                             "http://s/debian-security/20250520T021046Z"});
  // A suite that no mirror has any more.
  const auto alone =
      read_mirrors(std::vector{source}, {}, "amd64", {.snapshots = {"http://s/debian/{time}"}});
  REQUIRE_MESSAGE(alone.has_value(), alone.error().message);
  CHECK(alone->bases_of("stable")->front() == "http://s/debian/20250520T081046Z");
}

}  // namespace weir::builder
