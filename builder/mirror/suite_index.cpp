#include "builder/mirror/suite_index.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "builder/packages/control_file.h"

namespace weir::builder {
namespace {

constexpr std::string_view kBegin = "-----BEGIN PGP SIGNED MESSAGE-----";
constexpr std::string_view kSignature = "-----BEGIN PGP SIGNATURE-----";
constexpr std::string_view kEnd = "-----END PGP SIGNATURE-----";
constexpr std::int64_t kDay = 86400;

std::string quoted(std::string_view text) {
  return "'" + std::string(text.substr(0, 80)) + "'";
}

// Words of a line, by any run of blanks.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const auto start = line.find_first_not_of(" \t\r\n");
    if (start == std::string_view::npos) return out;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(" \t\r\n"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

template <class Visit>
void each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
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

bool is_index_path(std::string_view path) {
  return !path.empty() && path.front() != '/' && path.find("..") == std::string_view::npos &&
         std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c <= '~'; });
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
  if (!sound || place != behind) {
    return fail(Errc::invalid_input, "is not one clear-signed message and nothing else");
  }
  return {};
}

Result<std::string> judge_gpgv_status(std::string_view status) {
  std::string signer, weak, missing;
  int texts = 0;
  bool good = false, bad = false, expired = false;
  each_line(status, [&](std::string_view line) {
    const auto parts = words(line);
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
        if (signer.empty()) signer = parts[11];
      } else {
        weak = hash;
      }
      good = false;
    }
  });
  if (bad) return fail(Errc::unauthorized, "a signature is bad: the file was changed");
  if (texts > 1) return fail(Errc::unauthorized, "holds more than one message");
  if (!signer.empty()) return signer;
  if (!weak.empty()) return fail(Errc::unauthorized, "is signed over a weak hash only");
  if (expired) return fail(Errc::unauthorized, "is signed by an expired or revoked key only");
  if (!missing.empty()) {
    return fail(Errc::unauthorized,
                "is signed by key " + missing + ", which is not in the keyring");
  }
  return fail(Errc::unauthorized, "has no good signature");
}

Result<std::int64_t> parse_date(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                     "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto wrong = [&] { return fail(Errc::invalid_input, quoted(text) + " is not a date"); };
  const auto parts = words(text);
  if (parts.size() != 6 || parts[0].size() != 4 || parts[0].back() != ',' ||
      (parts[5] != "UTC" && parts[5] != "GMT" && parts[5] != "+0000")) {
    return wrong();
  }
  unsigned day = 0, hour = 0, minute = 0, second = 0;
  int year = 0;
  const auto month = std::find(kMonths.begin(), kMonths.end(), parts[2]);
  const auto clock = parts[4];
  if (month == kMonths.end() || !parse_number(parts[1], day) || !parse_number(parts[3], year) ||
      parts[3].size() != 4 || clock.size() != 8 || clock[2] != ':' || clock[5] != ':' ||
      !parse_number(clock.substr(0, 2), hour) || !parse_number(clock.substr(3, 2), minute) ||
      !parse_number(clock.substr(6, 2), second) || hour > 23 || minute > 59 || second > 60) {
    return wrong();
  }
  const std::chrono::year_month_day date{
      std::chrono::year(year),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(day)};
  if (!date.ok()) return wrong();
  const std::chrono::sys_days days(date);
  if (kDays[std::chrono::weekday(days).c_encoding()] != parts[0].substr(0, 3)) return wrong();
  return std::int64_t{days.time_since_epoch().count()} * kDay + std::int64_t{hour} * 3600 +
         std::int64_t{minute} * 60 + second;
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
  TRY_ASSIGN(out.date, stanza->need("Date"));
  TRY_ASSIGN_IN(out.date_unix, parse_date(out.date), "Date");
  if (const auto until = stanza->find("Valid-Until")) {
    TRY_ASSIGN_IN(out.valid_until_unix, parse_date(*until), "Valid-Until");
  }
  out.by_hash = stanza->find("Acquire-By-Hash") == "yes";
  out.not_automatic = stanza->find("NotAutomatic") == "yes";
  TRY_ASSIGN(const auto table, stanza->need("SHA256"));
  Status status;
  each_line(table, [&](std::string_view line) {
    if (!status) return;
    const auto parts = words(line);
    std::uint64_t size = 0;
    auto digest = Digest::parse(parts.empty() ? "" : parts[0]);
    if (parts.size() != 3 || !digest || !parse_number(parts[1], size) || !is_index_path(parts[2])) {
      status = fail(Errc::invalid_input, "SHA256: " + quoted(line) + " is not DIGEST SIZE PATH");
    } else if (!out.files.emplace(parts[2], IndexFile{*digest, ByteCount{size}}).second) {
      status = fail(Errc::invalid_input, "SHA256: " + quoted(parts[2]) + " stands here twice");
    }
  });
  TRY(status);
  return out;
}

Status check_suite_name(const SuiteIndex& index, std::string_view asked) {
  if (asked == index.suite || asked == index.codename) return {};
  return fail(Errc::integrity, "the mirror gave the index of suite " + quoted(index.codename));
}

Status check_suite_index(const SuiteIndex& index, std::string_view asked, std::int64_t now) {
  TRY(check_suite_name(index, asked));
  if (index.date_unix > now + kDay) {
    return fail(Errc::integrity, "is dated " + index.date + ", in the future: check the clock");
  }
  if (index.valid_until_unix && *index.valid_until_unix < now) {
    return fail(Errc::integrity,
                "expired " + std::to_string((now - *index.valid_until_unix) / 3600) +
                    " hours ago: the mirror is stale, or this clock is wrong: ask one "
                    "that is kept up to date (--mirror " +
                    std::string(asked) + "=URL), or set the clock");
  }
  return {};
}

}  // namespace weir::builder
