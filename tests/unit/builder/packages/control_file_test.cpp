#include "builder/packages/control_file.h"

#include <doctest/doctest.h>

#include <string>

namespace weir::builder {

TEST_CASE("paragraphs are read one by one, fields whatever the case of their names") {
  const std::string text =
      "\n\nPackage: a\nDescription: first\n second\n .\n third  \nEmpty:\n\n \t\nPackage:b";
  StanzaReader reader(text);
  auto first = reader.next();
  REQUIRE(first.has_value());
  REQUIRE(first->has_value());
  CHECK((*first)->line() == 3);
  CHECK((*first)->find("package") == "a");
  CHECK((*first)->find("Description") == "first\n second\n .\n third");
  CHECK((*first)->find("Empty") == "");
  CHECK_FALSE((*first)->find("Version").has_value());
  CHECK_FALSE((*first)->need("Empty").has_value());
  auto second = reader.next();
  REQUIRE(second.has_value());
  CHECK((*second)->find("Package") == "b");
  auto end = reader.next();
  REQUIRE(end.has_value());
  CHECK_FALSE(end->has_value());
}

TEST_CASE("what is not a control file is refused with its line") {
  const std::pair<std::string, const char*> cases[] = {
      {"Package: a\nnonsense\n", "line 2: is not 'Field: value'"},
      {" lost\n", "line 1: continues a field that never began"},
      {"A: 1\nb: 2\na: 3\n", "line 3: 'a' stands here twice"},
      {"# comment\n", "line 1: is not 'Field: value'"},
      {"A b: 1\n", "line 1: is not 'Field: value'"},
      {": 1\n", "line 1: is not 'Field: value'"},
      {std::string("A: 1\0\n", 6), "line 1: a NUL byte"},
  };
  for (const auto& entry : cases) {
    CAPTURE(entry.first);
    const auto stanza = StanzaReader(entry.first).next();
    REQUIRE_FALSE(stanza.has_value());
    CHECK(stanza.error().message == entry.second);
    CHECK(stanza.error().code == Errc::invalid_input);
  }
}

TEST_CASE("a paragraph has at most 256 fields, a file as many as it likes") {
  std::string text;
  for (int i = 0; i < 256; ++i) text += "F" + std::to_string(i) + ": x\n";
  const std::string twice = text + "\n" + text;
  StanzaReader reader(twice);
  CHECK(reader.next().has_value());
  CHECK(reader.next().has_value());
  const std::string more = text + "F256: x\n";
  const auto refused = StanzaReader(more).next();
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Errc::exhausted);
  CHECK(refused.error().message == "line 257: more than 256 fields in a paragraph");
}

}  // namespace weir::builder
