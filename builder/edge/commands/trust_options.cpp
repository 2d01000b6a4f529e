#include "builder/edge/commands/trust_options.h"

#include <cstdio>

#include "builder/edge/verify.h"
#include "keys/edge/key_files.h"

namespace weir::builder {

void add_trust_options(CommandLine& line, TrustOptions& given) {
  namespace options = boost::program_options;
  line.options.add_options()("key", options::value(&given.keys)->value_name("FILE")->composing(),
                             "minisign public key that is trusted; can be repeated")(
      "trust", options::value(&given.trust)->value_name("FILE"),
      "trust file that says who is trusted, in place of --key (weir-keys trust)")(
      "channel", options::value(&given.channel)->value_name("NAME")->default_value("stable"),
      "with --trust: the channel the release must be of")(
      "state", options::value(&given.state)->value_name("FILE"),
      "with --trust: remembers what was accepted, so that nothing older is accepted again");
}

bool says_who_is_trusted(const CommandLine& line, const TrustOptions& given) {
  if (given.keys.empty() != given.trust.empty()) return true;
  std::fprintf(stderr,
               "weir-builder %s: who is trusted? --key FILE or --trust FILE (--help explains)\n",
               line.name.c_str());
  return false;
}

Result<TrustedRelease> verify_by(const TrustOptions& given, const images::Store& store,
                                 const ReleaseName& name, Demands demands) {
  if (given.trust.empty()) {
    TRY_ASSIGN(const auto trusted, read_public_keys(given.keys));
    TRY_ASSIGN(auto release, verify_stored(store, name, trusted));
    return TrustedRelease{std::move(release), {}, {}};
  }
  TRY_ASSIGN_IN(const auto channel, manifests::ChannelName::parse(given.channel), "--channel");
  return verify_by_trust(store, name, given.trust, channel, given.state, demands);
}

Result<std::vector<keys::SigningPublicKey>> trusted_keys(const TrustOptions& given) {
  if (given.trust.empty()) return read_public_keys(given.keys);
  TRY_ASSIGN_IN(const auto channel, manifests::ChannelName::parse(given.channel), "--channel");
  return release_keys(given.trust, channel, given.state);
}

Result<std::vector<keys::SigningPublicKey>> read_public_keys(
    const std::vector<std::string>& paths) {
  std::vector<keys::SigningPublicKey> out;
  for (const std::string& path : paths) {
    TRY_ASSIGN(const keys::SigningPublicKey key, keys::read_public_key(path));
    out.push_back(key);
  }
  return out;
}

}  // namespace weir::builder
