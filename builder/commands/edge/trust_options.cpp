#include "builder/commands/edge/trust_options.h"

#include "builder/release/edge/verify.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/program_log.h"

namespace weir::builder {

std::vector<Option> with_trust(std::vector<Option> options, std::size_t place, TrustOptions& given,
                               const char* keys) {
  const std::vector<Option> ours = {
      {keys, "FILE", &given.keys, "minisign public key that is trusted; can be repeated"},
      {"trust", "FILE", &given.trust,
       std::string("trust file that says who is trusted, in place of --") + keys +
           " (weir-keys trust)"},
      {"channel", "NAME", &given.channel, "with --trust: the channel the release must be of"},
      {"state", "FILE", &given.state,
       "with --trust: remembers what was accepted, so that nothing older is accepted again"}};
  options.insert(options.begin() + static_cast<std::ptrdiff_t>(place), ours.begin(), ours.end());
  return options;
}

Status trust_options_fit(const TrustOptions& given, const char* keys) {
  if (!given.keys.empty() && !given.trust.empty()) {
    return fail(Errc::invalid_input,
                std::string("--") + keys + " or --trust, not both: who is trusted?");
  }
  if (given.trust.empty() && !given.state.empty()) {
    return fail(Errc::invalid_input,
                "--state remembers what a trust accepted, and goes with --trust");
  }
  if (!given.trust.empty() && given.state.empty()) {
    log_line("without --state FILE, an old release that is brought back is not noticed");
  }
  return {};
}

Status says_who_is_trusted(const TrustOptions& given) {
  if (!given.keys.empty() || !given.trust.empty()) return trust_options_fit(given);
  return fail(Errc::invalid_input, "who is trusted? --key FILE or --trust FILE");
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
