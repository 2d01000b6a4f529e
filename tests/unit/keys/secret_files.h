#pragma once

#include <map>
#include <string>

#include "tests/folders.h"
#include "tests/unit/images/scratch.h"

namespace weir::test {

/// Secrets of every kind that somebody may name as an output, below `folder`, which is there: made
/// by the tools whose they are, then spelled differently. By name, with what they hold.
inline std::map<std::string, std::string> make_secrets(const std::string& folder) {
  const std::string keys = build_folder() + "/bin/weir-keys";
  must("cd " + folder + R"sh( && umask 077 && minisign -G -W -p k.pub -s minisign > /dev/null
sed 1d minisign > minisign-alone
(echo; cat minisign) > minisign-late
(cat minisign; head -c 20000 /dev/zero) > minisign-large
(printf '\357\273\277'; cat minisign; echo more) > minisign-marked
sed 's/$/\r/' minisign > minisign-crlf
(head -c 1023 /dev/zero | tr '\0' c; sed 1d minisign) > minisign-in-one-line
sed '2s/^.\{8\}/AAAAAAAA/' minisign > minisign-later
echo x > f && for key in minisign minisign-large minisign-marked minisign-crlf \
  minisign-in-one-line; do minisign -S -s $key -m f > /dev/null || exit 1; done
wg genkey > wireguard
tr -d '\n' < wireguard > wireguard-bare
(echo '[Interface]'; echo "privatekey=$(cat wireguard)") > wireguard.conf
(echo '# kept'; openssl genpkey -algorithm ed25519) > pem
(cat k.pub; openssl genpkey -algorithm ed25519) > pem-behind-another
openssl genpkey -algorithm ed25519 -aes256 -pass pass:long > pem-encrypted
ssh-keygen -q -t ed25519 -N '' -f openssh && rm openssh.pub
(echo '# created: today'; echo AGE-SECRET-KEY-1$(head -c 58 /dev/zero | tr '\0' Q)) > age
)sh" + keys +
       " generate-wireguard --out identity --key-file seal > /dev/null");
  std::map<std::string, std::string> out;
  for (const auto& each : std::filesystem::directory_iterator(folder)) {
    const std::string name = each.path().filename();
    if (name != "k.pub" && !name.starts_with("f")) {
      out[name] = bytes_of(each.path());
    }
  }
  // RFC 7748's, of two epochs
  out["identity-of-two-epochs"] =
      bytes_of(source_folder() + "/tests/fuzz/corpus/identity/throw_away_two_epochs");
  REQUIRE(write_file(folder + "/identity-of-two-epochs", out["identity-of-two-epochs"], 0600)
              .has_value());
  return out;
}

}  // namespace weir::test
