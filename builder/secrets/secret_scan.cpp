#include "builder/secrets/secret_scan.h"

#include <sodium.h>

#include <algorithm>
#include <cctype>
#include <tuple>
#include <utility>

#include "builder/secrets/secret_rules.h"

namespace weir::builder {
namespace {

using keys::Secret;

// Wu and Manber's search: the last two bytes of a window of eight say how far it can move. All
// needles are at least this long.
constexpr std::size_t kWindow = 8;
constexpr std::size_t kShortestKey = 16;
// From one window of a key's text to the next: no line's end breaks two of them, and no two ends of
// lines as tools write them (32, 60, 64, 76 characters) do.
constexpr std::size_t kApart = 24;

std::uint8_t lower(std::uint8_t c) {
  return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c - 'A' + 'a') : c;
}

std::uint8_t standard(std::uint8_t c) {
  return c == '-' ? '+' : c == '_' ? '/' : c;
}

bool same_hex(std::uint8_t a, std::uint8_t b) {
  return lower(a) == b;
}

bool same_base64(std::uint8_t a, std::uint8_t b) {
  return standard(a) == b;
}

std::size_t block(std::uint8_t first, std::uint8_t second) {
  return std::size_t{first} << 8 | second;
}

// Base64 of the key as it stands in base64 of something longer, `before` bytes into a group of
// three: only the characters that depend on nothing else.
Result<Secret> base64_within(const Secret& key, std::size_t before) {
  constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;
  TRY_ASSIGN(Secret plain, Secret::of_size(before + key.size()));
  std::copy(key.bytes().begin(), key.bytes().end(),
            plain.writable().begin() + static_cast<std::ptrdiff_t>(before));
  TRY_ASSIGN(Secret text, Secret::of_size(sodium_base64_encoded_len(plain.size(), kVariant)));
  sodium_bin2base64(reinterpret_cast<char*>(text.writable().data()), text.size(),
                    plain.bytes().data(), plain.size(), kVariant);
  const std::size_t first = (before * 8 + 5) / 6, last = plain.size() * 8 / 6;
  return Secret::copy_of(text.bytes().subspan(first, last - first));
}

bool is_accepted(const manifests::AcceptedFile& file, const AcceptedSecrets& accepted) {
  return std::any_of(accepted.begin(), accepted.end(), [&](const auto& entry) {
    return entry.path == file.path && std::find(entry.digests.begin(), entry.digests.end(),
                                                file.digest) != entry.digests.end();
  });
}

std::string_view meaning(std::size_t rule) {
  constexpr std::string_view kMeanings[] = {"a WireGuard private or preshared key",
                                            "a private key in PEM or OpenPGP armour",
                                            "an OpenSSH private key",
                                            "a minisign secret key",
                                            "an age secret key",
                                            "a key of the fleet",
                                            "a key of the fleet in hex",
                                            "a key of the fleet"};
  return kMeanings[rule];
}

std::string line_of(const std::string& where, const SecretFinding& finding,
                    const std::string& more = "") {
  return where + " holds " + finding.what + " at byte " + std::to_string(finding.offset) + more;
}

// Refuses a name that holds a secret; what is in the names of the folders above is theirs. Returns
// the name as it can be shown.
std::string check_name(const std::string& name, const SecretScanner& scanner,
                       std::vector<std::string>& out) {
  const auto findings = scanner.scan(as_bytes(name));
  if (findings.empty()) return name;
  const auto above = scanner.scan(as_bytes(std::string_view(name).substr(0, name.rfind('/'))));
  std::string shown = name.substr(0, findings.front().offset) + "…";
  for (const SecretFinding& finding : findings) {
    if (std::find(above.begin(), above.end(), finding) != above.end()) continue;
    out.push_back(line_of("the name " + shown, finding));
  }
  return shown;
}

}  // namespace

std::uint8_t SecretScanner::folded(Rule rule, std::uint8_t c) {
  return rule == Rule::raw ? c : rule == Rule::base64 ? standard(c) : lower(c);
}

// All that fold to it.
std::vector<std::uint8_t> SecretScanner::cases(Rule rule, std::uint8_t c) {
  std::vector<std::uint8_t> out = {c};
  if (rule == Rule::base64) {
    if (c == '+') out.push_back('-');
    if (c == '/') out.push_back('_');
  } else if (rule != Rule::raw && std::toupper(c) != c) {
    out.push_back(static_cast<std::uint8_t>(std::toupper(c)));
  }
  return out;
}

Status SecretScanner::add(std::string_view text, Rule rule) {
  TRY_ASSIGN(Secret copy, Secret::copy_of(as_bytes(text)));
  for (std::uint8_t& c : copy.writable()) c = folded(rule, c);
  const auto window = [&](std::size_t from) {
    // Without '/', which JSON may escape.
    for (std::size_t at = from; rule == Rule::base64 && at + kWindow <= text.size(); ++at) {
      if (text.substr(at, kWindow).find('/') == std::string_view::npos) return at;
    }
    return from;
  };
  needles_.push_back({texts_.size(), window(0), rule});
  if (rule == Rule::hex || rule == Rule::base64) {
    const std::size_t last = text.size() - kWindow;
    for (std::size_t at = std::min(kApart, last); at <= last; at += kApart) {
      needles_.push_back({texts_.size(), window(at), rule});
    }
  }
  texts_.push_back(std::move(copy));
  return {};
}

Status SecretScanner::add_key(const Secret& key) {
  if (key.size() < kShortestKey) {
    return fail(Errc::invalid_input, "a key to look for has less than 16 bytes");
  }
  TRY(add(key.text(), Rule::raw));
  TRY_ASSIGN(Secret hex, Secret::of_size(key.size() * 2 + 1));
  sodium_bin2hex(reinterpret_cast<char*>(hex.writable().data()), hex.size(), key.bytes().data(),
                 key.size());
  TRY(add(hex.text().substr(0, key.size() * 2), Rule::hex));
  for (std::size_t before = 0; before < 3; ++before) {
    TRY_ASSIGN(const Secret text, base64_within(key, before));
    TRY(add(text.text(), Rule::base64));
  }
  return {};
}

void SecretScanner::finish() {
  steps_.assign(1 << 16, kWindow - 1);
  ends_.assign(1 << 16, {});
  for (std::size_t i = 0; i < needles_.size(); ++i) {
    const Needle& needle = needles_[i];
    const auto text = texts_[needle.text].bytes().subspan(needle.anchor, kWindow);
    for (std::size_t at = 0; at + 1 < kWindow; ++at) {
      const auto step = static_cast<std::uint8_t>(kWindow - 2 - at);
      for (const std::uint8_t first : cases(needle.rule, text[at])) {
        for (const std::uint8_t second : cases(needle.rule, text[at + 1])) {
          std::uint8_t& known = steps_[block(first, second)];
          known = std::min(known, step);
          if (step == 0) ends_[block(first, second)].push_back(static_cast<std::uint16_t>(i));
        }
      }
    }
  }
}

Result<SecretScanner> SecretScanner::create(const std::vector<Secret>& keys) {
  std::vector<std::string> digests;
  digests.reserve(keys.size());
  for (const Secret& key : keys) digests.push_back(Digest::of(key.bytes()).hex());
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  std::string identity = "secret scan " + std::to_string(kScanRules);
  for (const std::string& digest : digests) identity += "\n" + digest;
  SecretScanner out(Digest::of(as_bytes(identity)));
  const std::pair<const char*, Rule> rules[] = {
      {"privatekey", Rule::setting},   {"private_key", Rule::setting},
      {"presharedkey", Rule::setting}, {"preshared_key", Rule::setting},
      {"private-key", Rule::setting},  {"preshared-key", Rule::setting},
      {"private key", Rule::pem},      {"b3BlbnNzaC1rZXktdjE", Rule::openssh},
      {"RWRTY0Iy", Rule::minisign},    {"RWQAAEIy", Rule::minisign},
      {"age-secret-key-1", Rule::age}};
  for (const auto& [words, rule] : rules) TRY(out.add(words, rule));
  for (const Secret& key : keys) TRY(out.add_key(key));
  out.keys_ = digests.size();
  if (out.needles_.size() > UINT16_MAX) {
    return fail(Errc::invalid_input, "more than 6000 keys to look for");
  }
  out.finish();
  return out;
}

std::optional<manifests::OwnKeys> SecretScanner::own_keys() const {
  if (keys_ == 0) return std::nullopt;
  return manifests::OwnKeys{keys_, identity_};
}

std::optional<SecretFinding> SecretScanner::check(const Needle& needle, Bytes content,
                                                  std::size_t at) const {
  const auto text = texts_[needle.text].bytes();
  std::optional<std::size_t> begin = at;
  if (needle.rule == Rule::hex || needle.rule == Rule::base64) {
    begin = secret_rules::key_text(content, at, text, needle.anchor, kWindow,
                                   needle.rule == Rule::hex ? same_hex : same_base64);
  } else {
    if (content.size() - at < text.size()) return std::nullopt;
    const Bytes found = content.subspan(at, text.size());
    if (!std::equal(found.begin(), found.end(), text.begin(),
                    [&](std::uint8_t a, std::uint8_t b) { return folded(needle.rule, a) == b; })) {
      return std::nullopt;
    }
    if (needle.rule == Rule::setting) begin = secret_rules::setting(content, at, text.size());
    if (needle.rule == Rule::pem) begin = secret_rules::pem(content, at);
    if (needle.rule == Rule::openssh) begin = secret_rules::openssh(content, at);
    if (needle.rule == Rule::minisign) begin = secret_rules::minisign(content, at);
    if (needle.rule == Rule::age) begin = secret_rules::age(content, at);
  }
  if (!begin) return std::nullopt;
  return SecretFinding{*begin, std::string(meaning(static_cast<std::size_t>(needle.rule))),
                       needle.rule >= Rule::raw};
}

std::vector<SecretFinding> SecretScanner::scan(Bytes content) const {
  std::vector<SecretFinding> out;
  if (content.size() < kWindow) return out;
  const std::uint8_t* bytes = content.data();
  const std::size_t last = content.size() - kWindow;
  for (std::size_t at = 0; at <= last;) {
    const std::size_t ending = block(bytes[at + kWindow - 2], bytes[at + kWindow - 1]);
    const std::size_t step = steps_[ending];
    if (step > 0) {
      at += step;
      continue;
    }
    for (const std::uint16_t i : ends_[ending]) {
      if (auto found = check(needles_[i], content, at)) out.push_back(std::move(*found));
    }
    ++at;
  }
  std::sort(out.begin(), out.end(), [](const SecretFinding& a, const SecretFinding& b) {
    return std::tie(a.offset, a.what) < std::tie(b.offset, b.what);
  });
  // A key is found at each of its windows.
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool still_passes(const manifests::ReleaseScan& scan, const AcceptedSecrets& accepted) {
  return std::all_of(scan.accepted.begin(), scan.accepted.end(),
                     [&](const auto& file) { return is_accepted(file, accepted); });
}

ScannedTree find_secrets(const images::FileTree& tree, const SecretScanner& scanner,
                         const AcceptedSecrets& accepted) {
  ScannedTree out{{kScanRules, 0, 0}, {}};
  for (const auto& [path, node] : tree.nodes()) {
    const std::string name = "/" + path.string();
    const std::string shown = check_name(name, scanner, out.found);
    if (const images::Symlink* link = node.symlink()) {
      for (const SecretFinding& finding : scanner.scan(as_bytes(link->target))) {
        out.found.push_back(line_of(shown + " is a link whose target", finding));
      }
    }
    if (node.file() == nullptr) continue;
    const Bytes content = *node.file()->content;
    ++out.scan.files;
    out.scan.bytes += content.size();
    const std::vector<SecretFinding> findings = scanner.scan(content);
    if (findings.empty()) continue;
    const manifests::AcceptedFile file{name, Digest::of(content)};
    const bool excused = is_accepted(file, accepted);
    // The first of each kind, and how many more.
    std::vector<std::pair<SecretFinding, std::size_t>> kinds;
    for (const SecretFinding& finding : findings) {
      if (excused && !finding.fleet) continue;
      const auto same = [&](const auto& kind) { return kind.first.what == finding.what; };
      const auto known = std::find_if(kinds.begin(), kinds.end(), same);
      if (known == kinds.end()) {
        kinds.emplace_back(finding, 0);
      } else {
        ++known->second;
      }
    }
    for (const auto& [finding, more] : kinds) {
      const std::string places = more == 0   ? ""
                                 : more == 1 ? " and one more place"
                                             : " and " + std::to_string(more) + " more places";
      out.found.push_back(line_of(shown, finding, places + " (sha256 " + file.digest.hex() + ")"));
    }
    if (excused) out.scan.accepted.push_back(file);
  }
  return out;
}

}  // namespace weir::builder
