#include "manifests/base/ascii.h"

#include <doctest/doctest.h>

using namespace weir;

TEST_SUITE_BEGIN("ascii");

TEST_CASE("letters past ASCII stay as they are, in every locale") {
  CHECK(ascii_lower("\xC4hnlich I\xCC\x87 Q-Z") == "\xC4hnlich i\xCC\x87 q-z");
  CHECK(is_lower('a'));
  CHECK(is_lower('z'));
  CHECK_FALSE(is_lower('{'));
  CHECK_FALSE(is_lower('A'));
  CHECK_FALSE(is_lower('\xE4'));
  CHECK(is_digit('0'));
  CHECK(is_digit('9'));
  CHECK_FALSE(is_digit(':'));
  CHECK_FALSE(is_digit('\xB2'));
}

TEST_CASE("words are what stands between blanks, and an empty text has none") {
  using Words = std::vector<std::string_view>;
  CHECK(words_of("") == Words{});
  CHECK(words_of(" \t\r\n ") == Words{});
  CHECK(words_of("one") == Words{"one"});
  CHECK(words_of("  main\tcontrib  non-free\r\n") == Words{"main", "contrib", "non-free"});
  CHECK(words_of("a,b,,c", ",") == Words{"a", "b", "c"});
  CHECK(trimmed(" \r\n a b\t") == "a b");
  CHECK(trimmed("..a.", ".") == "a");
  CHECK(trimmed(" \t") == "");
}

TEST_SUITE_END();
