#include "builder/commands/edge/trust_options.h"

#include <cstdio>

#include "builder/release/edge/verify.h"
#include "keys/signing/edge/key_files.h"

namespace weir::builder {

void add_trust_options(CommandLine& line, TrustOptions& given, const char* keys) {
  namespace options = boost::program_options;
  const std::string instead = std::string("trust file that says who is trusted, in place of --") +
                              keys + " (weir-keys trust)";
  line.options.add_options()(keys, options::value(&given.keys)->value_name("FILE")->composing(),
                             "minisign public key that is trusted; can be repeated")(
      "trust", options::value(&given.trust)->value_name("FILE"), instead.c_str())(
      "channel", options::value(&given.channel)->value_name("NAME")->default_value("stable"),
      "with --trust: the channel the release must be of")(
      "state", options::value(&given.state)->value_name("FILE"),
      "with --trust: remembers what was accepted, so that nothing older is accepted again");
}

bool trust_options_fit(const CommandLine& line, const TrustOptions& given, const char* keys) {
  const char* name = line.name.c_str();
  if (!given.keys.empty() && !given.trust.empty()) {
    std::fprintf(stderr,
                 "weir-builder %s: --%s or --trust, not both: who is trusted? (--help explains)\n",
                 name, keys);
    return false;
  }
  if (given.trust.empty() && !given.state.empty()) {
    std::fprintf(stderr,
                 "weir-builder %s: --state remembers what a trust accepted, and goes with --trust "
                 "(--help explains)\n",
                 name);
    return false;
  }
  if (!given.trust.empty() && given.state.empty()) {
    std::fprintf(stderr,
                 "weir-builder %s: without --state FILE, an old release that is brought back is "
                 "not noticed\n",
                 name);
  }
  return true;
}

bool says_who_is_trusted(const CommandLine& line, const TrustOptions& given) {
  if (!given.keys.empty() || !given.trust.empty()) return trust_options_fit(line, given);
  std::fprintf(stderr,
               "weir-builder %s: who is trusted? --key FILE or --trust FILE (--help explains)\n",
               line.name.c_str());
  return false;
}

Result<TrustedRelease> verify_by(const TrustOptions& given, const images::Store& store,
                                 const ReleaseName& name, Demands demands) {
  if (given.trust.empty()) {
    TRY_ASSIGN(auto trusted, read_public_keys(given.keys));
    TRY_ASSIGN(auto stored, store.read_release(name));
    TRY_ASSIGN(auto release, verify_stored(store, stored, trusted));
    return TrustedRelease{std::move(stored), std::move(release), {std::move(trusted), 1}};
  }
  TRY_ASSIGN_IN(const auto channel, manifests::ChannelName::parse(given.channel), "--channel");
  return verify_by_trust(store, name, given.trust, channel, given.state, demands);
}

Status remember(const TrustOptions& given, const TrustedRelease& accepted) {
  return remember_accepted(given.state, accepted);
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
