#include "builder/mirror/package_index.h"
#include "builder/mirror/unpack.h"
#include "manifests/documents/archive_path.h"
#include "tests/fuzz/property.h"

// One input is tried as a Packages file and as a packed one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto index = builder::PackageIndex::parse(std::string(text), "stable", false)) {
    // What libsolv reads is the same, and nothing is left out of it.
    const auto again = builder::PackageIndex::parse(index->text(), "stable", false);
    MUST_HOLD(again.has_value() && again->text() == index->text() && again->notes().empty());
    MUST_HOLD(again->packages().size() == index->packages().size());
    for (const auto& package : index->packages()) {
      const auto [first, last] = index->named(package.name);
      MUST_HOLD(first != last && first->name == package.name);
      MUST_HOLD(package.name.data() >= index->text().data());
      MUST_HOLD(manifests::is_archive_path(package.path));
    }
  }
  constexpr ByteCount kLimit{1 << 20};
  if (const auto plain = builder::unpack_index(text, kLimit)) {
    MUST_HOLD(plain->size() <= kLimit.value);
  }
  return 0;
}
