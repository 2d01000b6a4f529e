#include "keys/commands/edge/trust_commands.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "keys/commands/edge/command.h"
#include "keys/commands/edge/trust_show_commands.h"
#include "keys/commands/edge/trust_signing.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/signing_key.h"
#include "keys/trust/edge/trust_files.h"
#include "keys/trust/trust_changes.h"
#include "keys/trust/trust_edit.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/lock_wait.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

using Texts = std::vector<std::string>;

// For following a file whose newest version may have expired: it is about to be replaced.
constexpr UtcTime kAnyTime{0};
constexpr ByteCount kLargestSignature{64 << 10};

/// A trust file, and a lock on all that its change may replace: two that change it at once would
/// each leave out what the other did.
struct OpenTrust {
  std::vector<Fd> locks;
  std::string text;
};

Result<OpenTrust> open_trust(const std::string& path, bool replaces) {
  OpenTrust out;
  TRY_ASSIGN(out.text, read_trust_text(path));
  if (!replaces) return out;
  if (const auto target = place_of_pending(path); target && exists(*target)) {
    TRY_ASSIGN(Fd lock, lock_to_replace(*target, {{}, say}));
    out.locks.push_back(std::move(lock));
  }
  TRY_ASSIGN(Fd lock, lock_to_replace(path, {{}, say}));
  TRY_ASSIGN(out.text, read_file(lock, path, manifests::kLargestTrustFile));
  out.locks.push_back(std::move(lock));
  return out;
}

/// What is to be different in a version, and who signs it.
struct ChangeOptions : Manner {
  std::string file, out, expires;
  Texts add, remove, revoke, threshold, channel, remove_channel, sign, pkcs11;
};

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
Result<UtcTime> parse_expiry(const std::string& text, UtcTime now) {
  if (!text.ends_with('d')) return UtcTime::parse(text);
  int days = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (error != std::errc{} || *rest != 'd' || rest + 1 != text.data() + text.size() || days < 1 ||
      days > 3650) {
    return fail(Errc::invalid_input, "--expires " + text + ": must be a date or 1d to 3650d");
  }
  return UtcTime{now.seconds + std::int64_t{days} * 86400};
}

Result<TrustChange> read_change(const ChangeOptions& given, UtcTime now) {
  TrustChange out;
  for (const std::string& text : given.channel) {
    TRY_ASSIGN_IN(auto name, manifests::ChannelName::parse(text), "--channel");
    out.channels.push_back(std::move(name));
  }
  for (const std::string& text : given.remove_channel) {
    TRY_ASSIGN_IN(auto name, manifests::ChannelName::parse(text), "--remove-channel");
    out.without_channels.push_back(std::move(name));
  }
  for (const std::string& text : given.add) {
    TRY_ASSIGN(const auto parts, split(text, "add", "ROLE=FILE.pub"));
    TRY_ASSIGN_IN(auto role, parse_role_name(parts.first), "--add " + text);
    TRY_ASSIGN(auto key, read_trust_key(parts.second));
    out.add.emplace_back(std::move(role), std::move(key));
  }
  for (const std::string& text : given.remove) {
    TRY_ASSIGN(const auto parts, split(text, "remove", "ROLE=KEY"));
    TRY_ASSIGN_IN(auto role, parse_role_name(parts.first), "--remove " + text);
    TRY_ASSIGN(auto id, read_key_id(parts.second));
    out.remove.emplace_back(std::move(role), std::move(id));
  }
  for (const std::string& text : given.revoke) {
    TRY_ASSIGN(auto parts, split(text, "revoke", "KEY=WHY"));
    TRY_ASSIGN(auto id, read_key_id(parts.first));
    out.revoke.emplace_back(std::move(id), std::move(parts.second));
  }
  for (const std::string& text : given.threshold) {
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
  if (!given.expires.empty()) {
    TRY_ASSIGN(out.expires, parse_expiry(given.expires, now));
  }
  return out;
}

bool names_no_release_key(const TrustChange& change) {
  return std::none_of(change.add.begin(), change.add.end(), [](const auto& it) {
    return it.first.role == manifests::Role::release && !it.first.channel;
  });
}

/// Signs with all keys that --sign and --pkcs11 name.
Status sign_with_all(const ChangeOptions& given, manifests::TrustFile& file) {
  for (const std::string& path : given.sign) {
    TRY_ASSIGN(const SigningKey key, SigningKey::from_file(path));
    TRY_IN(sign_newest(file, key.signer()), path);
  }
  for (const std::string& uri : given.pkcs11) {
    TRY_ASSIGN(const SigningKey key, SigningKey::from_token(uri));
    TRY(sign_newest(file, key.signer()));
  }
  return {};
}

Result<Answer> write_next(const ChangeOptions& given, manifests::TrustFile file,
                          const std::optional<manifests::Trust>& before, const std::string& out,
                          Writing writing) {
  TRY(check_output(out));
  TRY_ASSIGN(const UtcTime now, read_clock());
  TRY_ASSIGN(const TrustChange change, read_change(given, now));
  TRY_ASSIGN(const manifests::Trust next, next_trust(before, change, now));
  if (!before && names_no_release_key(change)) {
    say("release has the keys of root, since no --add release=FILE.pub names others");
  }
  file.versions.push_back({manifests::print(next), {}});
  if (given.plan) {
    for (const std::string& path : given.sign) TRY(check_secret_key(path));
    return write_trust_file(out, file, Writing::planned);
  }
  TRY(sign_with_all(given, file));
  return write_trust_file(out, file, writing);
}

Result<Answer> init(const ChangeOptions& given) {
  if (exists(given.out)) {
    return fail(Errc::busy,
                given.out + ": is there already; change it with `weir-keys trust change`");
  }
  ChangeOptions with = given;
  if (with.channel.empty()) with.channel = {"stable"};
  return write_next(with, {}, std::nullopt, with.out, Writing::as_it_is);
}

Result<Answer> change(const ChangeOptions& given) {
  const std::string& path = given.file;
  const bool in_place = given.out.empty() || given.out == path;
  TRY_ASSIGN(const OpenTrust open, open_trust(path, in_place && !given.plan));
  TRY_ASSIGN_IN(const auto before, verify_trust(open.text, {}, kAnyTime), path);
  TRY_ASSIGN_IN(auto file, manifests::parse_trust_file(open.text), path);
  return write_next(given, std::move(file), *before, in_place ? path : given.out,
                    in_place ? Writing::if_signed : Writing::as_it_is);
}

struct SignTrustOptions : Manner {
  std::string file, key, pkcs11, signature;
};

/// What the newest version changes is told against the one before, so that has to be the real one:
/// a signature over the newest would go as well with another.
Status check_earlier(manifests::TrustFile file) {
  if (file.versions.size() < 2) return {};
  file.versions.pop_back();
  TRY(verify_trust(print(file), {}, kAnyTime));
  return {};
}

/// What the newest version changes.
Result<Texts> changes_of(const manifests::TrustFile& file) {
  const auto& versions = file.versions;
  TRY_ASSIGN(const manifests::Trust after, manifests::parse_trust(versions.back().document));
  std::optional<manifests::Trust> before;
  if (versions.size() > 1) {
    TRY_ASSIGN(before, manifests::parse_trust(versions[versions.size() - 2].document));
  }
  return describe_changes(before, after);
}

/// Told before a key is asked for: whoever signs must have seen it.
void tell_changes(const std::string& path, std::size_t version, const Texts& changes) {
  std::fprintf(
      stderr, "%s: version %zu %s:\n", printable(path).c_str(), version,
      version == 1 ? "says" : ("changes, against version " + std::to_string(version - 1)).c_str());
  for (const std::string& change : changes)
    std::fprintf(stderr, "  %s\n", printable(change).c_str());
}

Status check_one_signer(const SignTrustOptions& given) {
  int ways = 0;
  for (const std::string* way : {&given.key, &given.pkcs11, &given.signature}) {
    if (!way->empty()) ++ways;
  }
  if (ways == 1) return {};
  return fail(Errc::invalid_input,
              "which root key signs? --key FILE, --pkcs11 URI or --signature FILE.minisig");
}

Result<Answer> sign_trust(const SignTrustOptions& given) {
  const std::string& path = given.file;
  TRY(check_output(path));
  TRY_ASSIGN(const OpenTrust open, open_trust(path, !given.plan));
  TRY_ASSIGN_IN(auto file, manifests::parse_trust_file(open.text), path);
  TRY_IN(check_earlier(file), path);
  TRY_ASSIGN_IN(const Texts changes, changes_of(file), path);
  tell_changes(path, file.versions.size(), changes);
  Status added;
  std::string by = path;
  if (!given.signature.empty()) {
    TRY_ASSIGN(const std::string signature, read_file(given.signature, kLargestSignature));
    added = add_signature(file, signature);
    by = given.signature;
  } else {
    TRY_ASSIGN(const SigningKey key, SigningKey::open(given.key, given.pkcs11));
    added = sign_newest(file, key.signer());
  }
  const bool signed_before = !added && added.error().code == Errc::busy;
  if (!(signed_before && waits_for_its_place(path, file))) TRY_IN(added, by);
  TRY_ASSIGN(Answer out,
             write_trust_file(path, file, given.plan ? Writing::planned : Writing::as_it_is));
  out.json["changes"] = changes;
  return out;
}

/// What `trust init` and `trust change` share.
std::vector<Option> change_options(ChangeOptions& given) {
  return {
      {"add", "ROLE=FILE.pub", &given.add,
       "gives a key a role: root, release, release@CHANNEL, boot-check, rebuild, "
       "audit-checkpoint, evidence; can be repeated, as all of these"},
      {"threshold", "ROLE=N", &given.threshold, "how many of a role's keys must sign"},
      {"channel", "NAME", &given.channel, "a stream of releases"},
      {"sign", "FILE", &given.sign, "signs the new version with this secret key"},
      {"pkcs11", "URI", &given.pkcs11, "signs it with a key in a token, as weir-keys sign does"}};
}

Command init_command() {
  const auto given = std::make_shared<ChangeOptions>();
  given->expires = "365d";
  Command out{.name = "trust init",
              .summary = "makes a trust file: who may sign what",
              .about =
                  "Makes version 1 of a trust file: who may sign what. Whoever has the role "
                  "root signs the\n"
                  "trust itself, and releases too where no --add release=FILE.pub names who "
                  "does.",
              .examples =
                  "  weir-keys trust init --out trust.json --add root=alice.pub --add root=bob.pub "
                  "\\\n"
                  "      --threshold root=2 --add release=carol.pub --sign alice.key\n"
                  "  weir-keys trust sign trust.json --key bob.key\n",
              .options = change_options(*given),
              .run = {}};
  out.options.push_back({"out", "FILE", &given->out, "the trust file to make", Need::required});
  out.options.push_back({"expires", "DATE", &given->expires,
                         "when it must have been renewed: a date, or days from now"});
  return answering(std::move(out), given, init);
}

Command change_command() {
  const auto given = std::make_shared<ChangeOptions>();
  Command out{.name = "trust change",
              .summary = "makes the next version of a trust file",
              .examples =
                  "  weir-keys trust change trust.json --revoke 'carol.pub=stolen laptop' \\\n"
                  "      --add release=dora.pub --sign alice.key --sign bob.key\n"
                  "  weir-keys trust change trust.json --expires 365d --out next.json --sign "
                  "alice.key\n"
                  "  weir-keys trust change trust.json --channel lab --add release@lab=erik.pub\n",
              .takes = Positional{"FILE", &given->file},
              .options = change_options(*given),
              .run = {}};
  const std::vector<Option> own = {
      {"out", "FILE", &given->out,
       "where the changed file goes, in place of FILE, which is replaced only once enough root "
       "keys "
       "have signed (until then it is FILE.pending)"},
      {"remove", "ROLE=KEY", &given->remove, "takes a role from a key (its id or .pub file)"},
      {"revoke", "KEY=WHY", &given->revoke, "takes everything from a key, for ever"},
      {"remove-channel", "NAME", &given->remove_channel, "ends a channel"},
      {"expires", "DATE", &given->expires, "the new date, or days from now: 365d"}};
  out.options.insert(out.options.end(), own.begin(), own.end());
  return answering(std::move(out), given, change);
}

Command sign_command() {
  const auto given = std::make_shared<SignTrustOptions>();
  return answering(
      {.name = "trust sign",
       .summary = "signs a trust file's newest version",
       .about = "Says what the newest version of a trust file changes, and signs it.",
       .examples =
           "  weir-keys trust sign next.json --key bob.key\n"
           "  weir-keys trust sign next.json --pkcs11 'pkcs11:token=root;object=bob'\n"
           "  weir-keys trust show next.json --extract v3        bob's machine has no network:\n"
           "  minisign -S -s bob.key -m v3.json                  there\n"
           "  weir-keys trust sign next.json --signature v3.json.minisig\n",
       .takes = Positional{"FILE", &given->file},
       .options = {{"key", "FILE", &given->key, "a root key, secret"},
                   {"pkcs11", "URI", &given->pkcs11,
                    "in place of --key: a root key in a token, as weir-keys sign takes it"},
                   {"signature", "FILE", &given->signature,
                    "in place of --key: adds a .minisig that minisign made over what show "
                    "--extract wrote"}},
       .check = [given] { return check_one_signer(*given); },
       .run = {}},
      given, sign_trust);
}

}  // namespace

std::vector<Command> trust_commands() {
  std::vector<Command> out{init_command(), change_command(), sign_command()};
  for (Command& more : trust_show_commands()) out.push_back(std::move(more));
  return out;
}

}  // namespace weir::keys
