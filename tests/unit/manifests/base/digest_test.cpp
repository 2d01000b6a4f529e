#include "manifests/base/digest.h"

#include <doctest/doctest.h>

#include <string>

namespace weir {

// Values: FIPS 180-2 appendix B, RFC 4648 section 10.
TEST_CASE("SHA-256 agrees with FIPS 180-2") {
  CHECK(Digest::of(as_bytes("abc")).hex() ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 stream;
  const std::string piece(1000, 'a');
  for (int i = 0; i < 1000; ++i) stream.update(as_bytes(piece));
  CHECK(std::move(stream).finish().hex() ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a digest is 64 lower-case hex digits, with or without its algorithm") {
  const std::string hex = Digest::of(as_bytes("abc")).hex();
  CHECK(Digest::parse(hex) == Digest::of(as_bytes("abc")));
  CHECK(Digest::parse("sha256:" + hex)->string() == "sha256:" + hex);
  for (const std::string& bad : {std::string(), hex + "0", hex.substr(1), "sha512:" + hex,
                                 "BA" + hex.substr(2), hex.substr(0, 63) + "g"}) {
    CAPTURE(bad);
    CHECK_FALSE(Digest::parse(bad).has_value());
  }
}

TEST_CASE("base64 agrees with RFC 4648 and refuses what is not canonical") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(base64_of(as_bytes(plain)) == coded);
    CHECK(parse_base64(coded) == std::string(plain));
  }
  for (const char* bad :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9v", "Zm9v\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_base64(bad).has_value());
  }
}

}  // namespace weir
