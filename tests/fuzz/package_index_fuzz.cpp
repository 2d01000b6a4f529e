#include "builder/mirror/package_index.h"
#include "tests/fuzz/property.h"

// One input is tried as a Packages file and as an xz file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto index = builder::PackageIndex::parse(std::string(text), "stable", false)) {
    for (const auto& package : index->packages()) {
      const auto [first, last] = index->named(package.name);
      MUST_HOLD(first != last && first->name == package.name);
      MUST_HOLD(package.name.data() >= index->text().data());
      MUST_HOLD(package.path.data() + package.path.size() <=
                index->text().data() + index->text().size());
    }
  }
  constexpr ByteCount kLimit{1 << 20};
  if (const auto plain = builder::decode_xz(text, kLimit)) {
    MUST_HOLD(plain->size() <= kLimit.value);
  }
  return 0;
}
