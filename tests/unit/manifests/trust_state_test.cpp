#include "manifests/trust_state.h"

#include <doctest/doctest.h>

namespace weir::manifests {

TEST_CASE("a trust state survives printing and parsing, and nonsense is refused") {
  const Digest digest = Digest::of(as_bytes("x"));
  TrustState state;
  CHECK(*parse_trust_state(print(state)) == state);
  state.trust = SeenTrust{3, digest};
  state.channels.emplace(*ChannelName::parse("stable"),
                         SeenVersion{7,
                                     {{"gateway-6.1", digest, {"0123456789ABCDEF"}},
                                      {"gateway-6.12", Digest::of(as_bytes("y")), {}}}});
  CHECK(*parse_trust_state(print(state)) == state);
  for (const char* text : {"", "{}", "{\"type\":\"weir.trust-state/3\",\"channels\":[]}",
                           "{\"type\":\"weir.trust-state/2\",\"channels\":[{}]}",
                           "{\"type\":\"weir.trust-state/2\",\"channels\":[],\"x\":1}"}) {
    CAPTURE(text);
    CHECK(parse_trust_state(text).error().code == Errc::invalid_input);
  }
  for (const char* releases : {"[]", "[{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[1]}]",
                               "[{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[]},"
                               "{\"release\":\"a\",\"digest\":\"DIGEST\",\"signers\":[]}]"}) {
    CAPTURE(releases);
    std::string text =
        "{\"type\":\"weir.trust-state/2\",\"channels\":[{\"channel\":\"stable\",\"version\":1,"
        "\"releases\":" +
        std::string(releases) + "}]}";
    for (auto at = text.find("DIGEST"); at != std::string::npos; at = text.find("DIGEST")) {
      text.replace(at, 6, digest.string());
    }
    CHECK(parse_trust_state(text).error().code == Errc::invalid_input);
  }
  CHECK(parse_trust_state("{\"type\":\"weir.trust-state/1\",\"channels\":[]}")
            .error()
            .message.find("another version of Weir wrote it") != std::string::npos);
}

}  // namespace weir::manifests
