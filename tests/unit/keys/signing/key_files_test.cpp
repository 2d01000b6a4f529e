#include "keys/signing/edge/key_files.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "tests/unit/images/scratch.h"
#include "tests/unit/keys/secret_files.h"

namespace weir::keys {

TEST_CASE("a file that holds a secret of any kind is nobody's to overwrite") {
  const test::TemporaryFolder folder;
  auto secrets = test::make_secrets(folder.path);
  CHECK(secrets.size() == 19);
  test::must(
      "cd " + folder.path +
      " && printf 'long\\nlong\\n' | minisign -G -p e.pub -s minisign-encrypted > /dev/null");
  secrets["minisign-encrypted"] = "";
  for (const auto& secret : secrets) {
    const auto& name = secret.first;
    CAPTURE(name);
    const std::string path = folder.path + "/" + name;
    const Status refused = check_output(path);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == Errc::invalid_input);
    CHECK(refused.error().message.find(path + ": is a") == 0);
    CHECK(refused.error().message.find("which nothing may overwrite") != std::string::npos);
  }
}

TEST_CASE("what is no secret can be replaced, and what cannot be looked at is taken for one") {
  const test::TemporaryFolder folder;
  test::must("cd " + folder.path +
             " && minisign -G -W -p k.pub -s k.key > /dev/null && echo x > f && "
             "minisign -S -s k.key -m f > /dev/null && openssl genpkey -algorithm ed25519 | "
             "openssl pkey -pubout > pem.pub && head -c 64 /dev/zero > k.digest && "
             "echo 'one word of thirty-two letters.' > word && chmod 644 word && "
             "head -c 100000 /dev/zero > disk && : > empty");
  for (const char* other : {"/k.pub", "/f", "/f.minisig", "/none", "/pem.pub", "/k.digest", "/word",
                            "/disk", "/empty"}) {
    CAPTURE(other);
    CHECK(check_output(folder.path + other).has_value());
  }
  CHECK(check_output(folder.path + "/none/new").error().code == Errc::not_found);
  CHECK(check_output(folder.path).error().code == Errc::invalid_input);
  if (::geteuid() == 0) return;  // who may read everything
  test::must("chmod 000 " + folder.path + "/f");
  CHECK(check_output(folder.path + "/f").error().code == Errc::unauthorized);
}

}  // namespace weir::keys
