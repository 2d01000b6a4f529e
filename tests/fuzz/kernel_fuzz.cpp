// Boot images and kernel modules: both come out of packages.
#include "builder/kernel_image.h"
#include "builder/kernel_module.h"
#include "tests/fuzz/property.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir;
  const Bytes bytes(data, size);
  if (const auto kernel = builder::parse_kernel_image(bytes)) {
    MUST_HOLD(kernel->build_id.size() == 40 && !kernel->release.empty());
    (void)builder::accepts_vermagic(*kernel, "9.9-demo SMP ");
  }
  if (const auto module = builder::parse_kernel_module(bytes)) {
    MUST_HOLD(module->build_id.size() == 40 && !module->vermagic.empty());
    for (const std::string& name : module->depends) {
      MUST_HOLD(!name.empty() && name.find('-') == std::string::npos);
    }
  }
  return 0;
}
