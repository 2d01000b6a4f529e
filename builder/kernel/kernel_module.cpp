#include "builder/kernel/kernel_module.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "images/formats/decompress.h"
#include "images/formats/elf.h"
#include "manifests/base/ascii.h"

namespace weir::builder {
namespace {

constexpr ByteCount kModule{128ULL << 20};

// "pre: a b post: c", of which pre counts: what has to be there when the module starts.
void add_soft(std::string_view text, KernelModule& out) {
  bool before = false;
  for (const std::string_view word : words_of(text, " ")) {
    if (word.ends_with(':')) {
      before = word == "pre:";
    } else if (before) {
      out.wanted_before.emplace_back(word);
    }
  }
}

void add_fact(std::string_view key, std::string_view value, KernelModule& out) {
  if (key == "name") out.name = module_name(value);
  if (key == "version") out.version = value;
  if (key == "srcversion") out.srcversion = value;
  if (key == "vermagic") out.vermagic = value;
  if (key == "alias") out.aliases.emplace_back(value);
  if (key == "softdep") add_soft(value, out);
  if (key != "depends") return;
  for (const std::string_view name : words_of(value, ",")) out.depends.push_back(module_name(name));
}

}  // namespace

std::string module_name(std::string_view text) {
  std::string out(text);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

std::string module_name_of(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  for (const std::string_view suffix : {".ko", ".ko.xz", ".ko.zst", ".ko.gz"}) {
    if (name.ends_with(suffix)) return module_name(name.substr(0, name.size() - suffix.size()));
  }
  return {};
}

Result<images::Content> unpack_kernel_module(const images::Content& file) {
  if (images::is_elf(*file)) return file;
  TRY_ASSIGN_IN(auto unpacked, images::decompress(*file, kModule), "kernel module");
  return std::make_shared<const std::vector<std::uint8_t>>(std::move(unpacked));
}

Result<KernelModule> parse_kernel_module(Bytes bytes) {
  std::vector<std::uint8_t> unpacked;
  if (!images::is_elf(bytes)) {
    TRY_ASSIGN_IN(unpacked, images::decompress(bytes, kModule), "kernel module");
    bytes = unpacked;
  }
  TRY_ASSIGN_IN(const images::Elf elf, images::parse_elf(bytes), "kernel module");
  TRY_ASSIGN_IN(const Bytes info, images::elf_section(bytes, ".modinfo"), "kernel module");
  KernelModule out;
  out.build_id = elf.build_id;
  const std::string_view text(reinterpret_cast<const char*>(info.data()), info.size());
  for (const std::string_view fact : words_of(text, std::string_view("\0", 1))) {
    const auto equals = fact.find('=');
    if (equals == std::string_view::npos) continue;
    add_fact(fact.substr(0, equals), fact.substr(equals + 1), out);
  }
  if (out.vermagic.empty() || out.build_id.size() != 40 || out.name.empty()) {
    return fail(Errc::invalid_input, "kernel module: no name, vermagic or GNU build id in it");
  }
  return out;
}

}  // namespace weir::builder
