// One judge for all programs: evidence in, verdict and reasons out, without a file.
#include "keys/trust/judge.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "manifests/documents/rebuild_statement.h"
#include "tests/unit/keys/trust/trust_fixture.h"

namespace weir::keys {
namespace {

using testing::kNow;
using testing::People;
using testing::release_text;

constexpr std::size_t kRoot = 0, kRelease = 1, kRebuilder = 2, kOther = 3;

struct Court {
  People people{4};
  manifests::ReleaseEvidence evidence{
      *ReleaseName::parse("demo"), "release demo", release_text("demo", 5), {}, {}, {}};
  manifests::Trust trust = people.trust(1, {kRoot, kRelease}, 1);
  TrustDemands demands;
  Circumstances at{kNow, {}, {}};

  Court() {
    evidence.signatures = {people.sign(kRelease, evidence.release)};
    trust.roles[manifests::Role::root] = people.role({kRoot}, 1);
    trust.roles[manifests::Role::release] = people.role({kRelease}, 1);
  }
  [[nodiscard]] TrustedFile file() const {
    const std::string text = print(trust);
    manifests::TrustFile out;
    out.versions.push_back({text, people.sign_all({kRoot}, text)});
    return {"t.json", print(out), *manifests::ChannelName::parse("stable"), {}};
  }
  [[nodiscard]] Verdict by_trust() const { return judge(evidence, file(), demands, at); }
  [[nodiscard]] Verdict by_key() const {
    return judge(evidence, std::vector{people.pair(kRelease).public_key}, demands, at);
  }
  [[nodiscard]] Digest digest() const { return Digest::of(as_bytes(evidence.release)); }
  void rebuilt_by(std::size_t who) {
    const std::string text = print(
        manifests::RebuildStatement{evidence.name, digest(), Digest::of(as_bytes("lock")), "1"});
    evidence.statements[StatementKind::rebuild].push_back({text, people.sign(who, text)});
  }
};

std::vector<Ground> grounds(const Verdict& verdict) {
  std::vector<Ground> out;
  for (const Reason& each : verdict.reasons()) out.push_back(each.ground);
  return out;
}

std::string refusal(const Verdict& verdict) {
  const auto release = verdict.release();
  return release ? "accepted" : release.error().message;
}

}  // namespace

TEST_CASE("what speaks against a release is said with its ground, by keys and by a trust") {
  using Grounds = std::vector<Ground>;
  Court court;
  CHECK(grounds(court.by_trust()).empty());
  CHECK(court.by_key().release()->digest() == court.digest());

  Court stranger;
  stranger.evidence.signatures = {stranger.people.sign(kOther, stranger.evidence.release)};
  CHECK(grounds(stranger.by_trust()) == Grounds{Ground::signatures});
  CHECK(grounds(stranger.by_key()) == Grounds{Ground::signatures});
  // The trust was good: it may be remembered.
  CHECK((*stranger.by_trust().trust())->version == 1);

  Court misplaced;
  misplaced.evidence.name = *ReleaseName::parse("other");
  CHECK(grounds(misplaced.by_trust()) == Grounds{Ground::place});
  CHECK(misplaced.by_key().release().error().code == Errc::integrity);

  Court forged;
  forged.trust.expires = kNow;
  CHECK(grounds(forged.by_trust()) == Grounds{Ground::trust});
  CHECK_FALSE(forged.by_trust().trust().has_value());

  Court late;
  late.at.now = UtcTime{kNow.seconds + 600};
  CHECK(grounds(late.by_trust()) == Grounds{Ground::terms});
  CHECK(grounds(late.by_key()) == Grounds{Ground::terms});
  Court old;
  const auto seen = old.by_trust();
  old.at.seen = remember({}, *seen.trust(), *seen.release());
  old.evidence.release = release_text("demo", 4);
  old.evidence.signatures = {old.people.sign(kRelease, old.evidence.release)};
  CHECK(grounds(old.by_trust()) == Grounds{Ground::terms});
  CHECK(grounds(old.by_key()).empty());  // keys know no versions
}

TEST_CASE("all that is demanded and missing is said at once") {
  Court court;
  court.demands.own_key_search = true;
  court.demands.statements.push_back(
      {StatementKind::rebuild, {court.people.pair(kRebuilder).public_key}, 1});
  for (const Verdict& verdict : {court.by_trust(), court.by_key()}) {
    CHECK(grounds(verdict) == std::vector{Ground::own_keys, Ground::statements});
    const std::string said = refusal(verdict);
    CHECK(said.find("release demo: was not searched for the fleet's own keys") == 0);
    CHECK(said.find("; and: release demo: was rebuilt by 0 of the 1 demanded") != said.npos);
  }
  court.demands.own_key_search = false;
  court.rebuilt_by(kRebuilder);
  CHECK(refusal(court.by_key()) == "accepted");
  CHECK(court.by_trust().stated_by().at(StatementKind::rebuild) ==
        std::vector{court.people.id(kRebuilder)});
}

TEST_CASE("a trust's roles are demanded unless they are waived, and of what runs nothing is") {
  Court court;
  court.trust.keys.push_back(court.people.key(kRebuilder));
  court.trust.roles[manifests::Role::rebuild] = court.people.role({kRebuilder}, 1);
  CHECK(grounds(court.by_trust()) == std::vector{Ground::statements});
  court.demands.roles = false;
  CHECK(refusal(court.by_trust()) == "accepted");
  court.demands.roles = true;
  court.at.running = {court.digest()};
  court.at.now = UtcTime{kNow.seconds + 600};
  CHECK(refusal(court.by_trust()) == "accepted");
  CHECK(refusal(court.by_key()) == "accepted");
  court.at.running.clear();
  court.at.now = kNow;
  court.rebuilt_by(kOther);
  CHECK(grounds(court.by_trust()) == std::vector{Ground::statements});
  court.rebuilt_by(kRebuilder);
  CHECK(refusal(court.by_trust()) == "accepted");
}

TEST_CASE("nothing that is malformed beside good evidence makes it count for less") {
  Court good;
  good.trust.keys.push_back(good.people.key(kRebuilder));
  good.trust.roles[manifests::Role::rebuild] = good.people.role({kRebuilder}, 1);
  good.rebuilt_by(kRebuilder);
  const manifests::ReleaseEvidence whole = good.evidence;
  const std::string right = whole.signatures.front();
  for (const std::string& broken : {std::string(), std::string("nonsense"), right.substr(0, 90),
                                    good.people.sign(kOther, "something else")}) {
    CAPTURE(broken);
    for (const bool first : {true, false}) {
      Court& court = good;
      court.evidence = whole;
      auto& signatures = court.evidence.signatures;
      signatures.insert(first ? signatures.begin() : signatures.end(), broken);
      auto& statements = court.evidence.statements[StatementKind::rebuild];
      const std::vector<manifests::SignedText> worse = {
          {"{", broken}, {statements.front().json, broken}, {broken, statements.front().signature}};
      statements.insert(first ? statements.begin() : statements.end(), worse.begin(), worse.end());
      court.evidence.unreadable.emplace_back("x.minisig: larger than 64 KiB");
      CHECK(refusal(court.by_trust()) == "accepted");
      CHECK(refusal(court.by_key()) == "accepted");
    }
  }
  // Where it is not enough, what could not be read is said too.
  Court& alone = good;
  alone.evidence = whole;
  alone.evidence.signatures = {"nonsense"};
  alone.evidence.unreadable.emplace_back("x.minisig: larger than 64 KiB");
  CHECK(refusal(alone.by_trust()).find("x.minisig: larger than 64 KiB") != std::string::npos);
  CHECK(grounds(alone.by_key()) == std::vector{Ground::signatures});
}

TEST_CASE("a pinned digest of version 1 refuses every other trust") {
  Court court;
  TrustedFile file = court.file();
  file.pin = Digest::of(as_bytes(print(court.trust)));
  CHECK(refusal(judge(court.evidence, file, {}, court.at)) == "accepted");
  file.pin = Digest::of(as_bytes("another"));
  CHECK(refusal(judge(court.evidence, file, {}, court.at)).find("t.json: trust version 1: has") ==
        0);
}

}  // namespace weir::keys
