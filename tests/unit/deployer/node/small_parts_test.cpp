#include <doctest/doctest.h>

#include "deployer/node/elf_notes.h"
#include "deployer/node/fence_rules.h"
#include "deployer/node/image_texts.h"

namespace weir::node {
namespace {

std::string note(std::string_view owner, std::uint8_t type, std::string_view content) {
  std::string out;
  for (const std::size_t word : {owner.size() + 1, content.size(), std::size_t{type}}) {
    out += static_cast<char>(word);
    out.append(3, '\0');
  }
  for (const std::string_view part : {owner, content}) {
    out += part;
    if (part.data() == owner.data()) out += '\0';
    while (out.size() % 4 != 0) out += '\0';
  }
  return out;
}

}  // namespace

TEST_CASE("the build id is found among other notes (elf(5))") {
  const std::string notes = note("Xen", 6, "abcde") + note("GNU", 1, "1234") +
                            note("GNU", 3, std::string_view("\x01\xab\xff", 3)) +
                            note("Linux", 0, "x");
  CHECK(build_id_of(as_bytes(notes)).value() == "01abff");
  CHECK(build_id_of(as_bytes(note("GNU", 1, "1234"))).error().code == Errc::not_found);
  for (std::size_t length = 1; length < 12; ++length) {
    CHECK(build_id_of(as_bytes(std::string_view(notes).substr(0, length))).error().code ==
          Errc::invalid_input);
  }
  CHECK_FALSE(build_id_of({}).has_value());
}

TEST_CASE("tools and modules are lists of lines") {
  const auto tools = parse_tools("nftables 1.0.6-2+deb12u2\nwireguard-tools 1.0-1\n");
  REQUIRE(tools.value().size() == 2);
  CHECK(tools->at(1).name == "wireguard-tools");
  CHECK(tools->at(1).version == "1.0-1");
  CHECK(parse_tools("nftables 1\nnftables\n").error().message.starts_with("line 2 "));
  CHECK(parse_module_names("virtio-net\n\nwireguard\n") ==
        std::vector<std::string>{"virtio_net", "wireguard"});
}

TEST_CASE("the fences name the node's own interfaces and addresses") {
  const auto config = manifests::parse_node_config(
      R"({"client_pin":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",)"
      R"("clients":[],"clock_offset_ms":0,"data_mac":"a","management_mac":"b","node":"n",)"
      R"("director_management":"10.98.0.0","director_v4":"10.99.0.0","director_v6":"fd99::",)"
      R"("node_management":"10.98.0.1","node_v4":"10.99.0.1","node_v6":"fd99::1","port":51821,)"
      R"("tls_private_key":"","vip_v4":"192.0.2.1"})");
  REQUIRE(config.has_value());
  const std::string rules = fence_rules(*config, {.data = "eth0", .management = "eth1"});
  const auto has = [&](std::string_view text) { return rules.find(text) != std::string::npos; };
  CHECK(has("iifname \"eth1\" ip saddr 10.98.0.0 ip daddr 10.98.0.1 tcp dport 4433 accept"));
  CHECK(has("iifname \"eth0\" ip daddr { 192.0.2.1 } udp dport 51821 accept"));
  CHECK_FALSE(has("ip6 daddr {  }"));  // no IPv6 VIP, no rule for it
  CHECK(has("ip daddr { 10.99.0.1, 10.99.0.0, 10.98.0.1, 10.98.0.0, 192.0.2.1 } drop"));
  CHECK(has("ip6 daddr { fd99::1, fd99:: } drop"));
  CHECK_FALSE(has("53"));
}

TEST_CASE("what services open is open to the director on the management link, and nowhere else") {
  const auto config = manifests::parse_node_config(
      R"({"client_pin":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",)"
      R"("clients":[],"clock_offset_ms":0,"data_mac":"a","management_mac":"b","node":"n",)"
      R"("director_management":"10.98.0.0","director_v4":"10.99.0.0","director_v6":"fd99::",)"
      R"("node_management":"10.98.0.1","node_v4":"10.99.0.1","node_v6":"fd99::1","port":51820,)"
      R"("tls_private_key":"","vip_v4":"192.0.2.1"})");
  REQUIRE(config.has_value());
  const NodeInterfaces links{.data = "eth0", .management = "eth1"};
  const std::string rules =
      fence_rules(*config, links, {{true, 9100, false}, {false, 123, true}, {true, 179, true}});
  std::string others = rules;
  for (const std::string& rest :
       {std::string("tcp dport 9100 accept"),
        std::string("udp sport 123 udp dport 1024-65535 accept"),
        std::string("tcp sport 179 tcp flags & (syn | ack) != syn accept")}) {
    const std::string line =
        "    iifname \"eth1\" ip saddr 10.98.0.0 ip daddr 10.98.0.1 " + rest + "\n";
    const auto at = others.find(line);
    REQUIRE_MESSAGE(at != std::string::npos, rest);
    others.erase(at, line.size());
  }
  CHECK(others == fence_rules(*config, links));
}

}  // namespace weir::node
