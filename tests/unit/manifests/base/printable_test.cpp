#include "manifests/base/printable.h"

#include <doctest/doctest.h>

#include <array>
#include <sstream>
#include <string>
#include <vector>

#include "manifests/base/utf8.h"
#include "tests/unit/images/scratch.h"

namespace weir {
namespace {

// By the table of RFC 3629, section 3.
std::string utf8_of(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) {
    return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  }
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)),
          byte(0x80 | (c & 0x3f))};
}

// perl 5.36 (Unicode 14): every character of \p{Cc}, \p{Bidi_Control}, \p{Zl} and \p{Zp}.
struct Controls {
  char32_t first, last;
};
constexpr std::array<Controls, 6> kControls{{{0x0, 0x1f},
                                             {0x7f, 0x9f},
                                             {0x61c, 0x61c},
                                             {0x200e, 0x200f},
                                             {0x2028, 0x202e},
                                             {0x2066, 0x2069}}};

}  // namespace

TEST_CASE("no control character of any kind is left in what is printable") {
  for (const auto& [first, last] : kControls) {
    for (char32_t c = first; c <= last; ++c) {
      CAPTURE(static_cast<unsigned>(c));
      const std::string out = printable("a" + utf8_of(c) + "b");
      CHECK(out.size() > 3);
      CHECK(!is_printable("a" + utf8_of(c)));
      for (const char byte : out) CHECK((byte >= ' ' && byte < 0x7f));
    }
  }
}

TEST_CASE("what Unicode says cannot be seen is escaped, and nothing else that can be is") {
  std::istringstream ranges(test::must(
      "perl -e 'for $c (0x80..0x110000) { next if $c >= 0xd800 && $c <= 0xdfff; $in = $c < "
      "0x110000 && chr($c) =~ "
      "/[\\p{Default_Ignorable_Code_Point}\\p{Cc}\\p{Bidi_Control}\\p{Zl}\\p{Zp}]/; print "
      "\"$c \" if $in != $was; $was = $in }'"));
  std::vector<bool> unseen(0x110000);
  for (std::uint32_t first = 0, end = 0; ranges >> first >> end;) {
    for (std::uint32_t c = first; c < end; ++c) unseen[c] = true;
  }
  CHECK(unseen[0x3164]);
  for (std::uint32_t c = 0xfff9; c <= 0xfffb; ++c) unseen[c] = true;  // interlinear annotations
  std::size_t wrong = 0;
  for (char32_t c = 0x80; c < 0x110000; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    const std::string text = utf8_of(c);
    if (is_printable(text) != unseen[c] && (printable(text) == text) != unseen[c]) continue;
    ++wrong;
    MESSAGE("U+" << std::hex << static_cast<unsigned>(c));
  }
  CHECK(wrong == 0);
}

TEST_CASE("an escape tells what stood there") {
  CHECK(printable("\x1b[2J") == "\\x1b[2J");
  CHECK(printable("one\ntwo\r\tthree") == "one\\ntwo\\r\\tthree");
  CHECK(printable("key \xc2\x9b"
                  "31m") == "key \\u{009b}31m");
  CHECK(printable("abc\xe2\x80\xae"
                  "def") == "abc\\u{202e}def");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
}

TEST_CASE("what is not UTF-8 becomes bytes in hex, and nothing else does") {
  // RFC 3629, sections 3 and 10: stray continuation, too long a form, surrogate, beyond U+10FFFF,
  // cut.
  CHECK(printable("\x9b"
                  "31m") == "\\x9b31m");
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  CHECK(printable("\xe2\x82") == "\\xe2\\x82");
  CHECK(printable("\xe2\x82\xac") == "\xe2\x82\xac");
}

TEST_CASE("words in any script stay as they are, and twice is the same as once") {
  for (const std::string text : {"gateway-6.12", "Zürich", "шлюз", "网关", "\xf0\x9f\x94\x91",
                                 "back\\slash 'quotes' \"too\"", ""}) {
    CHECK(printable(text) == text);
    CHECK(is_printable(text));
  }
  const std::string once = printable("\x1b\xe2\x80\xae\xff\n");
  CHECK(printable(once) == once);
}

TEST_CASE("lines stay lines where they may, and nothing else passes with them") {
  CHECK(printable_lines("one\n\x1b[1mtwo\n") == "one\n\\x1b[1mtwo\n");
  CHECK(printable_lines("one\rtwo") == "one\\rtwo");
}

TEST_CASE("a shell takes what is pasted as the one word that was meant") {
  for (const std::string text :
       {"release.key", "/srv/weir/gateway-6.12.yaml", "", "two words", "it's", "''", "-", "~", "#x",
        "$HOME", "`id`", "a\\b", "\"q\"", "*", "a;b&c|d", "{a,b}", "!!", "Z\xc3\xbcrich"}) {
    CAPTURE(text);
    const std::string word = shell_word(text);
    CHECK(test::must("cd / && printf '%s|' -- " + word) == "--|" + text + "|");
    CHECK(test::must("exec bash -c " + shell_word("printf '%s|' " + word)) == text + "|");
  }
  CHECK(shell_word("gateway-6.12.yaml") == "gateway-6.12.yaml");
  CHECK(shell_word("my images/a") == "'my images/a'");
}

TEST_CASE("a quotation is bounded, also where escapes make it longer") {
  CHECK(quotation("short") == "'short'");
  CHECK(quotation(std::string(100, 'x')) == "'" + std::string(80, 'x') + "...'");
  CHECK(excerpt(std::string(1'000'000, '\x1b'), 80).size() <= 83);
  // Never between the bytes of a character.
  CHECK(excerpt("ab\xe2\x82\xac", 4) == "ab...");
  CHECK(find_broken_utf8(excerpt("\xe2\x82\xac\xe2\x82\xac", 5)) == std::string_view::npos);
}

}  // namespace weir
