// Compressed streams. The first two bytes are the size that is stated.
#include "images/formats/decompress.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  if (size < 2) return 0;
  const ByteCount stated{data[0] | std::uint64_t{data[1]} << 8};
  const Bytes stream(data + 2, size - 2);
  constexpr ByteCount kLimit{1 << 20};
  const auto any = images::decompress(stream, kLimit);
  MUST_HOLD(any ? any->size() <= kLimit.value : !any.error().message.empty());
  const auto exactly = images::decompress_exactly(stream, stated);
  if (exactly) {
    MUST_HOLD(exactly->size() == stated.value);
    // libarchive takes no stream of nothing.
    MUST_HOLD(any ? *any == *exactly : exactly->empty());
  }
  if (!any) return 0;
  // One more or one less than there is was never stated by anybody.
  const auto again = images::decompress_exactly(stream, ByteCount{any->size()});
  MUST_HOLD(!again || *again == *any);
  MUST_HOLD(!images::decompress_exactly(stream, ByteCount{any->size() + 1}));
  if (!any->empty()) MUST_HOLD(!images::decompress_exactly(stream, ByteCount{any->size() - 1}));
  return 0;
}
