#include "keys/signing/edge/key_files.h"

#include <doctest/doctest.h>

#include "tests/unit/images/scratch.h"

namespace weir::keys {

TEST_CASE("a secret key that minisign made is nobody's to overwrite") {
  const test::TemporaryFolder folder;
  // minisign takes any first line, so also one with a byte order mark; and what comes after the
  // second line is not read. The kind of a key is in its first six bytes.
  test::must("cd " + folder.path +
             " && minisign -G -W -p k.pub -s k.key > /dev/null && echo x > f && "
             "minisign -S -s k.key -m f > /dev/null && printf 'long\nlong\n' | "
             "minisign -G -p e.pub -s e.key > /dev/null && "
             "(printf '\\357\\273\\277'; cat k.key; echo more) > marked.key && "
             "minisign -S -s marked.key -m f > /dev/null && "
             "sed '2s/^.\\{8\\}/AAAAAAAA/' k.key > later.key");
  for (const char* key : {"/k.key", "/e.key", "/marked.key", "/later.key"}) {
    CAPTURE(key);
    const Status refused = check_output(folder.path + key);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(refused.error().message.find(folder.path + key + ": is a secret key") == 0);
  }
  for (const char* other : {"/k.pub", "/f", "/f.minisig", "/none"}) {
    CAPTURE(other);
    CHECK(check_output(folder.path + other).has_value());
  }
  CHECK(check_output(folder.path + "/none/new").error().code == Errc::not_found);
  CHECK(check_output(folder.path).error().code == Errc::invalid_input);
}

}  // namespace weir::keys
