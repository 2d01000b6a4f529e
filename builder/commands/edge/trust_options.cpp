#include "builder/commands/edge/trust_options.h"

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
      {"channel", "NAME", &given.channel,
       "with --trust: the channel the release must be of; default: stable"},
      {"state", "FILE", &given.state,
       "with --trust: remembers what was accepted, so that nothing older is accepted again"},
      {"pin", "SHA256", &given.pin,
       "with --trust: the digest of its version 1 (weir-keys trust show), so that another fleet's "
       "trust is refused at the first use too"},
      {"first-use", "", &given.first_use,
       "with --state: begins anew where that file was lost; whatever was accepted is forgotten"}};
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
  if (given.trust.empty() && !given.pin.empty()) {
    return fail(Errc::invalid_input, "--pin is of a trust, and goes with --trust");
  }
  if (given.trust.empty() && given.channel) {
    return fail(Errc::invalid_input, "--channel is of a trust, and goes with --trust");
  }
  if (given.state.empty() && given.first_use) {
    return fail(Errc::invalid_input, "--first-use is of a --state file");
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

Result<TrustBasis> read_basis(const TrustOptions& given, keys::TrustDemands demands, bool plan) {
  keys::Authority authority;
  keys::TrustMemory memory;
  if (given.trust.empty()) {
    TRY_ASSIGN(authority, read_public_keys(given.keys));
  } else {
    TRY_ASSIGN_IN(auto channel, manifests::ChannelName::parse(given.channel.value_or("stable")),
                  "--channel");
    std::optional<Digest> pin;
    if (!given.pin.empty()) {
      TRY_ASSIGN_IN(pin, Digest::parse(given.pin), "--pin");
    }
    TRY_ASSIGN(authority, keys::read_trusted_file(given.trust, std::move(channel), pin));
    if (plan && !given.state.empty()) TRY(keys::check_trust_state_place(given.state));
    memory = {given.state,
              given.first_use ? keys::Loss::accepted : keys::Loss::refused,
              !plan,
              {{}, [](const std::string& line) { log_line(line); }}};
  }
  TRY_ASSIGN(auto believed, keys::believe(std::move(authority), std::move(memory)));
  if (!believed.note().empty()) log_line(believed.note());
  return TrustBasis{std::move(believed), std::move(demands)};
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
