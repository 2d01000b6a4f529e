#include "keys/commands/edge/trust_commands.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/signing_key.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/edge/trust_signing.h"
#include "keys/trust/trust_edit.h"
#include "manifests/base/edge/file.h"

namespace weir::keys {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;

// For following a file whose newest version may have expired: what is about to be replaced, or is
// only looked at.
constexpr UtcTime kAnyTime{0};
constexpr ByteCount kLargestSignature{64 << 10};

Texts texts_of(const po::variables_map& given, const char* name) {
  return given.count(name) == 0 ? Texts() : given[name].as<Texts>();
}

/// "NAME=VALUE". errors: invalid_input
Result<std::pair<std::string, std::string>> split(const std::string& text, const char* option,
                                                  const char* form) {
  const auto at = text.find('=');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return fail(Errc::invalid_input, std::string("--") + option + " " + text + ": must be " + form);
  }
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

/// A public key file, named after its file: "keys/alice.pub" is alice.
Result<manifests::TrustKey> read_trust_key(const std::string& path) {
  TRY_ASSIGN(const SigningPublicKey key, read_public_key(path));
  std::string name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.rfind('.'));
  std::string line = print(key);
  line = line.substr(line.find('\n') + 1);
  line.pop_back();
  return manifests::TrustKey{name.empty() ? "unnamed" : name, line};
}

/// A key id of 16 hex digits, or the id of a public key file.
Result<std::string> read_key_id(const std::string& text) {
  const bool id = text.size() == 16 && std::all_of(text.begin(), text.end(), [](char c) {
                    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
                  });
  if (id) return text;
  TRY_ASSIGN(const SigningPublicKey key, read_public_key(text));
  return print(key.id);
}

/// A date, a time, or days from now: "90d".
Result<UtcTime> read_expiry(const std::string& text) {
  if (!text.ends_with('d')) return UtcTime::parse(text);
  int days = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc{} || *rest != 'd' || rest + 1 != text.data() + text.size() || days < 1 ||
      days > 3650) {
    return fail(Errc::invalid_input, "--expires " + text + ": must be a date or 1d to 3650d");
  }
  TRY_ASSIGN(const UtcTime now, read_clock());
  return UtcTime{now.seconds + std::int64_t{days} * 86400};
}

Result<TrustChange> read_change(const po::variables_map& given) {
  TrustChange out;
  for (const std::string& text : texts_of(given, "channel")) {
    TRY_ASSIGN_IN(auto name, manifests::ChannelName::parse(text), "--channel");
    out.channels.push_back(std::move(name));
  }
  for (const std::string& text : texts_of(given, "remove-channel")) {
    TRY_ASSIGN_IN(auto name, manifests::ChannelName::parse(text), "--remove-channel");
    out.without_channels.push_back(std::move(name));
  }
  for (const std::string& text : texts_of(given, "add")) {
    TRY_ASSIGN(const auto parts, split(text, "add", "ROLE=FILE.pub"));
    TRY_ASSIGN_IN(auto role, parse_role_name(parts.first), "--add " + text);
    TRY_ASSIGN(auto key, read_trust_key(parts.second));
    out.add.emplace_back(std::move(role), std::move(key));
  }
  for (const std::string& text : texts_of(given, "remove")) {
    TRY_ASSIGN(const auto parts, split(text, "remove", "ROLE=KEY"));
    TRY_ASSIGN_IN(auto role, parse_role_name(parts.first), "--remove " + text);
    TRY_ASSIGN(auto id, read_key_id(parts.second));
    out.remove.emplace_back(std::move(role), std::move(id));
  }
  for (const std::string& text : texts_of(given, "revoke")) {
    TRY_ASSIGN(auto parts, split(text, "revoke", "KEY=WHY"));
    TRY_ASSIGN(auto id, read_key_id(parts.first));
    out.revoke.emplace_back(std::move(id), std::move(parts.second));
  }
  for (const std::string& text : texts_of(given, "threshold")) {
    TRY_ASSIGN(const auto parts, split(text, "threshold", "ROLE=NUMBER"));
    TRY_ASSIGN_IN(auto role, parse_role_name(parts.first), "--threshold " + text);
    std::uint32_t number = 0;
    const char* end = parts.second.data() + parts.second.size();
    const auto [rest, error] = std::from_chars(parts.second.data(), end, number);
    if (error != std::errc{} || rest != end) {
      return fail(Errc::invalid_input, "--threshold " + text + ": must be ROLE=NUMBER");
    }
    out.thresholds.emplace_back(std::move(role), number);
  }
  if (const auto text = optional_text(given, "expires")) {
    TRY_ASSIGN(out.expires, read_expiry(*text));
  }
  return out;
}

po::options_description change_options_of(bool first) {
  po::options_description out("Options");
  const auto list = [] { return po::value<Texts>()->composing(); };
  out.add_options()("add", list()->value_name("ROLE=FILE.pub"),
                    "gives a key a role: root, release, release@CHANNEL, boot-check, rebuild, "
                    "audit-checkpoint, evidence; can be repeated, as all of these")(
      "threshold", list()->value_name("ROLE=N"), "how many of a role's keys must sign")(
      "channel", list()->value_name("NAME"), "a stream of releases")(
      "sign", list()->value_name("FILE"), "signs the new version with this secret key")(
      "pkcs11", list()->value_name("URI"),
      "signs it with a key in a token, as weir-keys sign does");
  if (first) {
    out.add_options()("out", po::value<std::string>()->required()->value_name("FILE"),
                      "the trust file to make")(
        "expires", po::value<std::string>()->default_value("365d")->value_name("DATE"),
        "when it must have been renewed: a date, or days from now");
    return out;
  }
  out.add_options()("file", po::value<std::string>()->required()->value_name("FILE"),
                    "the trust file")("out", po::value<std::string>()->value_name("FILE"),
                                      "where the changed file goes, in place of FILE, which is "
                                      "replaced only once enough root keys have signed (until "
                                      "then it is FILE.pending)")(
      "remove", list()->value_name("ROLE=KEY"), "takes a role from a key (its id or .pub file)")(
      "revoke", list()->value_name("KEY=WHY"), "takes everything from a key, for ever")(
      "remove-channel", list()->value_name("NAME"), "ends a channel")(
      "expires", po::value<std::string>()->value_name("DATE"),
      "the new date, or days from now: 365d");
  return out;
}

po::options_description init_options() {
  return change_options_of(true);
}
po::options_description change_options() {
  return change_options_of(false);
}

/// Signs with all keys that --sign and --pkcs11 name.
Status sign_with_all(const po::variables_map& given, manifests::TrustFile& file) {
  for (const std::string& path : texts_of(given, "sign")) {
    TRY_ASSIGN(const SigningKey key, SigningKey::from_file(path));
    TRY_IN(sign_newest(file, key.signer()), path);
  }
  for (const std::string& uri : texts_of(given, "pkcs11")) {
    TRY_ASSIGN(const SigningKey key, SigningKey::from_token(uri));
    TRY(sign_newest(file, key.signer()));
  }
  return {};
}

Result<Answer> write_next(const po::variables_map& given, manifests::TrustFile file,
                          const std::optional<manifests::Trust>& before, const std::string& out,
                          Writing writing) {
  TRY_ASSIGN(const TrustChange change, read_change(given));
  TRY_ASSIGN(const manifests::Trust next, next_trust(before, change));
  file.versions.push_back({manifests::print(next), {}});
  if (given.count("plan") != 0) return write_trust_file(out, file, Writing::planned);
  TRY(sign_with_all(given, file));
  return write_trust_file(out, file, writing);
}

Result<Answer> init(const po::variables_map& given) {
  const std::string out = text_of(given, "out");
  if (exists(out)) {
    return fail(Errc::busy, out + ": is there already; change it with `weir-keys trust change`");
  }
  po::variables_map with = given;
  if (texts_of(given, "channel").empty()) {
    with.erase("channel");
    with.insert({"channel", po::variable_value(Texts{"stable"}, true)});
  }
  return write_next(with, {}, std::nullopt, out, Writing::as_it_is);
}

Result<Answer> change(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  TRY_ASSIGN(const std::string text, read_file(path, manifests::kLargestTrustFile));
  TRY_ASSIGN_IN(const auto before, verify_trust(text, {}, kAnyTime), path);
  TRY_ASSIGN_IN(auto file, manifests::parse_trust_file(text), path);
  const auto out = optional_text(given, "out");
  return write_next(given, std::move(file), *before, out.value_or(path),
                    out && *out != path ? Writing::as_it_is : Writing::if_signed);
}

po::options_description sign_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->required()->value_name("FILE"),
                    "the trust file; its newest version is signed")(
      "key", po::value<std::string>()->value_name("FILE"), "a root key, secret")(
      "pkcs11", po::value<std::string>()->value_name("URI"),
      "in place of --key: a root key in a token, as weir-keys sign takes it")(
      "signature", po::value<std::string>()->value_name("FILE"),
      "in place of --key: adds a .minisig that minisign made over what show --extract wrote");
  return out;
}

Result<Answer> sign_trust(const po::variables_map& given) {
  if (given.count("key") + given.count("pkcs11") + given.count("signature") != 1) {
    return misused("which root key signs? --key FILE, --pkcs11 URI or --signature FILE.minisig");
  }
  const std::string path = text_of(given, "file");
  TRY_ASSIGN(const std::string text, read_file(path, manifests::kLargestTrustFile));
  TRY_ASSIGN_IN(auto file, manifests::parse_trust_file(text), path);
  Status added;
  std::string by = path;
  if (const auto from = optional_text(given, "signature")) {
    TRY_ASSIGN(const std::string signature, read_file(*from, kLargestSignature));
    added = add_signature(file, signature);
    by = *from;
  } else {
    TRY_ASSIGN(const SigningKey key, SigningKey::open(optional_text(given, "key").value_or(""),
                                                      optional_text(given, "pkcs11").value_or("")));
    added = sign_newest(file, key.signer());
  }
  const bool signed_before = !added && added.error().code == Errc::busy;
  if (!(signed_before && waits_for_its_place(path, file))) TRY_IN(added, by);
  return write_trust_file(path, file,
                          given.count("plan") != 0 ? Writing::planned : Writing::as_it_is);
}

po::options_description show_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->required()->value_name("FILE"),
                    "the trust file")(
      "extract", po::value<std::string>()->value_name("PREFIX"),
      "also writes the newest version as it was signed to PREFIX.json, and each signature to "
      "PREFIX.json.KEYID.minisig, for the stock minisign");
  return out;
}

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

Result<Answer> show(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  TRY_ASSIGN(const std::string text, read_file(path, manifests::kLargestTrustFile));
  TRY_ASSIGN_IN(const auto file, manifests::parse_trust_file(text), path);
  const manifests::SignedTrust& last = file.versions.back();
  TRY_ASSIGN_IN(const auto trust, manifests::parse_trust(last.document), path);
  Json signers = Json::array();
  std::string by;
  for (const std::string& signature : last.signatures) {
    TRY_ASSIGN_IN(const KeyId signer, signer_of(signature), path);
    signers.push_back(print(signer));
    by += (by.empty() ? "" : ", ") + print(signer);
    const auto prefix = optional_text(given, "extract");
    if (prefix && given.count("plan") == 0) {
      TRY(write_file(*prefix + ".json." + print(signer) + ".minisig", signature));
    }
  }
  if (const auto prefix = optional_text(given, "extract"); prefix && given.count("plan") == 0) {
    TRY(write_file(*prefix + ".json", last.document));
  }
  return Answer{describe(trust) + "signatures (not checked: weir-keys trust verify): " +
                    (by.empty() ? "none" : by),
                {{"version", trust.version}, {"document", last.document}, {"signers", signers}}};
}

po::options_description verify_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->required()->value_name("FILE"),
                    "the trust file")(
      "state", po::value<std::string>()->value_name("FILE"),
      "what was accepted before (made where it is missing): nothing older is accepted again")(
      "at", po::value<std::string>()->value_name("TIME"),
      "asks about this time, in place of the clock's; the state stays as it is");
  return out;
}

Result<Answer> verify_file(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  const auto state_path = optional_text(given, "state");
  const auto at = optional_text(given, "at");
  UtcTime now;
  if (at) {
    TRY_ASSIGN_IN(now, UtcTime::parse(*at), "--at");
  } else {
    TRY_ASSIGN(now, read_clock());
  }
  std::optional<Verified<manifests::Trust>> accepted;
  const auto judge = [&](manifests::TrustState seen) -> Result<manifests::TrustState> {
    TRY_ASSIGN(accepted, read_trust(path, seen, now));
    return remember(std::move(seen), *accepted);
  };
  if (state_path && !at && given.count("plan") == 0) {
    TRY(update_trust_state(*state_path, judge));
  } else {
    manifests::TrustState seen;
    if (state_path) {
      TRY_ASSIGN(seen, read_trust_state(*state_path));
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

std::vector<Command> trust_commands() {
  return {
      {"trust init", "--out FILE --add ROLE=FILE.pub ...", "makes a trust file: who may sign what",
       "  weir-keys trust init --out trust.json --add root=alice.pub --add root=bob.pub \\\n"
       "      --threshold root=2 --add release=carol.pub --sign alice.key\n"
       "  weir-keys trust sign trust.json --key bob.key\n",
       init_options, init},
      {"trust change", "FILE [--add ...] [--revoke ...]", "makes the next version of a trust file",
       "  weir-keys trust change trust.json --revoke 'carol.pub=stolen laptop' \\\n"
       "      --add release=dora.pub --sign alice.key --sign bob.key\n"
       "  weir-keys trust change trust.json --expires 365d --out next.json --sign alice.key\n"
       "  weir-keys trust change trust.json --channel lab --add release@lab=erik.pub\n",
       change_options, change},
      {"trust sign", "FILE --key KEY | --pkcs11 URI | --signature FILE",
       "signs a trust file's newest version",
       "  weir-keys trust sign next.json --key bob.key\n"
       "  weir-keys trust sign next.json --pkcs11 'pkcs11:token=root;object=bob'\n"
       "  weir-keys trust show next.json --extract v3        bob's machine has no network:\n"
       "  minisign -S -s bob.key -m v3.json                  there\n"
       "  weir-keys trust sign next.json --signature v3.json.minisig\n",
       sign_options, sign_trust},
      {"trust show", "FILE", "shows what a trust file says",
       "  weir-keys trust show trust.json\n"
       "  weir-keys trust show trust.json --extract v3\n"
       "  minisign -V -p alice.pub -m v3.json -x v3.json.KEYID.minisig\n",
       show_options, show},
      {"trust verify", "FILE [--state FILE]", "follows a trust file to its newest version",
       "  weir-keys trust verify trust.json --state trust.state\n", verify_options, verify_file},
  };
}

}  // namespace weir::keys
