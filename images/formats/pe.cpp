#include "images/formats/pe.h"

#include <algorithm>
#include <set>

#include "images/formats/byte_order.h"

namespace weir::images {
namespace {

constexpr std::size_t kOffsetOfHeader = 0x3c;  // in the DOS header
constexpr std::size_t kFileHeader = 24;        // with the signature "PE\0\0" before it
constexpr std::size_t kSymbols = 12;           // where and how many, in the file header
constexpr std::size_t kSectionHeader = 40;
constexpr std::uint16_t kPe32Plus = 0x20b;
constexpr std::uint32_t kInitialisedData = 0x40, kReadable = 0x40000000;
// Sections are found by their address in memory, and readers map whole pages.
constexpr std::uint32_t kPage = 4096;
constexpr std::uint64_t kLimit = 1ULL << 31;

// Offsets in the optional header.
constexpr std::size_t kInitialisedSize = 8, kSectionAlignment = 32, kFileAlignment = 36,
                      kImageSize = 56, kHeadersSize = 60, kCheckSum = 64, kDirectoryCount = 108,
                      kSecurityDirectory = 144, kLeastOptionalHeader = 152;

struct Layout {
  std::size_t optional = 0;      // where the optional header begins
  std::size_t table = 0;         // where the section headers begin
  std::uint16_t sections = 0;    // how many there are
  std::uint32_t alignment = 0;   // of sections in memory
  std::uint32_t in_file = 0;     // of sections in the file
  std::size_t room = 0;          // where headers must end
  std::size_t file_end = 0;      // behind the last section in the file
  std::uint64_t memory_end = 0;  // behind the last section in memory
  std::set<std::string> names;
};

tl::unexpected<Error> refuse(const std::string& why) {
  return fail(Errc::invalid_input, "not a PE program of 64 bits: " + why);
}

bool power_of_two(std::uint32_t value) {
  return value != 0 && (value & (value - 1)) == 0;
}

std::string name_at(Bytes program, std::size_t at) {
  std::string out(reinterpret_cast<const char*>(program.data()) + at, 8);
  return out.substr(0, out.find('\0'));
}

Status read_sections(Bytes program, Layout& layout) {
  layout.room = get_little<std::uint32_t>(program, layout.optional + kHeadersSize);
  for (std::size_t i = 0; i < layout.sections; ++i) {
    const std::size_t at = layout.table + i * kSectionHeader;
    const std::uint64_t size = get_little<std::uint32_t>(program, at + 8);
    const std::uint64_t address = get_little<std::uint32_t>(program, at + 12);
    const std::uint64_t raw_size = get_little<std::uint32_t>(program, at + 16);
    const std::uint64_t raw = get_little<std::uint32_t>(program, at + 20);
    if (raw_size != 0) {
      if (raw + raw_size > program.size()) return refuse("a section ends behind the file");
      layout.room = std::min<std::size_t>(layout.room, raw);
      layout.file_end = std::max<std::size_t>(layout.file_end, raw + raw_size);
    }
    layout.memory_end = std::max(layout.memory_end, address + std::max(size, raw_size));
    layout.names.insert(name_at(program, at));
  }
  layout.file_end = std::max(layout.file_end, layout.room);
  if (layout.room > program.size()) return refuse("its headers end behind the file");
  return {};
}

// Where the header begins.
Result<std::uint64_t> header_at(Bytes program) {
  if (program.size() < kOffsetOfHeader + 4 || program[0] != 'M' || program[1] != 'Z') {
    return refuse("no MZ");
  }
  const std::uint64_t header = get_little<std::uint32_t>(program, kOffsetOfHeader);
  if (header + kFileHeader > program.size() ||
      get_little<std::uint32_t>(program, header) != 0x4550) {
    return refuse("no PE header");
  }
  return header;
}

Result<Layout> read_layout(Bytes program) {
  TRY_ASSIGN(const std::uint64_t header, header_at(program));
  Layout out;
  out.sections = get_little<std::uint16_t>(program, header + 6);
  out.optional = header + kFileHeader;
  const std::size_t optional_size = get_little<std::uint16_t>(program, header + 20);
  out.table = out.optional + optional_size;
  if (optional_size < kLeastOptionalHeader ||
      out.table + out.sections * kSectionHeader > program.size()) {
    return refuse("its headers are cut");
  }
  if (get_little<std::uint16_t>(program, out.optional) != kPe32Plus) return refuse("not PE32+");
  out.alignment = get_little<std::uint32_t>(program, out.optional + kSectionAlignment);
  out.in_file = get_little<std::uint32_t>(program, out.optional + kFileAlignment);
  if (!power_of_two(out.alignment) || !power_of_two(out.in_file) || out.in_file > 65536 ||
      out.alignment > 65536) {
    return refuse("alignments that are no powers of two");
  }
  if (get_little<std::uint32_t>(program, out.optional + kDirectoryCount) > 4 &&
      get_little<std::uint32_t>(program, out.optional + kSecurityDirectory + 4) != 0) {
    return fail(Errc::invalid_input, "the program is signed already; its signature would break");
  }
  TRY(read_sections(program, out));
  return out;
}

// The sum of all 16-bit words with carries folded in, plus the length; the field itself counts as
// zero.
std::uint32_t checksum(Bytes program, std::size_t field) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < program.size(); i += 2) {
    if (i == field || i == field + 2) continue;
    sum += program[i] + (i + 1 < program.size() ? program[i + 1] << 8 : 0);
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint32_t>(sum + program.size());
}

}  // namespace

Result<std::uint16_t> pe_machine(Bytes program) {
  TRY_ASSIGN(const std::uint64_t header, header_at(program));
  return get_little<std::uint16_t>(program, header + 4);
}

Result<std::vector<std::uint8_t>> add_pe_sections(Bytes program,
                                                  const std::vector<PeSection>& sections) {
  TRY_ASSIGN(Layout layout, read_layout(program));
  const std::size_t table_end = layout.table + (layout.sections + sections.size()) * kSectionHeader;
  if (table_end > layout.room) {
    return fail(Errc::exhausted, "the program has no room for " + std::to_string(sections.size()) +
                                     " more section headers");
  }
  // Symbols for debuggers lie behind the sections. Firmware hashes the sections one after another
  // and then what follows the last, so nothing may stand between the old ones and the new.
  program = program.first(layout.file_end);
  std::uint64_t size = round_up(program.size(), layout.in_file);
  for (const PeSection& section : sections)
    size += round_up(section.content.size(), layout.in_file);
  if (size >= kLimit) return fail(Errc::exhausted, "the program would exceed 2 GiB");

  std::vector<std::uint8_t> out(program.begin(), program.end());
  out.reserve(size);
  std::uint64_t memory = layout.memory_end;
  std::uint32_t added = 0;
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const auto& [name, content] = sections[i];
    if (name.empty() || name.size() > 8 || !layout.names.insert(name).second) {
      return fail(Errc::invalid_input,
                  "section '" + name + "' cannot be added: " +
                      (name.empty() || name.size() > 8 ? "its name must have 1 to 8 bytes"
                                                       : "the program has one"));
    }
    if (content.empty()) return fail(Errc::invalid_input, "section '" + name + "' is empty");
    memory = round_up(memory, std::max(layout.alignment, kPage));
    out.resize(round_up(out.size(), layout.in_file));
    const auto raw = static_cast<std::uint32_t>(out.size());
    const auto raw_size = static_cast<std::uint32_t>(round_up(content.size(), layout.in_file));
    const std::size_t at = layout.table + (layout.sections + i) * kSectionHeader;
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), kSectionHeader, std::uint8_t{0});
    std::copy(name.begin(), name.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    put_little(out, at + 8, static_cast<std::uint32_t>(content.size()));
    put_little(out, at + 12, static_cast<std::uint32_t>(memory));
    put_little(out, at + 16, raw_size);
    put_little(out, at + 20, raw);
    put_little(out, at + 36, kInitialisedData | kReadable);
    out.insert(out.end(), content.begin(), content.end());
    out.resize(raw + std::size_t{raw_size});
    memory += content.size();
    added += raw_size;
  }
  if (memory >= kLimit) return fail(Errc::exhausted, "the program would exceed 2 GiB");

  const std::size_t header = layout.optional - kFileHeader;
  put_little(out, header + kSymbols, std::uint64_t{0});
  put_little(out, header + 6, static_cast<std::uint16_t>(layout.sections + sections.size()));
  const std::size_t initialised = layout.optional + kInitialisedSize;
  put_little(out, initialised, get_little<std::uint32_t>(out, initialised) + added);
  put_little(out, layout.optional + kImageSize,
             static_cast<std::uint32_t>(round_up(memory, layout.alignment)));
  const std::size_t field = layout.optional + kCheckSum;
  put_little(out, field, checksum(out, field));
  return out;
}

}  // namespace weir::images
