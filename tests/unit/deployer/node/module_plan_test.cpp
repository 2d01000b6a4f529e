#include "deployer/node/module_plan.h"

#include <doctest/doctest.h>

namespace weir::node {
namespace {

// From depmod over Debian's 6.1 cloud kernel, shortened.
constexpr const char* kDepends =
    "kernel/drivers/net/wireguard/wireguard.ko: kernel/arch/x86/crypto/curve25519-x86_64.ko "
    "kernel/lib/crypto/libchacha20poly1305.ko kernel/net/ipv6/ip6_udp_tunnel.ko "
    "kernel/net/ipv4/udp_tunnel.ko\n"
    "kernel/arch/x86/crypto/curve25519-x86_64.ko: kernel/lib/crypto/libcurve25519-generic.ko\n"
    "kernel/lib/crypto/libcurve25519-generic.ko:\n"
    "kernel/lib/crypto/libchacha20poly1305.ko:\n"
    "kernel/net/ipv6/ip6_udp_tunnel.ko:\n"
    "kernel/net/ipv4/udp_tunnel.ko:\n"
    "kernel/drivers/net/virtio_net.ko.xz: kernel/net/core/failover.ko.xz\n"
    "kernel/net/core/failover.ko.xz:\n";

}  // namespace

TEST_CASE("dependencies come before what needs them, each once, in the order asked for") {
  const ModulePlan plan = plan_modules({"virtio_net", "wireguard", "udp_tunnel"}, kDepends, "");
  CHECK(plan.missing.empty());
  CHECK(plan.files == std::vector<std::string>{
                          "kernel/net/core/failover.ko.xz", "kernel/drivers/net/virtio_net.ko.xz",
                          "kernel/lib/crypto/libcurve25519-generic.ko",
                          "kernel/arch/x86/crypto/curve25519-x86_64.ko",
                          "kernel/lib/crypto/libchacha20poly1305.ko",
                          "kernel/net/ipv6/ip6_udp_tunnel.ko", "kernel/net/ipv4/udp_tunnel.ko",
                          "kernel/drivers/net/wireguard/wireguard.ko"});
}

TEST_CASE(
    "dashes and underscores name one module; built-in ones need no file; others are missing") {
  const ModulePlan plan = plan_modules({"curve25519_x86_64", "virtio-pci", "nf_tables"}, kDepends,
                                       "kernel/drivers/virtio/virtio_pci.ko\n");
  CHECK(plan.files == std::vector<std::string>{"kernel/lib/crypto/libcurve25519-generic.ko",
                                               "kernel/arch/x86/crypto/curve25519-x86_64.ko"});
  CHECK(plan.missing == std::vector<std::string>{"nf_tables"});
}

TEST_CASE("a ring of dependencies ends") {
  const ModulePlan plan = plan_modules({"a"}, "a.ko: b.ko\nb.ko: a.ko\n", "");
  CHECK(plan.files == std::vector<std::string>{"b.ko", "a.ko"});
}

TEST_CASE("what is not .ko is compressed") {
  CHECK_FALSE(is_compressed_module("kernel/a.ko"));
  CHECK(is_compressed_module("kernel/a.ko.xz"));
  CHECK(is_compressed_module("kernel/a.ko.zst"));
  CHECK(module_name("kernel/x/nf-tables.ko.zst") == "nf_tables");
}

}  // namespace weir::node
