#include "keys/commands/edge/trust_show_commands.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "keys/commands/edge/command.h"
#include "keys/signing/edge/key_files.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/judge.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

using Json = nlohmann::ordered_json;

std::string describe(const manifests::Trust& trust) {
  const auto name_of_key = [&](const std::string& id) {
    for (const auto& key : trust.keys) {
      if (manifests::key_id_of(key.public_key) == id) return id + " (" + key.name + ")";
    }
    return id;
  };
  const auto line = [&](const std::string& name, const manifests::TrustRole& role) {
    std::string out = "  " + name + ": " + std::to_string(role.threshold) + " of";
    for (const std::string& id : role.keys) out += " " + name_of_key(id);
    return out + "\n";
  };
  std::string out = "version " + std::to_string(trust.version) + ", expires " +
                    trust.expires.string() + "\nroles:\n";
  for (const auto& [role, value] : trust.roles) {
    out += line(std::string(manifests::name_of(role)), value);
  }
  out += "channels:\n";
  for (const auto& channel : trust.channels) {
    out += channel.release ? line(channel.name.string(), *channel.release)
                           : "  " + channel.name.string() + ": as the role release\n";
  }
  for (const auto& each : trust.revoked) {
    out += "revoked: " + manifests::key_id_of(each.key.public_key) + " (" + each.key.name +
           "): " + each.why + "\n";
  }
  return out;
}

struct ShowOptions : Manner {
  std::string file, extract;
};

Result<Answer> show(const ShowOptions& given) {
  const std::string& path = given.file;
  TRY_ASSIGN(const std::string text, read_trust_text(path));
  TRY_ASSIGN_IN(const auto file, manifests::parse_trust_file(text), path);
  const manifests::SignedTrust& last = file.versions.back();
  TRY_ASSIGN_IN(const auto trust, manifests::parse_trust(last.document), path);
  const std::string extracted = given.extract + ".json";
  const bool extracts = !given.extract.empty(), writes = extracts && !given.plan;
  const auto place_of = [&](const KeyId& signer) {
    return extracted + "." + print(signer) + ".minisig";
  };
  if (extracts) {
    TRY(check_output(extracted));
    for (const std::string& signature : last.signatures) {
      if (const auto signer = signer_of(signature)) TRY(check_output(place_of(*signer)));
    }
  }
  Json signers = Json::array();
  std::string by;
  for (const std::string& signature : last.signatures) {
    const auto signer = signer_of(signature);
    if (!signer) continue;
    signers.push_back(print(*signer));
    by += (by.empty() ? "" : ", ") + print(*signer);
    if (writes) TRY(write_file(place_of(*signer), signature));
  }
  if (writes) TRY(write_file(extracted, last.document));
  const std::string first = Digest::of(as_bytes(file.versions.front().document)).string();
  return Answer{describe(trust) + "version 1 is " + first +
                    " (--pin, trust_pin)\n"
                    "signatures (not checked: weir-keys trust verify): " +
                    (by.empty() ? "none" : by),
                {{"version", trust.version},
                 {"first_digest", first},
                 {"document", last.document},
                 {"signers", signers}}};
}

struct VerifyTrustOptions : Manner {
  std::string file, state, at, pin;
  bool first_use = false;
};

Result<Answer> verify_file(const VerifyTrustOptions& given) {
  const std::string& path = given.file;
  UtcTime now;
  if (!given.at.empty()) {
    TRY_ASSIGN_IN(now, UtcTime::parse(given.at), "--at");
  } else {
    TRY_ASSIGN(now, read_clock());
  }
  std::optional<Digest> pin;
  if (!given.pin.empty()) {
    TRY_ASSIGN_IN(pin, Digest::parse(given.pin), "--pin");
  }
  const Loss loss = given.first_use ? Loss::accepted : Loss::refused;
  TRY_ASSIGN(const auto file,
             read_trusted_file(path, *manifests::ChannelName::parse("stable"), pin));
  std::optional<Verified<manifests::Trust>> accepted;
  const auto judge = [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
    if (!given.state.empty() && !seen.trust) say(first_use_of(given.state, file));
    TRY_ASSIGN(accepted, judge_trust(file, seen, now));
    return remember(std::move(seen), *accepted);
  };
  if (given.state.empty()) {
    say("without --state FILE, an older trust that is brought back is not noticed");
  } else {
    TRY(check_trust_state_place(given.state));
  }
  if (!given.state.empty() && given.at.empty() && !given.plan) {
    TRY(update_trust_state(given.state, judge, loss, {{}, say}));
  } else {
    manifests::TrustState seen;
    if (!given.state.empty()) {
      TRY_ASSIGN(seen, read_trust_state(given.state, loss));
    }
    TRY(judge(std::move(seen)));
  }
  const auto& trust = *accepted;
  return Answer{path + ": version " + std::to_string(trust->version) + ", signed by " +
                    trust.signer() + ", good until " + trust->expires.string(),
                {{"version", trust->version},
                 {"signers", trust.signer()},
                 {"digest", trust.digest().string()},
                 {"expires", trust->expires.string()}}};
}

}  // namespace

std::vector<Command> trust_show_commands() {
  const auto shown = std::make_shared<ShowOptions>();
  const auto checked = std::make_shared<VerifyTrustOptions>();
  return {
      answering({.name = "trust show",
                 .summary = "shows what a trust file says",
                 .examples = "  weir-keys trust show trust.json\n"
                             "  weir-keys trust show trust.json --extract v3\n"
                             "  minisign -V -p alice.pub -m v3.json -x v3.json.KEYID.minisig\n",
                 .takes = Positional{"FILE", &shown->file},
                 .options = {{"extract", "PREFIX", &shown->extract,
                              "also writes the newest version as it was signed to PREFIX.json, and "
                              "each signature to PREFIX.json.KEYID.minisig, for the stock "
                              "minisign"}},
                 .run = {}},
                shown, show),
      answering(
          {.name = "trust verify",
           .summary = "follows a trust file to its newest version",
           .examples = "  weir-keys trust verify trust.json --state trust.state\n"
                       "  weir-keys trust verify trust.json --pin sha256:9f2c...\n",
           .takes = Positional{"FILE", &checked->file},
           .options =
               {{"state", "FILE", &checked->state,
                 "what was accepted before (made where it is missing): nothing older is accepted "
                 "again"},
                {"at", "TIME", &checked->at,
                 "asks about this time, in place of the clock's; the state stays as it is"},
                {"pin", "SHA256", &checked->pin,
                 "the digest of version 1, as trust show prints it: refuses another fleet's trust "
                 "also where nothing was accepted before"},
                {"first-use", "", &checked->first_use,
                 "begins anew where the state was lost: whatever was accepted is forgotten"}},
           .run = {}},
          checked, verify_file),
  };
}

}  // namespace weir::keys
