// A fleet that demands boot checks and rebuilds, by its own document and by its trust file, up to
// the point where weir-deployer accepts a release or refuses it.
#include "deployer/site/edge/accepted_release.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include <atomic>
#include <filesystem>

#include "deployer/rollout/nodelife/edge/pools.h"
#include "deployer/site/edge/site.h"
#include "deployer/state/sqlite/edge/sqlite_store.h"
#include "images/store/folder/edge/folder_store.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/statements.h"
#include "manifests/base/edge/file.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/rebuild_statement.h"
#include "tests/text.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::deployer {
namespace {

using test::has;

constexpr UtcTime kFarAway{4070908800};  // 2099
constexpr std::size_t kRelease = 0, kLab = 1, kOther = 2, kRoot = 3;

struct FleetFolder {
  std::string path = "/tmp/weirt-demands-XXXXXX";
  testing::People people{4};
  std::string release;
  Digest digest = Digest::of({});

  explicit FleetFolder(UtcTime expires = kFarAway)
      : release(testing::release_text("gateway", 5, "stable", 0, expires)),
        digest(Digest::of(as_bytes(release))) {
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    REQUIRE(write_file(path + "/peers.jsonl", "").has_value());
    for (const auto& [name, who] :
         {std::pair("release", kRelease), std::pair("lab", kLab), std::pair("other", kOther)}) {
      REQUIRE(write_file(path + "/" + name + ".pub", print(people.pair(who).public_key)));
    }
    REQUIRE(images::FolderStore::open_or_create(path + "/store").has_value());
    put(release);
  }
  FleetFolder(const FleetFolder&) = delete;
  FleetFolder& operator=(const FleetFolder&) = delete;
  ~FleetFolder() { std::filesystem::remove_all(path); }

  /// Makes this document the release. Nobody reads its blobs here.
  void put(const std::string& text) {
    release = text;
    digest = Digest::of(as_bytes(text));
    const std::string folder = path + "/store/releases/gateway";
    REQUIRE(make_folders(folder).has_value());
    REQUIRE(write_file(folder + "/release.json", text).has_value());
    REQUIRE(write_file(folder + "/release.json.minisig", people.sign(kRelease, text)).has_value());
  }
  /// Writes fleet.yaml with these fields about trust.
  void fleet(const std::string& fields) const {
    const std::string text =
        "name: t\nstate: state\nstore: store\nidentity: i\npeers: peers.jsonl\n" + fields +
        "\ndirector: {driver: nft, upstream_interface: up0}\nvip: {ipv4: 198.51.100.1}\n"
        "fabric: {ipv4: 10.254.0.0/24, ipv6: 'fd00:fab::/64', management: 10.254.1.0/24}\n"
        "clients: [10.8.0.0/16]\npools:\n"
        "  - {name: blue, driver: vm, nodes: [blue-1]}\n"
        "  - {name: green, driver: vm, nodes: [green-1]}\n";
    REQUIRE(write_file(path + "/fleet.yaml", text).has_value());
  }
  /// Writes trust.json, with a boot-check role of these people if there are any.
  void trust(const std::vector<std::size_t>& checkers) const {
    manifests::Trust trust = people.trust(1, {kRoot, kRelease}, 1);
    trust.expires = kFarAway;
    trust.roles[manifests::Role::root] = people.role({kRoot}, 1);
    trust.roles[manifests::Role::release] = people.role({kRelease}, 1);
    if (!checkers.empty()) {
      for (const std::size_t who : checkers) trust.keys.push_back(people.key(who));
      trust.roles[manifests::Role::boot_check] = people.role(checkers, 1);
    }
    const std::string text = print(trust);
    manifests::TrustFile file;
    file.versions.push_back({text, people.sign_all({kRoot}, text)});
    REQUIRE(write_file(path + "/trust.json", print(file)).has_value());
  }
  /// Appends a version to trust.json, signed by root.
  template <class Change>
  void next_trust(Change change) const {
    auto file = *manifests::parse_trust_file(*read_file(path + "/trust.json", ByteCount{1 << 20}));
    auto next = *manifests::parse_trust(file.versions.back().document);
    ++next.version;
    change(next);
    const std::string text = print(next);
    file.versions.push_back({text, people.sign_all({kRoot}, text)});
    REQUIRE(write_file(path + "/trust.json", print(file)).has_value());
  }
  [[nodiscard]] std::string first_digest() const {
    const auto file =
        *manifests::parse_trust_file(*read_file(path + "/trust.json", ByteCount{1 << 20}));
    return Digest::of(as_bytes(file.versions.front().document)).string();
  }
  void state(keys::StatementKind kind, std::size_t who, const std::string& json) const {
    const auto signer = keys::signer_with(people.pair(who).secret_key);
    const auto text =
        keys::sign_statement(kind, *ReleaseName::parse("gateway"), digest, json, signer);
    REQUIRE(text.has_value());
    const auto attachment = kind == keys::StatementKind::rebuild ? images::AttachmentKind::rebuilt
                                                                 : images::AttachmentKind::booted;
    auto into = *images::FolderStore::open(path + "/store");
    REQUIRE(into.attach(digest, attachment, {text->json, text->signature, people.id(who)}));
  }
  void boot_checked(std::size_t who, const Digest& about, const char* kernel = "1") const {
    const auto said = *manifests::parse_release(release);
    state(keys::StatementKind::boot_check, who,
          print(manifests::BootCheckStatement{
              *ReleaseName::parse("gateway"),
              about,
              UtcTime{1795305600},
              "1",
              "machine",
              "peer",
              {said.lock_digest, kernel, said.kernel.build_id, {}, {}},
              {1, 1, 1, 1, 1, 1},
              {{"first-handshake", 1}, {"first-data", 2}}}));
  }
  void rebuilt(std::size_t who) const {
    state(keys::StatementKind::rebuild, who,
          print(manifests::RebuildStatement{*ReleaseName::parse("gateway"), digest,
                                            Digest::of(as_bytes("lock")), "1"}));
  }
  [[nodiscard]] std::unique_ptr<Site> open() const {
    auto site = Site::open(path + "/fleet.yaml", Access::write, [](const std::string&) {});
    if (!site) FAIL(site.error().message);
    return std::move(*site);
  }
  /// What weir-deployer says to the release: nothing where it accepts it.
  [[nodiscard]] std::string refusal(Seeing seeing = Seeing::remembered,
                                    const char* name = "gateway") const {
    const auto site = open();
    const auto result = read_verified_release(*site, *ReleaseName::parse(name), seeing);
    if (!result) return result.error().message;
    if (seeing == Seeing::forgotten) return "";
    const auto remembered = site->remember(*result);
    return remembered ? "" : remembered.error().message;
  }
  [[nodiscard]] manifests::TrustState seen() const {
    return *keys::read_trust_state(path + "/state/trust.state");
  }
  [[nodiscard]] bool remembers() const { return !seen().channels.empty(); }
};

}  // namespace

TEST_CASE("a fleet that demands a boot check refuses a release without one") {
  const FleetFolder folder;
  folder.fleet("trusted_keys: [release.pub]");
  CHECK(folder.refusal().empty());
  folder.fleet("trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub]}");
  const std::string missing = folder.refusal();
  CAPTURE(missing);
  CHECK(has(missing, "release gateway in "));
  CHECK(has(missing, "was boot-checked by 0 of the 1 demanded"));
  CHECK(has(missing, "weir-builder boot-check"));
  CHECK(folder.refusal(Seeing::forgotten) == missing);  // --plan says the same

  folder.boot_checked(kOther, folder.digest);
  CHECK(has(folder.refusal(), "it is not one of those asked"));
  folder.boot_checked(kLab, Digest::of(as_bytes("another release")));
  CHECK(has(folder.refusal(), "it is about another release"));
  folder.boot_checked(kLab, folder.digest, "9.9");
  CHECK(has(folder.refusal(), "reports kernel 9.9, but its release says 1"));
  folder.boot_checked(kLab, folder.digest);
  CHECK(folder.refusal().empty());

  folder.fleet(
      "trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub, other.pub], threshold: 2}");
  CHECK(folder.refusal().empty());
  folder.fleet(
      "trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub]}\nrebuild: {keys: [other.pub]}");
  CHECK(has(folder.refusal(), "was rebuilt by 0 of the 1 demanded"));
  folder.rebuilt(kOther);
  CHECK(folder.refusal().empty());
  folder.fleet("trusted_keys: [release.pub]\nboot_check: {keys: [missing.pub]}");
  CHECK(has(folder.refusal(), "missing.pub"));
}

TEST_CASE("a file that a fleet names and that is not there is told with line, field and a way on") {
  const FleetFolder folder;
  folder.trust({});
  // The sixth line, as FleetFolder::fleet writes it.
  const std::string key = "No such file or directory; put there what its owner gave you; ";
  for (const auto& [fields, says] :
       {std::pair<std::string, std::string>{
            "trusted_keys: [release.pub, a.pub]",
            "6: trusted_keys[1]: " + folder.path + "/a.pub: " + key},
        {"trusted_keys: [release.pub]\nboot_check: {keys: [a.pub]}",
         "7: boot_check.keys[0]: " + folder.path + "/a.pub: " + key},
        {"trust: trust.json\nrebuild:\n  keys:\n    - release.pub\n    - a.pub",
         "10: rebuild.keys[1]: " + folder.path + "/a.pub: " + key},
        {"trust: none.json", "6: trust: " + folder.path +
                                 "/none.json: No such file or directory; weir-keys trust init"}}) {
    folder.fleet(fields);
    const std::string refused = folder.refusal();
    CHECK_MESSAGE(refused.starts_with(folder.path + "/fleet.yaml:" + says), refused);
  }
  std::filesystem::remove(folder.path + "/peers.jsonl");
  const auto site = Site::open(folder.path + "/fleet.yaml", Access::read, [](const auto&) {});
  REQUIRE_FALSE(site.has_value());
  CHECK_MESSAGE(site.error().message.starts_with(
                    folder.path + "/fleet.yaml:5: peers: " + folder.path +
                    "/peers.jsonl: No such file or directory; write a line of JSON"),
                site.error().message);
}

TEST_CASE("a fleet that demands it refuses a release that was not searched for own keys") {
  const FleetFolder folder;
  const std::string demanded = "trusted_keys: [release.pub]\nown_keys_searched: true";
  folder.fleet(demanded);
  const std::string missing = folder.refusal();
  CAPTURE(missing);
  CHECK(has(missing, "release gateway in "));
  CHECK(has(missing, "was not searched for the fleet's own keys"));
  CHECK(has(missing, "weir-builder build --secrets"));
  CHECK(folder.refusal(Seeing::forgotten) == missing);
  folder.fleet("trusted_keys: [release.pub]\nown_keys_searched: false");
  CHECK(folder.refusal().empty());
  folder.fleet("trust: trust.json\nown_keys_searched: true");
  folder.trust({});
  CHECK(has(folder.refusal(), "was not searched for the fleet's own keys"));
  CHECK_FALSE(folder.remembers());

  // Going back to what runs is not asked for it.
  folder.fleet(demanded);
  REQUIRE(folder.open()
              ->store()
              .put_pool(*PoolName::parse("blue"), {*ReleaseName::parse("gateway"), folder.digest})
              .has_value());
  CHECK(folder.refusal().empty());

  FleetFolder searched;
  auto release = manifests::parse_release(searched.release);
  REQUIRE(release.has_value());
  release->scan.own_keys = manifests::OwnKeys{3, Digest::of({})};
  searched.put(print(*release));
  searched.fleet(demanded);
  CHECK(searched.refusal().empty());
}

TEST_CASE("a fleet's trust file is followed, and its boot-check role demanded") {
  const FleetFolder folder;
  folder.fleet("trust: trust.json");
  folder.trust({kLab});
  CHECK(has(folder.refusal(), "was boot-checked by 0 of the 1 demanded"));
  CHECK_FALSE(folder.remembers());  // what was refused was not seen
  folder.boot_checked(kLab, folder.digest);
  CHECK(folder.refusal(Seeing::forgotten).empty());
  CHECK_FALSE(folder.remembers());
  CHECK(folder.refusal().empty());
  CHECK(folder.remembers());

  // The fleet's own demand comes on top of the role's.
  folder.fleet("trust: trust.json\nboot_check: {keys: [other.pub]}");
  CHECK(has(folder.refusal(), folder.people.id(kOther)));
  folder.fleet("trust: trust.json\nchannel: lab");
  CHECK(has(folder.refusal(), "lab"));
}

TEST_CASE("a release in another's place is refused, by keys and by a trust, and not remembered") {
  const FleetFolder folder;
  folder.trust({});
  std::filesystem::copy(folder.path + "/store/releases/gateway",
                        folder.path + "/store/releases/other");
  for (const char* trusted : {"trusted_keys: [release.pub]", "trust: trust.json"}) {
    CAPTURE(trusted);
    folder.fleet(trusted);
    const std::string refused = folder.refusal(Seeing::remembered, "other");
    CHECK(has(refused, "release other in "));
    CHECK(has(refused, "the signed document is of release 'gateway'"));
    CHECK_FALSE(folder.remembers());
    CHECK(folder.refusal().empty());
  }
}

TEST_CASE("an expired release is refused, by keys and by a trust, unless it runs already") {
  const FleetFolder folder(UtcTime{1700000000});
  folder.trust({});
  for (const char* trusted : {"trusted_keys: [release.pub]", "trust: trust.json"}) {
    CAPTURE(trusted);
    folder.fleet(trusted);
    CHECK(has(folder.refusal(), "expired at 2023-11-14T22:13:20Z"));
  }
  REQUIRE(folder.open()
              ->store()
              .put_pool(*PoolName::parse("blue"), {*ReleaseName::parse("gateway"), folder.digest})
              .has_value());
  for (const char* trusted : {"trusted_keys: [release.pub]", "trust: trust.json"}) {
    CAPTURE(trusted);
    folder.fleet(trusted);
    CHECK(folder.refusal().empty());
  }
}

TEST_CASE("a trust without the role demands nothing") {
  const FleetFolder folder;
  folder.fleet("trust: trust.json");
  folder.trust({});
  CHECK(folder.refusal().empty());
}

TEST_CASE("what runs already is not asked for statements: going back needs nobody's signature") {
  const FleetFolder folder;
  folder.fleet("trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub]}");
  CHECK_FALSE(folder.refusal().empty());
  REQUIRE(folder.open()
              ->store()
              .put_pool(*PoolName::parse("blue"), {*ReleaseName::parse("gateway"), folder.digest})
              .has_value());
  CHECK(folder.refusal().empty());
}

TEST_CASE("a newer trust is remembered although its release is refused: revoked signers stay out") {
  const FleetFolder folder;
  folder.fleet("trust: trust.json");
  folder.trust({});
  CHECK(folder.refusal().empty());
  const std::string older = *read_file(folder.path + "/trust.json", ByteCount{1 << 20});
  folder.next_trust([&](manifests::Trust& next) {
    next.revoked.push_back({folder.people.key(kRelease), "stolen"});
    std::erase(next.keys, folder.people.key(kRelease));
    next.keys.push_back(folder.people.key(kOther));
    next.roles[manifests::Role::release] = folder.people.role({kOther}, 1);
  });
  // A plan has no right to remember.
  CHECK(has(folder.refusal(Seeing::forgotten), "was revoked: stolen"));
  CHECK(folder.seen().trust->version == 1);
  CHECK(has(folder.refusal(), "was revoked: stolen"));
  CHECK(folder.seen().trust->version == 2);
  REQUIRE(write_file(folder.path + "/trust.json", older).has_value());
  CHECK(has(folder.refusal(), "somebody brings back an old trust"));
}

TEST_CASE("a newer trust is remembered although its release, or the store, is withheld") {
  const FleetFolder folder;
  folder.fleet("trust: trust.json");
  folder.trust({});
  CHECK(folder.refusal().empty());
  const std::string older = *read_file(folder.path + "/trust.json", ByteCount{1 << 20});
  for (const char* taken : {"/store/releases/gateway/release.json", "/store"}) {
    CAPTURE(taken);
    const auto before = folder.seen().trust->version;
    folder.next_trust([](manifests::Trust&) {});
    std::filesystem::rename(folder.path + taken, folder.path + "/taken");
    CHECK_FALSE(folder.refusal(Seeing::forgotten).empty());
    CHECK(folder.seen().trust->version == before);
    CHECK_FALSE(folder.refusal().empty());
    CHECK(folder.seen().trust->version == before + 1);
    std::filesystem::rename(folder.path + "/taken", folder.path + taken);
  }
  REQUIRE(write_file(folder.path + "/trust.json", older).has_value());
  CHECK(has(folder.refusal(), "somebody brings back an old trust"));
}

TEST_CASE(
    "a release is remembered when its blobs were read: one that is withheld freezes nothing") {
  FleetFolder folder;
  folder.fleet("trust: trust.json");
  folder.trust({});
  CHECK(folder.refusal().empty());
  const std::string good = folder.release;
  folder.put(testing::release_text("gateway", 6, "stable", 0, kFarAway));
  const auto site = folder.open();
  const auto newer =
      read_verified_release(*site, *ReleaseName::parse("gateway"), Seeing::remembered);
  REQUIRE(newer.has_value());
  // No blob of it is in the store, so it is not booted, and the older one still is accepted.
  const auto booted =
      boot_nodes(*site, *PoolName::parse("blue"), {*NodeId::parse("blue-1")}, *newer);
  REQUIRE_FALSE(booted.has_value());
  CHECK(booted.error().code == Errc::not_found);
  const auto versions = folder.seen().channels.begin()->second;
  CHECK(versions.front().version == 5);
  folder.put(good);
  CHECK(
      read_verified_release(*site, *ReleaseName::parse("gateway"), Seeing::remembered).has_value());
  // What took its name meanwhile is not remembered in its place.
  const auto replaced = site->remember(*newer);
  CHECK(replaced.error().code == Errc::integrity);
}

TEST_CASE("an order that waits for another's trust state can be interrupted") {
  const FleetFolder folder;
  folder.trust({});
  folder.fleet("trust: trust.json");
  const auto site = folder.open();
  const Fd held(::open((folder.path + "/state/trust.state.lock").c_str(),
                       O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  const std::atomic<bool> interrupted = true;
  site->end_when(interrupted);
  const auto ended =
      read_verified_release(*site, *ReleaseName::parse("gateway"), Seeing::remembered);
  REQUIRE_FALSE(ended.has_value());
  CHECK(ended.error().code == Errc::busy);
  CHECK_MESSAGE(has(ended.error().message, "trust.state.lock: interrupted"), ended.error().message);
}

TEST_CASE("a fleet's lost trust state is refused, its first use told, and its pin holds") {
  const FleetFolder folder;
  folder.trust({});
  folder.fleet("trust: trust.json\ntrust_pin: sha256:" + std::string(64, '0'));
  CHECK(has(folder.refusal(), "this is the trust of another fleet"));
  folder.fleet("trust: trust.json\ntrust_pin: " + folder.first_digest());
  CHECK(folder.refusal().empty());
  std::filesystem::remove(folder.path + "/state/trust.state");
  for (const Seeing seeing : {Seeing::forgotten, Seeing::remembered}) {
    CHECK(has(folder.refusal(seeing), "trust.state.lock shows that it was there"));
  }
  std::filesystem::remove(folder.path + "/state/trust.state.lock");
  std::vector<std::string> said;
  const auto site = Site::open(folder.path + "/fleet.yaml", Access::write,
                               [&](const std::string& line) { said.push_back(line); });
  REQUIRE(site.has_value());
  REQUIRE(read_verified_release(**site, *ReleaseName::parse("gateway"), Seeing::remembered)
              .has_value());
  REQUIRE(said.size() == 1);
  CHECK(has(said[0], "trust.state: is not there, so this is its first use"));
}

}  // namespace weir::deployer
