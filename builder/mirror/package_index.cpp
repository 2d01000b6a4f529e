#include "builder/mirror/package_index.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "builder/mirror/lines.h"
#include "builder/packages/control_file.h"
#include "manifests/documents/archive_path.h"

namespace weir::builder {
namespace {

constexpr std::size_t kMostNotes = 5;

// A paragraph and where it stands.
struct Paragraph {
  IndexedPackage package;
  std::size_t begin, end, line;
  std::optional<std::string> path{};    ///< where the file writes another
  std::optional<std::string> sha512{};  ///< where it has nothing else
  bool out = false;
};

// A word of what dpkg takes: letters, digits and `more`.
Result<std::string_view> word(const Stanza& stanza, std::string_view field, std::string_view more) {
  TRY_ASSIGN(const auto value, stanza.need(field));
  const bool good = std::all_of(value.begin(), value.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
  if (good) return value;
  return fail(Errc::invalid_input, std::string(field) + " has a character that dpkg does not take");
}

// In lower case, as documents have it.
Result<std::string> hex_of(std::string_view written, std::size_t digits, const char* field) {
  std::string out(written);
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  const bool good =
      out.size() == digits && out.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (good) return out;
  return fail(Errc::invalid_input,
              std::string(field) + " is not " + std::to_string(digits) + " hexadecimal digits");
}

// Reads SHA256, else SHA512.
Status read_digest(const Stanza& stanza, Paragraph& out) {
  const auto sha256 = stanza.find("SHA256"), sha512 = stanza.find("SHA512");
  if (sha256 && !sha256->empty()) {
    TRY_ASSIGN(const auto hex, hex_of(*sha256, 64, "SHA256"));
    TRY_ASSIGN(out.package.digest, Digest::parse(hex));
    return {};
  }
  if (!sha512 || sha512->empty()) {
    const bool weak = stanza.find("MD5sum") || stanza.find("SHA1");
    return fail(Errc::invalid_input,
                weak ? "has no SHA256, and by MD5 or SHA-1 somebody can make another package"
                     : "has no SHA256");
  }
  TRY_ASSIGN(out.sha512, hex_of(*sha512, 128, "SHA512"));
  out.package.digest = Digest::of(as_bytes(*out.sha512));
  return {};
}

Result<Paragraph> parse_paragraph(const Stanza& stanza) {
  TRY_ASSIGN(const auto name, word(stanza, "Package", "-+._"));
  TRY_ASSIGN(const auto version, word(stanza, "Version", "-+._~:"));
  TRY_ASSIGN(const auto architecture, word(stanza, "Architecture", "-"));
  TRY_ASSIGN(const auto written, stanza.need("Filename"));
  TRY_ASSIGN(const auto size_text, stanza.need("Size"));
  std::uint64_t size = 0;
  const char* end = size_text.data() + size_text.size();
  const auto [rest, error] = std::from_chars(size_text.data(), end, size);
  if (error != std::errc{} || rest != end) return fail(Errc::invalid_input, "Size is no number");
  const auto section = stanza.find("Section").value_or("");
  const Digest none = Digest::of({});
  Paragraph out{{name, version, architecture, written, ByteCount{size}, none, section}, 0, 0, 0};
  TRY(read_digest(stanza, out));
  if (!manifests::is_archive_path(written)) {
    TRY_ASSIGN_IN(out.path, manifests::parse_archive_path(written), "Filename");
  }
  return out;
}

// The same for whoever reads it next: our own reader takes them for blanks, libsolv does not.
std::string without_carriage_returns(std::string text) {
  std::replace(text.begin(), text.end(), '\r', ' ');
  std::string out;
  out.reserve(text.size());
  each_line(text, [&](std::string_view line) {
    const auto last = line.find_last_not_of(" \t");
    out.append(line.substr(0, last == std::string_view::npos ? 0 : last + 1)).append("\n");
  });
  return out;
}

// Collects at most a few sentences.
class Notes {
 public:
  void add(std::size_t line, std::string_view name, std::string_view problem) {
    if (++count_ > kMostNotes) return;
    std::string note = "line " + std::to_string(line) + ": ";
    if (!name.empty()) note.append(name.substr(0, 80)).append(": ");
    notes_.push_back(note.append(problem));
  }
  std::vector<std::string> take() {
    if (count_ > kMostNotes) {
      notes_.push_back("and " + std::to_string(count_ - kMostNotes) + " more paragraphs");
    }
    return std::move(notes_);
  }
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<std::string> notes_;
  std::size_t count_ = 0;
};

// Without the line, which the note has already.
std::string problem_of(const Error& error) {
  if (!error.message.starts_with("line ")) return error.message;
  const auto colon = error.message.find(": ");
  return colon == std::string::npos ? error.message : error.message.substr(colon + 2);
}

std::vector<Paragraph> read_paragraphs(std::string_view text, Notes& notes) {
  std::vector<Paragraph> out;
  StanzaReader reader(text);
  for (;;) {
    const std::size_t begin = reader.position();
    const auto stanza = reader.next();
    if (!stanza) {
      notes.add(reader.line(), "", problem_of(stanza.error()));
      reader.skip();
      continue;
    }
    if (!*stanza) return out;
    auto paragraph = parse_paragraph(**stanza);
    if (!paragraph) {
      notes.add((*stanza)->line(), (*stanza)->find("Package").value_or(""),
                problem_of(paragraph.error()));
      continue;
    }
    paragraph->begin = begin;
    paragraph->end = reader.position();
    paragraph->line = (*stanza)->line();
    out.push_back(std::move(*paragraph));
  }
}

// The first of equals stays.
void leave_out_repeated(std::vector<Paragraph>& paragraphs, Notes& notes) {
  std::vector<Paragraph*> order;
  order.reserve(paragraphs.size());
  for (auto& one : paragraphs) order.push_back(&one);
  const auto key = [](const Paragraph* one) {
    return std::tie(one->package.name, one->package.version, one->package.architecture);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const Paragraph* a, const Paragraph* b) { return key(a) < key(b); });
  const Paragraph* first = nullptr;
  for (Paragraph* one : order) {
    if (first == nullptr || key(first) != key(one)) {
      first = one;
      continue;
    }
    one->out = true;
    if (one->package.digest == first->package.digest) continue;
    notes.add(one->line, one->package.name,
              "version " + std::string(one->package.version) +
                  " stands here twice, of different bytes: the first counts");
  }
}

}  // namespace

Result<PackageIndex> PackageIndex::parse(std::string text, std::string suite, bool not_automatic,
                                         std::string_view architecture) {
  if (text.find('\r') != std::string::npos) {
    text = without_carriage_returns(std::move(text));
  }
  Notes notes;
  PackageIndex out;
  out.text_ = std::make_unique<const std::string>(std::move(text));
  std::vector<Paragraph> paragraphs = read_paragraphs(*out.text_, notes);
  if (paragraphs.empty() && !notes.notes().empty()) {
    return fail(Errc::invalid_input, notes.notes().front() + "; and no other paragraph is of use");
  }
  leave_out_repeated(paragraphs, notes);
  std::size_t kept = 0;
  std::string clean;
  for (auto& one : paragraphs) {
    const auto& own = one.package.architecture;
    one.out = one.out || (!architecture.empty() && own != architecture && own != "all");
    if (!one.out) kept += one.end - one.begin;
  }
  // libsolv reads the text too, and must see what is here and no more.
  if (kept != out.text_->size()) {
    for (const auto& one : paragraphs) {
      if (one.out) continue;
      clean.append(*out.text_, one.begin, one.end - one.begin);
      if (!clean.ends_with("\n\n")) clean += clean.ends_with('\n') ? "\n" : "\n\n";
    }
    out.text_ = std::make_unique<const std::string>(std::move(clean));
    Notes none;
    paragraphs = read_paragraphs(*out.text_, none);
  }
  out.suite_ = std::move(suite);
  out.not_automatic_ = not_automatic;
  out.notes_ = notes.take();
  out.packages_.reserve(paragraphs.size());
  for (auto& one : paragraphs) {
    if (one.path) one.package.path = out.texts_.emplace_back(std::move(*one.path));
    if (one.sha512) one.package.sha512 = out.texts_.emplace_back(std::move(*one.sha512));
    out.packages_.push_back(one.package);
  }
  std::stable_sort(out.packages_.begin(), out.packages_.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

void PackageIndex::settle(
    const std::function<std::optional<Digest>(std::string_view sha512)>& known) {
  for (IndexedPackage& package : packages_) {
    if (package.sha512.empty()) continue;
    if (const auto digest = known(package.sha512)) {
      package.digest = *digest;
      package.sha512 = {};
    }
  }
}

std::pair<const IndexedPackage*, const IndexedPackage*> PackageIndex::named(
    std::string_view name) const {
  const auto first = std::lower_bound(
      packages_.begin(), packages_.end(), name,
      [](const auto& package, std::string_view key) { return package.name < key; });
  const auto last = std::upper_bound(
      first, packages_.end(), name,
      [](std::string_view key, const auto& package) { return key < package.name; });
  const IndexedPackage* all = packages_.data();
  return {all + (first - packages_.begin()), all + (last - packages_.begin())};
}

}  // namespace weir::builder
