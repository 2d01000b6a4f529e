// Boot images, kernel modules and the wg tool: all come out of packages.
#include "builder/kernel/flat_exports.h"
#include "builder/kernel/kernel_binding.h"
#include "builder/kernel/netlink_family.h"
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
    (void)builder::check_wireguard_family(*module, bytes);
  }
  // A module that says it is WireGuard's, whatever is in it.
  builder::KernelModule wireguard;
  wireguard.aliases = {"net-pf-16-proto-16-family-wireguard"};
  const Status family = builder::check_wireguard_family(wireguard, bytes);
  MUST_HOLD(family || family.error().code == Errc::integrity);
  images::FileTree tree;
  const images::Node tool{
      0755, 0, 0, 0, images::File{images::content_of({reinterpret_cast<const char*>(data), size})}};
  MUST_HOLD(tree.put(*images::ImagePath::parse("usr/bin/wg"), tool).has_value());
  const Status asks = builder::check_wireguard_tool(tree);
  MUST_HOLD(asks || asks.error().code == Errc::integrity);
  if (const auto symbols = builder::read_module_symbols(bytes)) {
    for (const auto& [name, sum] : symbols->versions)
      MUST_HOLD(!name.empty() && name.size() < size);
  }
  if (const auto exports = builder::read_kernel_exports(bytes)) {
    for (const auto& [name, sum] : *exports) MUST_HOLD(!name.empty() && name.size() < size);
  }
  if (const auto exports = builder::find_kernel_exports(bytes)) {
    MUST_HOLD(exports->size() >= 64 && exports->size() < size / 12);
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
