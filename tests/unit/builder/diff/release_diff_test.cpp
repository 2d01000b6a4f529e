#include "builder/diff/release_diff.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "builder/diff/release_diff_print.h"

namespace weir::builder {
namespace {

using manifests::Release;

Digest digest(const std::string& of) {
  return Digest::of(as_bytes(of));
}

manifests::ReleaseLayer layer(const std::string& name, const std::string& content,
                              std::uint64_t size) {
  return {
      name, {digest("packed " + content), ByteCount{size}}, digest(content), ByteCount{2 * size}};
}

ImageEntry file(const std::string& content, const std::string& from, std::uint32_t mode = 0644) {
  return {{EntryKind::file, mode, 0, 0, ""}, content.size(), digest(content), from};
}

/// A gateway with kernel 6.1, two modules of its own and three packages.
ReleaseFacts older() {
  Release release{.name = *ReleaseName::parse("old"),
                  .architecture = "amd64",
                  .source_epoch = 1000,
                  .lock_digest = digest("lock"),
                  .kernel = {"linux-6.1",
                             "6.1.20-1",
                             "6.1.0-9-cloud-amd64",
                             std::string(40, 'a'),
                             {digest("bzImage 6.1"), ByteCount{1000}}},
                  .modules = {{"virtio_pci", "linux-6.1", "1", "AAA", "6.1", std::string(40, 'b'),
                               digest("vp")},
                              {"wireguard", "linux-6.1", "1.0.0", "BBB", "6.1",
                               std::string(40, 'c'), digest("wg 6.1")}},
                  .tools = {{"wireguard-tools", "1.0", "amd64"}},
                  .packages = {{"libc6", "2.36-9", "amd64"},
                               {"linux-6.1", "6.1.20-1", "amd64"},
                               {"wireguard-tools", "1.0", "amd64"}},
                  .provides = {"kmod"},
                  .layers = {layer("base", "base", 1), layer("libc6", "libc6", 500),
                             layer("linux-6.1", "linux-6.1", 300),
                             layer("wireguard-tools", "tools", 50), layer("weir", "weir old", 20)},
                  .command_line = "quiet",
                  .sources = {{"stable", digest("InRelease"), "a day"}},
                  .builder_version = "1"};
  manifests::ImageManifest manifest{.name = release.name};
  manifest.modules = {"virtio_pci", "wireguard"};
  manifest.packages = {"wireguard-tools"};
  ReleaseFacts out{std::move(release), digest("old"), {}, std::nullopt, std::move(manifest)};
  out.entries = {
      {"usr/bin/wg", file("wg", "wireguard-tools")},
      {"usr/lib/modules/6.1/kernel/virtio-pci.ko", file("vp", "linux-6.1")},
      {"usr/lib/modules/6.1/kernel/virtio_ring.ko", file("vr", "linux-6.1")},
      {"usr/lib/modules/6.1/kernel/wireguard.ko.xz", file("wg 6.1", "linux-6.1")},
      {"etc/one.conf", file("1", "weir")},
      {"usr", {{EntryKind::folder, 0755, 0, 0, ""}, 0, std::nullopt, "base"}},
  };
  return out;
}

/// The same with kernel 6.12, in which virtio_pci is built in.
ReleaseFacts newer() {
  ReleaseFacts out = older();
  out.release.name = *ReleaseName::parse("new");
  out.digest = digest("new");
  out.release.source_epoch = 2000;
  out.release.kernel = {"linux-6.12",
                        "6.12.1-1",
                        "6.12.1+deb12-cloud-amd64",
                        std::string(40, 'd'),
                        {digest("bzImage 6.12"), ByteCount{1100}}};
  out.release.modules = {
      {"wireguard", "linux-6.12", "1.0.0", "CCC", "6.12", std::string(40, 'e'), digest("wg 6.12")}};
  out.release.packages[1] = {"linux-6.12", "6.12.1-1", "amd64"};
  out.release.layers[2] = layer("linux-6.12", "linux-6.12", 310);
  std::erase_if(out.entries, [](const auto& entry) { return !module_of(entry.first).empty(); });
  out.entries.emplace("usr/lib/modules/6.12/kernel/wireguard.ko.xz", file("wg 6.12", "linux-6.12"));
  return out;
}

Change change_in(const std::vector<VersionChange>& list, std::string_view name) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.name == name; });
  REQUIRE_MESSAGE(found != list.end(), std::string(name));
  return found->change;
}

bool warns(const ReleaseDiff& diff, RiskLevel level, std::string_view text) {
  return std::any_of(diff.risks.begin(), diff.risks.end(), [&](const Risk& risk) {
    return risk.level == level && risk.sentence.find(text) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("another kernel series, told in one sentence") {
  const ReleaseDiff diff = compare(older(), newer());
  REQUIRE_FALSE(diff.risks.empty());
  CHECK(diff.risks.front().sentence ==
        "kernel 6.1 -> 6.12: module ABI changes; virtio_pci is now built in; wireguard-tools "
        "unchanged");
  CHECK(diff.risks.front().level == RiskLevel::high);
  CHECK(diff.kernel.change == Change::upgraded);
  CHECK(change_in(diff.modules, "virtio_pci") == Change::now_built_in);
  CHECK(change_in(diff.modules, "virtio_ring") == Change::removed);
  CHECK(change_in(diff.modules, "wireguard") == Change::content);
  CHECK(warns(diff, RiskLevel::medium, "the wireguard module's code changes"));
  CHECK(diff.packages.size() == 2);
  CHECK(diff.packages_unchanged == 2);

  const ReleaseDiff back = compare(newer(), older());
  CHECK(back.risks.front().sentence ==
        "kernel 6.12 -> 6.1: module ABI changes; virtio_pci is now a module; wireguard-tools "
        "unchanged");
  CHECK(warns(back, RiskLevel::high, "the kernel goes back, 6.12.1-1 -> 6.1.20-1"));
  CHECK(warns(back, RiskLevel::medium, "indices are older"));
}

TEST_CASE("only what the older release lacks has to travel") {
  const ReleaseDiff diff = compare(older(), newer());
  CHECK(diff.travel.bytes == 1100 + 310);
  CHECK(diff.travel.whole == 1100 + 1 + 500 + 310 + 50 + 20);
  CHECK(diff.travel.names == std::vector<std::string>{"kernel", "linux-6.12"});
  CHECK(diff.travel.all_blobs == 6);
  CHECK(diff.sizes[1].from == 871);
  CHECK(diff.sizes[1].to == 881);
  CHECK(compare(older(), older()).travel.bytes == 0);
}

TEST_CASE("a release is the same as itself, and says so") {
  const ReleaseDiff diff = compare(older(), older());
  CHECK(diff.packages.empty());
  CHECK(diff.files.empty());
  CHECK(diff.settings.empty());
  REQUIRE(diff.risks.size() == 1);
  CHECK(diff.risks[0].sentence ==
        "kernel 6.1.0-9-cloud-amd64 unchanged; wireguard-tools unchanged");
  CHECK(diff.risks[0].level == RiskLevel::low);
  CHECK(print_text(diff, Listing::summary).find("the same release, bit by bit") !=
        std::string::npos);
}

TEST_CASE("packages move forward, back, or change under the same version") {
  ReleaseFacts to = older();
  to.digest = digest("other");
  to.release.packages[0].version = "2.36-10";
  to.release.tools[0].version = to.release.packages[2].version = "1.0~rc1";
  ReleaseDiff diff = compare(older(), to);
  REQUIRE(diff.packages.size() == 2);
  CHECK(diff.packages[0].version == VersionChange{"libc6", Change::upgraded, "2.36-9", "2.36-10"});
  CHECK(diff.packages[1].version.change == Change::downgraded);
  CHECK(diff.risks.front().sentence ==
        "kernel 6.1.0-9-cloud-amd64 unchanged; wireguard-tools downgraded 1.0 -> 1.0~rc1");
  CHECK(warns(diff, RiskLevel::medium, "libc6 changes"));
  CHECK(warns(diff, RiskLevel::high, "packages go back: wireguard-tools 1.0 -> 1.0~rc1"));

  to = older();
  to.release.layers[1] = layer("libc6", "other libc6", 500);
  diff = compare(older(), to);
  REQUIRE(diff.packages.size() == 1);
  CHECK(diff.packages[0].version.change == Change::rebuilt);
  CHECK(warns(diff, RiskLevel::medium, "same version, other content: libc6"));
}

TEST_CASE("files differ in content, attributes or kind, and what runs as another is a risk") {
  ReleaseFacts to = older();
  to.entries.at("usr/bin/wg").entry.mode = 04755;
  to.entries.at("etc/one.conf") = file("2", "weir");
  to.entries.erase("usr");
  to.entries.emplace("new",
                     ImageEntry{{EntryKind::link, 0777, 0, 0, "usr"}, 0, std::nullopt, "base"});
  to.entries.at("usr/lib/modules/6.1/kernel/virtio_ring.ko").entry = {EntryKind::link, 0777, 0, 0,
                                                                      "x"};
  const ReleaseDiff diff = compare(older(), to);
  std::vector<std::pair<std::string, Change>> found;
  for (const auto& each : diff.files) found.emplace_back(each.path, each.change);
  CHECK(found == std::vector<std::pair<std::string, Change>>{
                     {"/etc/one.conf", Change::content},
                     {"/new", Change::added},
                     {"/usr", Change::removed},
                     {"/usr/bin/wg", Change::attributes},
                     {"/usr/lib/modules/6.1/kernel/virtio_ring.ko", Change::kind}});
  CHECK(
      warns(diff, RiskLevel::high, "/usr/bin/wg (wireguard-tools) now runs as its owner or group"));
  CHECK(warns(diff, RiskLevel::low, "configuration /etc/one.conf (weir) changes"));
}

TEST_CASE("settings are compared in the manifest's words, or as far as the release tells") {
  ReleaseFacts to = older();
  to.release.command_line = "quiet panic=1";
  to.manifest->users.push_back({"service", 100});
  to.manifest->modules.pop_back();
  ReleaseDiff diff = compare(older(), to);
  std::vector<std::string> names;
  for (const auto& setting : diff.settings) names.push_back(setting.name);
  CHECK(names == std::vector<std::string>{"command_line", "modules", "users[service]"});
  CHECK(warns(diff, RiskLevel::medium, "'quiet' -> 'quiet panic=1'"));
  to.manifest.reset();
  diff = compare(older(), to);
  CHECK(diff.settings.size() == 1);
  CHECK(warns(diff, RiskLevel::low, "lacks an image manifest"));
}

TEST_CASE("what reviewed lists accept, and whom Weir makes in a script's place, is compared") {
  const auto locked = [](std::vector<manifests::AcceptedScript> scripts) {
    return manifests::Lock{.name = *ReleaseName::parse("old"),
                           .architecture = "amd64",
                           .manifest_digest = digest("manifest"),
                           .source_epoch = 1000,
                           .sources = {},
                           .kernel = "linux-6.1",
                           .packages = {},
                           .provides = {},
                           .accept_scripts = std::move(scripts),
                           .programs = {},
                           .builder_version = "1",
                           .compressor = "none"};
  };
  ReleaseFacts from = older(), to = older();
  from.lock = locked({{"frr", "postinst", {digest("one")}, "read"}});
  to.lock = locked(
      {{"frr", "postinst", {digest("one")}, "read"}, {"frr", "postinst", {digest("two")}, "read"}});
  to.lock->accept_secrets = {{"/usr/lib/a", {digest("a")}, "a test's"}};
  to.lock->users = {{"frr", 101, 102, "/nonexistent", "/bin/sh"}};
  to.lock->groups = {{"frrvty", 102, {"frr"}}};
  to.lock->folders = {{"/etc/frr", 101, 102, 0750}};
  const auto short_of = [](const char* text) { return digest(text).hex().substr(0, 12); };
  std::map<std::string, std::string> settings;
  for (const auto& setting : compare(from, to).settings) settings[setting.name] = setting.to;
  CHECK(settings == std::map<std::string, std::string>{
                        {"accept_scripts[frr postinst]", short_of("one") + ", " + short_of("two")},
                        {"accept_secrets[/usr/lib/a]", short_of("a")},
                        {"folders[/etc/frr]", "mode 0750, 101:102"},
                        {"groups[frrvty]", "frr, 102"},
                        {"users[frr]", "101, home /nonexistent, shell /bin/sh"}});
}

TEST_CASE("the same kernel name over another build is a risk, and so is a module of other bytes") {
  ReleaseFacts to = older();
  to.release.kernel.build_id = std::string(40, 'f');
  to.release.kernel.image.digest = digest("another");
  to.release.modules[1].digest = digest("other wg");
  const ReleaseDiff diff = compare(older(), to);
  CHECK(diff.kernel.change == Change::rebuilt);
  CHECK(warns(diff, RiskLevel::high, "as before, but is another build"));
  CHECK(warns(diff, RiskLevel::medium, "module wireguard has other bytes for the same kernel"));
}

TEST_CASE("terms that keep a release from following the other, and lost signatures, are risks") {
  ReleaseFacts from = older(), to = older();
  const auto terms = [](std::uint64_t version, const char* channel, std::uint64_t replaces_from) {
    return manifests::ReleaseTerms{version, *manifests::ChannelName::parse(channel), replaces_from,
                                   *UtcTime::parse("2027-01-01T00:00:00Z")};
  };
  from.release.terms = terms(5, "stable", 1);
  from.release.modules[1].signature_key = "abcd";
  const auto judged = [&](const manifests::ReleaseTerms& now, std::string_view expected) {
    to.release.terms = now;
    return warns(compare(from, to), RiskLevel::high, expected);
  };
  CHECK(judged(terms(6, "beta", 1), "another channel: stable -> beta"));
  CHECK(judged(terms(4, "stable", 1), "its release version goes back, 5 -> 4"));
  CHECK(judged(terms(9, "stable", 6), "it may replace version 6 and later only, and this is 5"));
  CHECK(judged(terms(6, "stable", 5), "module wireguard is no longer signed"));
  const auto diff = compare(from, to);
  CHECK_FALSE(warns(diff, RiskLevel::high, "version"));
  REQUIRE(diff.settings.size() == 2);
  CHECK(diff.settings[0].name == "release.replaces_from");
  CHECK(diff.settings[1].from == "5");
}

TEST_CASE("the page needs nothing else and quotes what it shows") {
  ReleaseFacts to = older();
  to.digest = digest("other");
  to.release.command_line = "<script>alert(1)</script>&\"";
  const std::string page = print_html(compare(older(), to));
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;") != std::string::npos);
  for (const char* outside : {"http:", "https:", "src=", "@import", "url("}) {
    CHECK(page.find(outside) == std::string::npos);
  }
}

TEST_CASE("layers are put over one another as the kernel does it") {
  const auto path = [](std::string_view text) { return *images::ImagePath::parse(text); };
  images::FileTree below, above;
  REQUIRE(below.put(path("etc/a"), {0644, 0, 0, 0, images::File{images::content_of("below")}}));
  REQUIRE(above.put(path("etc/a"), {0600, 0, 0, 0, images::File{images::content_of("above!")}}));
  ImageEntries entries;
  unpack_over(entries, below, "first");
  unpack_over(entries, above, "second");
  CHECK(entries.at("etc").layer == "first");
  CHECK(entries.at("etc/a").layer == "second");
  CHECK(entries.at("etc/a").size == 6);
  CHECK(entries.at("etc/a").digest == digest("above!"));
  CHECK(module_of("usr/lib/modules/6.1/kernel/net/nf-tables.ko.xz") == "nf_tables");
  CHECK(module_of("usr/lib/modules/6.1/modules.dep").empty());
  CHECK(module_of("usr/bin/x.ko").empty());
}

}  // namespace weir::builder
