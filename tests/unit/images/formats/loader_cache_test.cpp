#include "images/formats/loader_cache.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "manifests/base/digest.h"

namespace weir::images {
namespace {

// What ldconfig of Debian's glibc 2.36-9+deb12u14 wrote (`ldconfig -r ROOT -X`) of a root with
// these libraries.
constexpr std::string_view kWritten =
    "Z2xpYmMtbGQuc28uY2FjaGUxLjERAAAAWAIAAAIAAAAgBAAAAAAAAAAAAAAAAAAAAwMAAM8DAAC5AwAAAAAAAAAAAAAAAA"
    "AA"
    "AwMAAN4BAADIAQAAAAAAAAAAAAAAAAAAAwMAANACAAC6AgAAAAAAAAAAAAAAAAAAAwMAAB8CAAAJAgAAAAAAAAAAAAAAAA"
    "AA"
    "AwMAADQDAAAeAwAAAAAAAAAAAAAAAAAAAwMAAFkDAABDAwAAAAAAAAAAAAAAAAAAAwMAAEECAAArAgAAAAAAAAAAAAAAAA"
    "AA"
    "AwMAAKkCAACTAgAAAAAAAAAAAAAAAAAAAwMAAIQCAABuAgAAAAAAAAAAAAAAAAAAAwMAABQEAAD+"
    "AwAAAAAAAAAAAAAAAAAA"
    "AwMAAGQCAABOAgAAAAAAAAAAAAAAAAAAAwMAAPQCAADeAgAAAAAAAAAAAAAAAAAAAwMAAH8DAABpAwAAAAAAAAAAAAAAAA"
    "AA"
    "AwMAAPwBAADmAQAAAAAAAAAAAAAAAAAAAwMAABQDAAD+"
    "AgAAAAAAAAAAAAAAAAAAAwMAAO8DAADZAwAAAAAAAAAAAAAAAAAA"
    "AwMAAKQDAACOAwAAAAAAAAAAAAAAAAAAL2xpYi94ODZfNjQtbGludXgtZ251L2xpYnouc28AL2xpYi94ODZfNjQtbGludX"
    "gt"
    "Z251L2xpYmNyeXB0by5zbwAvbGliL3g4Nl82NC1saW51eC1nbnUvbGlidGluZm8uc28AL2xpYi94ODZfNjQtbGludXgtZ2"
    "51"
    "L2xpYnNvZGl1bS5zbwAvbGliL3g4Nl82NC1saW51eC1nbnUvbGlibW5sLnNvAC9saWIveDg2XzY0LWxpbnV4LWdudS9saW"
    "Jy"
    "ZWFkbGluZS5zbwAvbGliL3g4Nl82NC1saW51eC1nbnUvbGlicmVhZGxpbmUuc28uOAAvbGliL3g4Nl82NC1saW51eC1nbn"
    "Uv"
    "bGlidGluZm8uc28uNgAvbGliL3g4Nl82NC1saW51eC1nbnUvbGlibS5zby42AC9saWIveDg2XzY0LWxpbnV4LWdudS9saW"
    "Jj"
    "LnNvLjYAL2xpYi94ODZfNjQtbGludXgtZ251L2xpYnN0ZGMrKy5zby42AC9saWIveDg2XzY0LWxpbnV4LWdudS9saWJzb2"
    "Rp"
    "dW0uc28uMjMAL2xpYi94ODZfNjQtbGludXgtZ251L2xpYmNyeXB0by5zby4zAC9saWIveDg2XzY0LWxpbnV4LWdudS9sZC"
    "1s"
    "aW51eC14ODYtNjQuc28uMgAvbGliL3g4Nl82NC1saW51eC1nbnUvbGliei5zby4xAC9saWIveDg2XzY0LWxpbnV4LWdudS"
    "9s"
    "aWJhdG9taWMuc28uMQAvbGliL3g4Nl82NC1saW51eC1nbnUvbGlibW5sLnNvLjAAdCGk6gEAAAAAAAAAAAAAADgEAABDAA"
    "AA"
    "bGRjb25maWcgKERlYmlhbiBHTElCQyAyLjM2LTkrZGViMTJ1MTQpIHN0YWJsZSByZWxlYXNlIHZlcnNpb24gMi4zNg==";

constexpr std::int32_t kKindOfAmd64 = 0x0303;  ///< "libc6,x86-64"

std::vector<CachedLibrary> libraries() {
  std::vector<CachedLibrary> out;
  for (const char* name :
       {"ld-linux-x86-64.so.2", "libatomic.so.1", "libc.so.6", "libcrypto.so", "libcrypto.so.3",
        "libm.so.6", "libmnl.so", "libmnl.so.0", "libreadline.so", "libreadline.so.8",
        "libsodium.so", "libsodium.so.23", "libstdc++.so.6", "libtinfo.so", "libtinfo.so.6",
        "libz.so", "libz.so.1"}) {
    out.push_back({name, std::string("/lib/x86_64-linux-gnu/") + name});
  }
  return out;
}

}  // namespace

TEST_CASE("the loader's cache is byte for byte what ldconfig writes") {
  const auto written = parse_base64(kWritten);
  REQUIRE(written.has_value());
  constexpr std::string_view kGenerator =
      "ldconfig (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36";
  CHECK(encode_loader_cache(libraries(), kKindOfAmd64, kGenerator) == *written);
}

// As `ldconfig -p` lists files of these names, last to first.
TEST_CASE("names of libraries are in the loader's order") {
  const std::vector<std::string> ordered = {"libb-1.so",    "libb-1.so.9",   "libb-1.so.10",
                                            "libb-02.so.1", "libb-010.so.1", "libbc.so.1"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      CAPTURE(ordered[i]);
      CAPTURE(ordered[j]);
      const int order = compare_library_names(ordered[i], ordered[j]);
      CHECK((i < j ? order < 0 : i > j ? order > 0 : order == 0));
    }
  }
}

}  // namespace weir::images
