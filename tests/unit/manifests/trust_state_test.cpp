#include "manifests/trust_state.h"

#include <doctest/doctest.h>

namespace weir::manifests {

TEST_CASE("a trust state survives printing and parsing, and nonsense is refused") {
  const Digest digest = Digest::of(as_bytes("x"));
  TrustState state;
  CHECK(*parse_trust_state(print(state)) == state);
  state.trust = SeenTrust{3, digest};
  state.channels.emplace(*ChannelName::parse("stable"),
                         SeenRelease{7, "gateway-7", digest, {"0123456789ABCDEF"}});
  CHECK(*parse_trust_state(print(state)) == state);
  for (const char* text : {"", "{}", "{\"type\":\"weir.trust-state/2\",\"channels\":[]}",
                           "{\"type\":\"weir.trust-state/1\",\"channels\":[{}]}",
                           "{\"type\":\"weir.trust-state/1\",\"channels\":[],\"x\":1}"}) {
    CAPTURE(text);
    CHECK(parse_trust_state(text).error().code == Errc::invalid_input);
  }
}

}  // namespace weir::manifests
