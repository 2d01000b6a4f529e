#include "images/tree/image_path.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::images {

TEST_CASE("a path is normalised whatever way it is written") {
  for (const char* text : {"usr/bin/wg", "/usr/bin/wg", "./usr/bin/wg", "//usr/./bin//wg/"}) {
    CAPTURE(text);
    const auto path = ImagePath::parse(text);
    REQUIRE(path.has_value());
    CHECK(path->string() == "usr/bin/wg");
    CHECK(path->name() == "wg");
    CHECK(path->parent().string() == "usr/bin");
  }
  for (const char* text : {"", "/", ".", "./", "//./"}) {
    CAPTURE(text);
    REQUIRE(ImagePath::parse(text).has_value());
    CHECK(ImagePath::parse(text)->is_root());
    CHECK(ImagePath::parse(text)->parent().is_root());
  }
  CHECK(ImagePath::parse("...")->string() == "...");
  CHECK(ImagePath::parse("a/..b/c..")->string() == "a/..b/c..");
}

TEST_CASE("a path that leaves the root cannot be made") {
  for (const std::string& text :
       {std::string("../etc"), std::string("usr/../../etc"), std::string(".."), std::string("a/.."),
        std::string("a\0b", 3), std::string("a\nb")}) {
    CAPTURE(text);
    REQUIRE_FALSE(ImagePath::parse(text).has_value());
    CHECK(ImagePath::parse(text).error().code == Errc::invalid_input);
  }
  std::string deep;
  for (int i = 0; i < 65; ++i) deep += "d/";
  for (const std::string& text : {deep, std::string(256, 'n'), [] {
                                    std::string out;
                                    for (int i = 0; i < 5; ++i) out += std::string(250, 'n') + "/";
                                    return out;
                                  }()}) {
    REQUIRE_FALSE(ImagePath::parse(text).has_value());
    CHECK(ImagePath::parse(text).error().code == Errc::exhausted);
  }
}

TEST_CASE("being within a folder is about components, not characters") {
  const auto path = *ImagePath::parse("lib64/x");
  CHECK(path.is_within("lib64"));
  CHECK_FALSE(path.is_within("lib"));
  CHECK(path.is_within(""));
  CHECK(path.is_within("lib64/x"));
}

}  // namespace weir::images
