#pragma once

#include <string>

#include "manifests/base/edge/file.h"
#include "tests/unit/images/scratch.h"

namespace weir::builder {

/// An OpenPGP key of gpg's making that lives as long as the object, for tests only.
class ThrowAwayKey {
 public:
  /// options  further options of gpg, for making the key and for every signature
  explicit ThrowAwayKey(std::string options = "", const std::string& expiry = "never")
      : options_(std::move(options)) {
    test::must("chmod 700 " + home_.path);
    test::must(gpg() +
               "--passphrase '' --quick-gen-key 'Throw-away <test@example.org>' ed25519 sign " +
               expiry);
    test::must(gpg() + "--export --output " + keyring());
  }
  ~ThrowAwayKey() { test::output_of("gpgconf --homedir " + home_.path + " --kill gpg-agent"); }
  ThrowAwayKey(const ThrowAwayKey&) = delete;
  ThrowAwayKey& operator=(const ThrowAwayKey&) = delete;

  [[nodiscard]] std::string keyring() const { return home_.path + "/keyring.gpg"; }
  [[nodiscard]] std::string fingerprint() const {
    return test::must(gpg() +
                      "--with-colons --list-keys 2>/dev/null | sed -n 's/^fpr:*\\([^:]*\\):/\\1/p'"
                      " | head -1 | tr -d '\\n'");
  }
  [[nodiscard]] std::string clear_sign(const std::string& text,
                                       const std::string& more = "--digest-algo SHA256") const {
    REQUIRE(write_file(home_.path + "/text", text).has_value());
    test::must(gpg() + more + " --clearsign --output " + home_.path + "/signed " + home_.path +
               "/text");
    return test::bytes_of(home_.path + "/signed");
  }
  /// A signature to lie beside the text.
  [[nodiscard]] std::string detached(const std::string& text) const {
    REQUIRE(write_file(home_.path + "/text", text).has_value());
    test::must(gpg() + "--digest-algo SHA256 --armor --detach-sign --output " + home_.path +
               "/signed " + home_.path + "/text");
    return test::bytes_of(home_.path + "/signed");
  }
  [[nodiscard]] std::string armoured() const { return test::must(gpg() + "--export --armor"); }
  [[nodiscard]] const std::string& home() const { return home_.path; }

 private:
  [[nodiscard]] std::string gpg() const {
    return "gpg --homedir " + home_.path + " --batch --yes --quiet --pinentry-mode loopback " +
           options_ + " ";
  }
  test::TemporaryFolder home_;
  std::string options_;
};

}  // namespace weir::builder
