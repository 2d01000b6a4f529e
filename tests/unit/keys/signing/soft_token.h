#pragma once

#include <doctest/doctest.h>

#include <string>

#include "manifests/base/edge/file.h"
#include "tests/folders.h"
#include "tests/unit/keys/scratch.h"

namespace weir::testing {

inline const std::string kModule = "/usr/lib/softhsm/libsofthsm2.so";

/// A SoftHSM of a test's own with the token "release" (PIN 1234).
struct Token {
  Scratch folder;

  Token() {
    REQUIRE(write_file(folder / "conf", "directories.tokendir = " + folder / "tokens" +
                                            "\nobjectstore.backend = file\nlog.level = ERROR\n")
                .has_value());
    must("mkdir " + folder / "tokens" +
         " && softhsm2-util --init-token --free --label release --pin 1234 --so-pin 5678");
  }
  void must(const std::string& command) const {
    const auto done = run("export SOFTHSM2_CONF=" + folder / "conf" + "; " + command + " 2>&1");
    REQUIRE_MESSAGE(done.status == 0, done.output);
  }
  void make(const std::string& label, const std::string& id,
            const std::string& type = "EC:edwards25519") const {
    must("pkcs11-tool --module " + kModule +
         " --login --pin 1234 --token-label release --keypairgen --key-type " + type + " --label " +
         label + " --id " + id);
  }
  [[nodiscard]] std::string uri(const std::string& object, const std::string& pin = "1234",
                                const std::string& token = "release") const {
    return "pkcs11:token=" + token + ";object=" + object + "?module-path=" + kModule +
           (pin.empty() ? "" : "&pin-value=" + pin);
  }
  [[nodiscard]] Finished weir_keys(const std::string& arguments,
                                   const std::string& before = "env -u WEIR_PASSPHRASE") const {
    return run("cd " + folder.path() + " && SOFTHSM2_CONF=" + folder / "conf" + " " + before +
               " setsid " + test::build_folder() + "/bin/weir-keys " + arguments +
               " </dev/null 2>&1");
  }
};

}  // namespace weir::testing
