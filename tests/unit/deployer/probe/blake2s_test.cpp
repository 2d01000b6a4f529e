#include "deployer/probe/blake2s.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::probe {
namespace {

std::string counting(std::size_t size) {
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(i);
  return out;
}

}  // namespace

// RFC 7693, appendix B.
TEST_CASE("BLAKE2s-256 agrees with RFC 7693") {
  const char* expected = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
  CHECK(hex_of(blake2s({as_bytes("abc")})) == expected);
  CHECK(hex_of(blake2s({as_bytes("a"), as_bytes(""), as_bytes("bc")})) == expected);
}

// Values from CPython's hashlib and hmac modules.
TEST_CASE("the MAC is BLAKE2s keyed and 16 bytes long, not a truncated one") {
  const std::string key = counting(32);
  CHECK(hex_of(blake2s_mac(as_bytes(key), as_bytes("abc"))) == "61ba5f165c194692e09d12520cc4c74a");
  CHECK(hex_of(blake2s_mac(as_bytes(key), {})) == "9536f9b267655743dee97b8a670f9f53");
  CHECK(hex_of(blake2s_mac(as_bytes(key).first(16), as_bytes("abc"))) ==
        "75296c2d2c0f51210b383f386bc8b1ff");
}

TEST_CASE("the KDF agrees with one of CPython's HMAC") {
  const std::string key = counting(32);
  CHECK(hex_of(kdf(as_bytes(std::string(32, '\0')), {}, 1)->at(0).bytes()) ==
        "8387b46bf43eccfcf349552a095d8315c4055beb90208fb1be23b894bc2ed5d0");
  const auto keys = kdf(as_bytes(key), as_bytes("input"), 3);
  REQUIRE(keys->size() == 3);
  CHECK(hex_of((*keys)[0].bytes()) ==
        "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040");
  CHECK(hex_of((*keys)[1].bytes()) ==
        "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824");
  CHECK(hex_of((*keys)[2].bytes()) ==
        "9ad858025593be88de0f9442a589cfe84a88dc19e4753d93684d1c5efc4837f9");
}

}  // namespace weir::probe
