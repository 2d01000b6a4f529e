// A state file that several verifiers write at once.
#include "keys/trust/edge/trust_files.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "manifests/base/edge/file.h"
#include "tests/unit/keys/scratch.h"
#include "trust_fixture.h"

namespace weir::keys {
namespace {

using manifests::SeenTrust;
using manifests::TrustState;

/// Whether nobody holds the state's lock.
bool is_free(const std::string& state) {
  const Fd fd(::open((state + ".lock").c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(fd.valid());
  return ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0;
}

std::uint64_t version_of(const TrustState& state) {
  return state.trust ? state.trust->version : 0;
}

}  // namespace

TEST_CASE("nobody else changes a state between reading and writing it") {
  const testing::Scratch folder;
  const std::string path = folder / "s";
  const Digest digest = Digest::of(as_bytes("x"));
  REQUIRE(update_trust_state(path, [&](TrustState seen) -> Result<TrustState> {
            CHECK(seen == TrustState{});
            CHECK_FALSE(is_free(path));
            seen.trust = SeenTrust{1, digest};
            return seen;
          }).has_value());
  CHECK(is_free(path));
  const std::string before = *read_file(path, ByteCount{1 << 20});
  const auto refused = update_trust_state(path, [&](const TrustState& seen) -> Result<TrustState> {
    CHECK(version_of(seen) == 1);
    return fail(Errc::unauthorized, "no");
  });
  CHECK(refused.error().message == "no");
  CHECK(is_free(path));
  CHECK(*read_file(path, ByteCount{1 << 20}) == before);
}

TEST_CASE("of many who write a state at once, none is forgotten") {
  constexpr int kWriters = 4, kRounds = 25;
  const testing::Scratch folder;
  const std::string path = folder / "s";
  const Digest digest = Digest::of(as_bytes("x"));
  std::vector<int> done(kWriters);
  std::vector<std::thread> writers;
  writers.reserve(done.size());
  for (int& mine : done) {
    writers.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        mine += update_trust_state(path, [&](TrustState seen) -> Result<TrustState> {
                  seen.trust = SeenTrust{version_of(seen) + 1, digest};
                  return seen;
                }).has_value();
      }
    });
  }
  for (std::thread& each : writers) each.join();
  CHECK(done == std::vector<int>(kWriters, kRounds));
  CHECK(version_of(*read_trust_state(path)) == kWriters * kRounds);
}

TEST_CASE("a wait for another writer is told, and ends when it is interrupted") {
  const testing::Scratch folder;
  const std::string path = folder / "s";
  const Fd held(::open((path + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(::flock(held.get(), LOCK_EX) == 0);
  std::string told;
  const auto judge = [](const TrustState& seen) -> Result<TrustState> { return seen; };
  const Waiting until_told{[&] { return !told.empty(); },
                           [&](const std::string& line) { told = line; }};
  const auto ended = update_trust_state(path, judge, Loss::refused, until_told);
  CHECK(ended.error().code == Errc::busy);
  CHECK(told == "waits for " + path + ".lock, which another process has locked");
  // At once, and without a word, where it is interrupted at once.
  told.clear();
  const Waiting not_at_all{[] { return true; }, until_told.say};
  CHECK(update_trust_state(path, judge, Loss::refused, not_at_all).error().code == Errc::busy);
  CHECK(told.empty());
}

TEST_CASE("a state that others may write, or that belongs to somebody else, is not believed") {
  const testing::Scratch folder;
  const std::string path = folder / "s";
  REQUIRE(write_file(path, print(TrustState{}), 0600).has_value());
  const auto judge = [](const TrustState& seen) -> Result<TrustState> { return seen; };
  const auto refusals = [&] {
    const auto read = read_trust_state(path);
    const auto updated = update_trust_state(path, judge);
    REQUIRE_FALSE(read.has_value());
    REQUIRE_FALSE(updated.has_value());
    return std::vector{read.error(), updated.error()};
  };
  for (const unsigned mode : {0666U, 0620U, 0602U}) {
    CAPTURE(mode);
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    for (const Error& error : refusals()) {
      CHECK(error.code == Errc::unauthorized);
      CHECK(error.message.starts_with(path + ": others may write it"));
      CHECK(error.message.find("chmod 600") != std::string::npos);
    }
  }
  // Nothing in it is secret.
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(read_trust_state(path).has_value());
  CHECK(update_trust_state(path, judge).has_value());
  if (::geteuid() != 0) return;  // only root can give it away
  REQUIRE(::chown(path.c_str(), 4711, 4711) == 0);
  for (const Error& error : refusals()) {
    CHECK(error.code == Errc::unauthorized);
    CHECK(error.message.starts_with(path + ": belongs to user 4711"));
  }
}

TEST_CASE("a state that is empty, or was cut, is told with what to do") {
  const testing::Scratch folder;
  const std::string path = folder / "s";
  const std::string whole = print(TrustState{SeenTrust{1, Digest::of(as_bytes("x"))}, {}});
  for (const std::string& text : {std::string(), whole.substr(0, whole.size() / 2)}) {
    CAPTURE(text);
    REQUIRE(write_file(path, text, 0600).has_value());
    const auto read = read_trust_state(path);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == Errc::invalid_input);
    CHECK(read.error().message.starts_with(path + ": trust state: "));
    CHECK(
        read.error().message.ends_with("; bring it back as it was, or move it away and begin "
                                       "anew: weir-keys trust verify TRUST --state " +
                                       path + " --first-use"));
  }
}

TEST_CASE("what stands in a lock's place and is no file is told with what to do") {
  const testing::Scratch folder;
  const std::string path = folder / "s", lock = path + ".lock";
  const auto refused = [&] {
    const auto updated =
        update_trust_state(path, [](const TrustState& seen) -> Result<TrustState> { return seen; });
    REQUIRE_FALSE(updated.has_value());
    CHECK(updated.error().message == lock + ": is no file: remove it, and it is made again");
  };
  REQUIRE(::mkfifo(lock.c_str(), 0600) == 0);
  refused();
  REQUIRE(::unlink(lock.c_str()) == 0);
  REQUIRE(::mkdir(lock.c_str(), 0700) == 0);
  refused();
}

TEST_CASE("a state that could not be read again is not written") {
  const testing::Scratch folder;
  const auto refused = update_trust_state(folder / "s", [](TrustState seen) -> Result<TrustState> {
    auto& versions = seen.channels[*manifests::ChannelName::parse("stable")];
    versions.push_back({1, {{std::string(1 << 20, 'x'), Digest::of(as_bytes("x")), {}}}});
    return seen;
  });
  CHECK(refused.error().code == Errc::exhausted);
  CHECK_FALSE(std::filesystem::exists(folder / "s"));
}

}  // namespace weir::keys
