#include "builder/mirror/suite_index.h"

#include <algorithm>
#include <charconv>

#include "builder/mirror/lines.h"
#include "builder/mirror/release_date.h"
#include "builder/packages/control_file.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kSignature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----";
constexpr std::int64_t kOneDay = 86400;

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 80)) + "'";
}

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && rest == text.data() + text.size() && !text.empty();
}

std::string_view without_trailing_blanks(std::string_view line) {
  const auto last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

// apt-pkg, StringToBool.
bool is_yes(std::optional<std::string_view> value) {
  if (!value) return false;
  const std::string text = ascii_lower(*value);
  return text == "yes" || text == "true" || text == "with" || text == "on" || text == "enable" ||
         text == "1";
}

bool has_word(std::optional<std::string_view> value, std::string_view word) {
  if (!value) return false;
  const auto words = words_of(*value);
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_sha512(std::string_view text) {
  return text.size() == 128 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_index_path(std::string_view path) {
  return !path.empty() && path.front() != '/' && path.find("..") == std::string_view::npos &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~'; });
}

// One table of digests. A path that no file of ours can have is no reason to refuse the others.
Status read_table(std::string_view field, std::string_view table, SuiteIndex& out) {
  const std::string name(field);
  const auto wrong = [&](std::string_view line) {
    return fail(Errc::invalid_input, name + ": " + quoted(line) + " is not DIGEST SIZE PATH");
  };
  Status status;
  each_line(table, [&](std::string_view line) {
    const auto parts = words_of(line);
    if (!status || parts.empty()) return;
    const std::string digits = ascii_lower(parts[0]);
    IndexFile file;
    if (parts.size() != 3 || !parse_number(parts[1], file.size.value)) {
      status = wrong(line);
      return;
    }
    if (field == "SHA256") {
      const auto digest = Digest::parse(digits);
      if (digest) file.digest = *digest;
    } else if (is_sha512(digits)) {
      file.sha512 = digits;
    }
    if (!file.digest && file.sha512.empty()) {
      status = wrong(line);
      return;
    }
    std::string_view path = parts[2];
    while (path.starts_with("./")) path.remove_prefix(2);
    if (!is_index_path(path)) return;
    const auto [at, is_new] = out.files.emplace(path, file);
    if (is_new) return;
    IndexFile& known = at->second;
    const bool other =
        (known.digest && file.digest && known.digest != file.digest) ||
        (!known.sha512.empty() && !file.sha512.empty() && known.sha512 != file.sha512);
    if (known.size != file.size || other) {
      status = fail(Errc::invalid_input, name + ": " + quoted(path) + " stands here twice");
      return;
    }
    if (file.digest) known.digest = file.digest;
    if (!file.sha512.empty()) known.sha512 = file.sha512;
  });
  return status;
}

}  // namespace

Status check_clear_signed(std::string_view file) {
  enum { before, message, signature, behind } place = before;
  bool sound = true;
  each_line(file, [&](std::string_view raw) {
    const auto line = without_trailing_blanks(raw);
    const bool armor = line.starts_with("-----");
    switch (place) {
      case before:
        sound = sound && line == kBegin;
        place = message;
        break;
      case message:
        if (armor) {
          sound = sound && line == kSignature;
          place = signature;
        }
        break;
      case signature:
        if (armor) {
          sound = sound && line == kEnd;
          place = behind;
        }
        break;
      case behind:
        sound = false;
        break;
    }
  });
  if (sound && (place == message || place == signature)) {
    return fail(Errc::invalid_input, "is cut short: its signature's last line is missing");
  }
  if (!sound || place != behind) {
    return fail(Errc::invalid_input, "is not one clear-signed message and nothing else");
  }
  return {};
}

Result<std::vector<std::string>> judge_gpgv_status(std::string_view status) {
  std::vector<std::string> signers;
  std::string weak, missing;
  int texts = 0;
  bool good = false, bad = false, expired = false;
  each_line(status, [&](std::string_view line) {
    const auto parts = words_of(line);
    if (parts.size() < 2 || parts[0] != "[GNUPG:]") return;
    const auto keyword = parts[1];
    if (keyword == "PLAINTEXT") ++texts;
    if (keyword == "BADSIG") bad = true;
    if (keyword == "NO_PUBKEY" && parts.size() > 2) missing = parts[2];
    if (keyword == "EXPKEYSIG" || keyword == "REVKEYSIG" || keyword == "EXPSIG") expired = true;
    // A signature's verdict comes first, its details (VALIDSIG) after.
    if (keyword == "NEWSIG" || keyword == "ERRSIG" || keyword == "EXPKEYSIG" ||
        keyword == "REVKEYSIG" || keyword == "EXPSIG") {
      good = false;
    }
    if (keyword == "GOODSIG") good = true;
    if (keyword == "VALIDSIG" && good && parts.size() >= 12) {
      const auto hash = parts[9];  // RFC 4880, section 9.4: SHA-256, SHA-384, SHA-512
      if (hash == "8" || hash == "9" || hash == "10") {
        signers.emplace_back(parts[11]);
      } else {
        weak = hash;
      }
      good = false;
    }
  });
  if (bad) return fail(Errc::unauthorized, "a signature is bad: the file was changed");
  if (texts > 1) return fail(Errc::unauthorized, "holds more than one message");
  if (!signers.empty()) return signers;
  if (!weak.empty()) return fail(Errc::unauthorized, "is signed over a weak hash only");
  if (expired) return fail(Errc::unauthorized, "is signed by an expired or revoked key only");
  if (!missing.empty()) {
    return fail(Errc::unauthorized,
                "is signed by key " + missing + ", which is not in the keyring");
  }
  return fail(Errc::unauthorized, "has no good signature");
}

Result<SuiteIndex> parse_suite_index(std::string_view text) {
  StanzaReader reader(text);
  TRY_ASSIGN(const auto stanza, reader.next());
  if (!stanza) return fail(Errc::invalid_input, "the index is empty");
  TRY_ASSIGN(const auto more, reader.next());
  if (more) return fail(Errc::invalid_input, "holds more than one paragraph");

  SuiteIndex out;
  out.suite = stanza->find("Suite").value_or("");
  out.codename = stanza->find("Codename").value_or("");
  out.origin = stanza->find("Origin").value_or("");
  TRY_ASSIGN(out.date, stanza->need("Date"));
  TRY_ASSIGN_IN(out.date_unix, parse_date(out.date), "Date");
  if (const auto until = stanza->find("Valid-Until")) {
    out.valid_until = *until;
    TRY_ASSIGN_IN(out.valid_until_unix, parse_date(*until), "Valid-Until");
  }
  // As a lock can hold them.
  for (auto* date : {&out.date, &out.valid_until}) {
    std::replace_if(
        date->begin(), date->end(), [](char c) { return c < ' '; }, ' ');
  }
  out.by_hash = is_yes(stanza->find("Acquire-By-Hash"));
  out.not_automatic = is_yes(stanza->find("NotAutomatic"));
  out.has_all = has_word(stanza->find("Architectures"), "all") &&
                !has_word(stanza->find("No-Support-for-Architecture-all"), "Packages");
  bool any = false;
  for (const std::string_view field : {"SHA256", "SHA512"}) {
    const auto table = stanza->find(field);
    if (!table) continue;
    any = true;
    TRY(read_table(field, *table, out));
  }
  if (any) return out;
  return fail(Errc::invalid_input,
              stanza->find("MD5Sum") || stanza->find("SHA1")
                  ? "lists its files by MD5 or SHA-1 only, for which another file can be made: the "
                    "archive has to list them by SHA256"
                  : "lists no files: it has neither SHA256 nor SHA512");
}

std::optional<std::string> other_name(const SuiteIndex& index, std::string_view asked) {
  const bool silent = index.suite.empty() && index.codename.empty();
  if (silent || asked.ends_with('/')) return std::nullopt;
  // "bookworm/updates" may be a part of bookworm, as apt sees it.
  for (const auto name : {asked, asked.substr(0, asked.rfind('/'))}) {
    if (name == index.suite || name == index.codename) return std::nullopt;
  }
  std::string name = index.codename.empty() ? index.suite : index.codename;
  if (!index.suite.empty() && index.suite != name) name += " (" + index.suite + ")";
  return "calls itself " + name + ": is this the archive that was meant?";
}

namespace {

// People count in days what is longer than two.
std::string ago(std::int64_t seconds) {
  const std::int64_t hours = seconds / 3600;
  if (hours >= 48) return std::to_string(hours / 24) + " days ago";
  return hours == 1 ? "an hour ago" : std::to_string(hours) + " hours ago";
}

}  // namespace

Status check_suite_index(const SuiteIndex& index, std::string_view label, std::int64_t now) {
  if (index.date_unix > now + kOneDay) {
    return fail(Errc::integrity, "is dated " + index.date + ", in the future: check the clock");
  }
  if (index.valid_until_unix && *index.valid_until_unix < now) {
    return fail(Errc::integrity,
                "expired " + ago(now - *index.valid_until_unix) +
                    ": the mirror is stale, or this clock is wrong: ask one "
                    "that is kept up to date (--mirror " +
                    std::string(label) +
                    "=URL), set the clock, or, where an index of that time is meant, say "
                    "--accept-expired " +
                    std::string(label));
  }
  return {};
}

}  // namespace weir::builder
