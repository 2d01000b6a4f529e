#include <string>

#include "images/formats/cpio.h"
#include "images/formats/cpio_reader.h"
#include "images/formats/tar.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const auto tree = images::decode_cpio(Bytes(data, size));
  if (!tree) {
    MUST_HOLD(!tree.error().message.empty());
    return 0;
  }
  std::string again;
  MUST_HOLD(images::encode_cpio(*tree, UINT32_MAX, [&](Bytes bytes) -> Status {
              again.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
              return {};
            }).has_value());
  const auto same = images::decode_cpio(as_bytes(again));
  MUST_HOLD(same.has_value() && print(*same) == print(*tree));
  std::size_t tar = 0;
  const Status written = images::encode_tar(*tree, [&](Bytes bytes) -> Status {
    tar += bytes.size();
    return {};
  });
  MUST_HOLD(!written || (tar % 512 == 0 && tar >= 1024));
  return 0;
}
