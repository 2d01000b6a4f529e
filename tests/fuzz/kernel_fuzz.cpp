// Boot images and kernel modules: both come out of packages.
#include "builder/kernel_binding.h"
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
  if (const auto symbols = builder::read_module_symbols(bytes)) {
    for (const auto& [name, sum] : symbols->versions)
      MUST_HOLD(!name.empty() && name.size() < size);
  }
  if (const auto exports = builder::read_kernel_exports(bytes)) {
    for (const auto& [name, sum] : *exports) MUST_HOLD(!name.empty() && name.size() < size);
  }
  const builder::KernelKeys keys = builder::find_kernel_keys(bytes);
  for (const auto& one : keys.certificates) MUST_HOLD(one.certificate.size() <= size);
  if (const auto signature = builder::read_module_signature(bytes); signature && *signature) {
    MUST_HOLD((*signature)->covered + (*signature)->message.size() < size);
    for (const auto& one : keys.certificates) {
      (void)builder::verify_module_signature(bytes, **signature, one);
    }
  }
  return 0;
}
