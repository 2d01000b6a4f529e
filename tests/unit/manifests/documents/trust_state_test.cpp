#include "manifests/documents/trust_state.h"

#include <doctest/doctest.h>

namespace weir::manifests {

TEST_CASE("a trust state survives printing and parsing, and nonsense is refused") {
  const Digest digest = Digest::of(as_bytes("x"));
  TrustState state;
  CHECK(*parse_trust_state(print(state)) == state);
  state.trust = SeenTrust{3, digest};
  state.channels.emplace(*ChannelName::parse("stable"),
                         SeenVersions{{7,
                                       {{"gateway-6.1", digest, {"0123456789ABCDEF"}},
                                        {"gateway-6.12", Digest::of(as_bytes("y")), {}}}},
                                      {5, {{"gateway-6.1", digest, {"FEDCBA9876543210"}}}}});
  CHECK(*parse_trust_state(print(state)) == state);
  for (const char* text : {"", "{}", "{\"type\":\"weir.trust-state/4\",\"channels\":[]}",
                           "{\"type\":\"weir.trust-state/3\",\"channels\":[{}]}",
                           "{\"type\":\"weir.trust-state/3\",\"channels\":[],\"x\":1}"}) {
    CAPTURE(text);
    CHECK(parse_trust_state(text).error().code == Errc::invalid_input);
  }
  for (const char* releases : {"[]", "[{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[1]}]",
                               "[{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[]},"
                               "{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[]}]"}) {
    CAPTURE(releases);
    std::string text =
        "{\"type\":\"weir.trust-state/3\",\"channels\":[{\"channel\":\"stable\",\"versions\":["
        "{\"version\":1,\"releases\":" +
        std::string(releases) + "}]}]}";
    for (auto at = text.find("DIGEST"); at != std::string::npos; at = text.find("DIGEST")) {
      text.replace(at, 6, digest.string());
    }
    CHECK(parse_trust_state(text).error().code == Errc::invalid_input);
  }
  CHECK(parse_trust_state("{\"type\":\"weir.trust-state/1\",\"channels\":[]}")
            .error()
            .message.find("another version of Weir wrote it") != std::string::npos);
}

TEST_CASE("older versions of a channel are in order, and not without end") {
  const Digest digest = Digest::of(as_bytes("x"));
  const auto parsed = [&](const std::vector<std::uint64_t>& numbers) {
    SeenVersions versions;
    for (const std::uint64_t each : numbers) versions.push_back({each, {{"g", digest, {"A"}}}});
    return parse_trust_state(print(TrustState{{}, {{*ChannelName::parse("stable"), versions}}}));
  };
  CHECK(parsed({9, 8, 3}).has_value());
  for (const auto& numbers : {std::vector<std::uint64_t>{}, {3, 9}, {3, 3}}) {
    CHECK(parsed(numbers).error().code == Errc::invalid_input);
  }
  std::vector<std::uint64_t> most;
  for (std::uint64_t i = kMostSeenVersions; i > 0; --i) most.push_back(i);
  CHECK(parsed(most).has_value());
  most.push_back(0);
  CHECK(parsed(most).error().code == Errc::exhausted);
}

TEST_CASE("a state of before older versions were kept is read as one version a channel") {
  const Digest digest = Digest::of(as_bytes("x"));
  const std::string channel =
      "\"channel\":\"stable\",\"version\":7,\"releases\":[{\"release\":\"g\",\"digest\":\"" +
      digest.string() + "\",\"signers\":[\"A\"]}]";
  const auto parsed = [&](const std::string& type, const std::string& fields) {
    return parse_trust_state("{\"type\":\"weir.trust-state/" + type + "\",\"channels\":[{" +
                             fields + "}]}");
  };
  const auto old = parsed("2", channel);
  REQUIRE_MESSAGE(old.has_value(), old.error().message);
  CHECK(old->channels.at(*ChannelName::parse("stable")) ==
        SeenVersions{{7, {{"g", digest, {"A"}}}}});
  CHECK(parsed("3", channel).error().code == Errc::invalid_input);
  CHECK(parsed("2", channel + ",\"versions\":[]").error().code == Errc::invalid_input);
}

}  // namespace weir::manifests
