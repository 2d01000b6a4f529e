#include "builder/secrets/secret_scan.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  static const auto scanner = [] {
    std::vector<keys::Secret> own;
    own.push_back(*keys::Secret::of_size(32));
    std::uint8_t next = 0xd0;
    for (std::uint8_t& byte : own[0].writable()) byte = next++;
    return builder::SecretScanner::create(own);
  }();
  MUST_HOLD(scanner.has_value());
  const Bytes bytes(data, size);
  std::uint64_t last = 0;
  for (const builder::SecretFinding& finding : scanner->scan(bytes)) {
    MUST_HOLD(finding.offset < size && finding.offset >= last);
    last = finding.offset;
  }
  // What is found does not depend on where the file begins.
  std::vector<std::uint8_t> moved(3, 0x7f);
  moved.insert(moved.end(), bytes.begin(), bytes.end());
  MUST_HOLD(scanner->scan(moved).size() == scanner->scan(bytes).size());
  return 0;
}
