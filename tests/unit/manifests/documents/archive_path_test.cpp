#include "manifests/documents/archive_path.h"

#include <doctest/doctest.h>

namespace weir::manifests {

TEST_CASE("a Filename becomes a path that documents have, or is refused") {
  const std::pair<const char*, const char*> good[] = {
      {"pool/a_1%3a2.deb", "pool/a_1%3a2.deb"},
      {"./a.deb", "a.deb"},
      {"/pool/a.deb", "pool/a.deb"},
      {"pool//b//a.deb", "pool/b/a.deb"},
      {"pool/./a.deb", "pool/a.deb"},
      {".hidden/a@1=2,3!(4).deb", ".hidden/a@1=2,3!(4).deb"},
  };
  for (const auto& [written, path] : good) {
    const auto& shown = written;
    CAPTURE(shown);
    CHECK(parse_archive_path(written) == std::string(path));
    CHECK(is_archive_path(path));
  }
  for (const char* bad : {"", "/", ".", "pool/", "../a.deb", "pool/../../a.deb", "a b.deb",
                          "a\tb.deb", "p\xc3\xb6l.deb", "a?b.deb", "a#b.deb", "a\\b.deb"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_archive_path(bad).has_value());
    CHECK_FALSE(is_archive_path(bad));
  }
  CHECK_FALSE(is_archive_path("./a.deb"));
  CHECK_FALSE(is_archive_path("pool//a.deb"));
  CHECK_FALSE(is_archive_path(std::string(1025, 'a')));
}

}  // namespace weir::manifests
