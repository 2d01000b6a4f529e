#include "manifests/documents/fleet.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "manifests/base/edge/file.h"
#include "manifests/documents/attachment.h"
#include "tests/folders.h"

namespace weir::manifests {
namespace {

std::string fleet_text() {
  auto text = read_file(test::source_folder() + "/examples/fleet.yaml", ByteCount{1 << 20});
  REQUIRE(text.has_value());
  return *text;
}

/// The example with the first `from` replaced by `to`.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = fleet_text();
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

int line_with(const std::string& text, const std::string& part) {
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

/// The example in the form that names its director.
std::string with_directors(const std::string& more = "") {
  std::string text = fleet_text();
  for (const char* block : {"\ndirector:", "\nfabric:"}) {
    const auto at = text.find(block);
    text.erase(at, text.find("\n\n", at) - at);
  }
  return text +
         "\ndirectors:\n  - name: west\n    driver: nft\n    upstream_interface: up0\n    fabric: "
         "{ipv4: 10.254.0.0/24, ipv6: 'fd00:fab::/64', management: 10.254.1.0/24}\n" +
         more;
}

std::string fleet_refusal(const std::string& yaml) {
  const auto fleet = parse_fleet(yaml);
  REQUIRE_FALSE(fleet.has_value());
  return fleet.error().message;
}

}  // namespace

TEST_CASE("the example fleet is read as it is written") {
  const auto fleet = parse_fleet(fleet_text());
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK(fleet->name.string() == "example");
  CHECK(fleet->trusted_keys == std::vector<std::string>{"release.pub"});
  CHECK_FALSE(fleet->identity_key_file.has_value());
  REQUIRE(fleet->directors.size() == 1);
  CHECK(fleet->directors[0].name.string() == "director");
  CHECK(fleet->directors[0].network_namespace == "weir-director");
  CHECK(fleet->vip.ipv6->string() == "2001:db8:51::1");
  CHECK(fleet->clients.size() == 2);
  CHECK(fleet->probe->source.string() == "10.8.255.254");
  REQUIRE(fleet->pools.size() == 2);
  CHECK(fleet->pools[0].name.string() == "blue");
  CHECK(fleet->pools[1].nodes[0].string() == "green-1");
  CHECK(fleet->pools[1].memory == ByteCount{512U << 20});
  CHECK(fleet->policy.max_failed == Permille{20});
  CHECK(fleet->policy.boot_timeout == std::chrono::minutes(3));
  CHECK(fleet->policy.max_clock_skew == std::chrono::milliseconds(200));
}

TEST_CASE("what an optional field leaves out has the default that the header states") {
  std::string text = fleet_text();
  text.erase(text.find("\npolicy:"));
  const auto at = text.find("\nprobe:");
  text.erase(at, text.find("\npools:") - at);
  const auto fleet = parse_fleet(text);
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK_FALSE(fleet->probe.has_value());
  CHECK(fleet->policy.max_failed == Permille{0});
  CHECK(fleet->policy.batch == 400);
  CHECK(fleet->pools[0].clock_offset.count() == 0);
}

TEST_CASE(
    "the share of peers that may go unasked is one from nobody to all, a tenth of all unsaid") {
  CHECK(parse_fleet(fleet_text())->policy.max_removed == Permille{100});
  const auto with = [](const std::string& share) {
    return changed("max_failed: 2%", "max_removed: " + share);
  };
  const std::pair<const char*, std::uint16_t> good[] = {
      {"0%", 0},      {"0.0%", 0},    {"0.1%", 1},     {"5%", 50},
      {"99.9%", 999}, {"100%", 1000}, {"100.0%", 1000}};
  for (const auto& [share, permille] : good) {
    const auto& shown = share;
    CAPTURE(shown);
    const auto fleet = parse_fleet(with(share));
    REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
    CHECK(fleet->policy.max_removed == Permille{permille});
  }
  for (const char* bad :
       {"0", "5", "100", "100.1%", "101%", "4294967297%", "-1%", "-0%", "+1%", "0.05%", "5 %",
        "5%%", "'%'", ".5%", "5.%", "0x5%", "1e1%", "ten", "'5%x'"}) {
    CAPTURE(bad);
    const std::string text = with(bad);
    const auto fleet = parse_fleet(text, "a/my-fleet.yaml");
    REQUIRE_FALSE(fleet.has_value());
    CAPTURE(fleet.error().message);
    CHECK(fleet.error().code == Errc::invalid_input);
    CHECK(fleet.error().message.starts_with(
        "a/my-fleet.yaml:" + std::to_string(line_with(text, "max_removed: ")) +
        ": policy.max_removed: must be a share such as 2% or 0.5%, not "));
  }
}

TEST_CASE("a pool has files for its nodes, each node its own where the path says so") {
  const auto with = [](const std::string& files) {
    return changed("nodes: [blue-1]", "nodes: [blue-1]\n    files: " + files);
  };
  const auto fleet = parse_fleet(with("{zone-key: 'keys/{node}/{node}.key', ntp: ntp.key}"));
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  const NodeId node = *NodeId::parse("blue-1");
  CHECK(node_file_path(fleet->pools[0].files.at("zone-key"), node) == "keys/blue-1/blue-1.key");
  CHECK(node_file_path(fleet->pools[0].files.at("ntp"), node) == "ntp.key");
  CHECK(fleet->pools[1].files.empty());
  const std::string line = std::to_string(line_with(fleet_text(), "nodes: [blue-1]") + 1);
  CHECK(fleet_refusal(with("{../x: ntp.key}"))
            .starts_with("fleet.yaml:" + line + ": pools[0].files.../x: "));
  CHECK(fleet_refusal(with("{ntp: ~/ntp.key}"))
            .starts_with("fleet.yaml:" + line + ": pools[0].files.ntp: "));
  CHECK(fleet_refusal(with("[ntp.key]")) ==
        "fleet.yaml:" + line + ": pools[0].files: must be a mapping (NAME: FILE)");
  CHECK(fleet_refusal(with("{}")) ==
        "fleet.yaml:" + line + ": pools[0].files: names no file: leave it out");
}

TEST_CASE("braces in a mapping on one line want quotes, and the refusal says so") {
  const std::string said =
      fleet_refusal(changed("nodes: [blue-1]", "nodes: [blue-1]\n    files: {k: ek.{node}}"));
  CAPTURE(said);
  CHECK(said.find("needs quotes, as \"{node}.key\"") != std::string::npos);
  CHECK(parse_fleet(changed("nodes: [blue-1]", "nodes: [blue-1]\n    files: {k: \"ek.{node}\"}"))
            .has_value());
}

TEST_CASE("durations may be negative where they offset a clock") {
  const auto fleet = parse_fleet(changed("cpus: 1", "clock_offset: -5s"));
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK(fleet->pools[1].clock_offset == std::chrono::milliseconds(-5000));
}

TEST_CASE("every link follows from the document, blue's nodes first") {
  const auto fleet = parse_fleet(changed("[blue-1]", "[blue-1, blue-2]"));
  REQUIRE(fleet.has_value());
  const auto links = attachments_of(*fleet);
  REQUIRE(links.has_value());
  REQUIRE(links->size() == 3);
  const Attachment& green = (*links)[2];
  CHECK(green.node.string() == "green-1");
  CHECK(green.pool.string() == "green");
  CHECK(green.number == 3);
  CHECK(green.data_interface == "weir-d3");
  CHECK(green.management_interface == "weir-m3");
  CHECK(green.director_v4.string() == "10.254.0.6");
  CHECK(green.node_v4.string() == "10.254.0.7");
  CHECK(green.director_v6.string() == "fd00:fab::6");
  CHECK(green.node_v6.string() == "fd00:fab::7");
  CHECK(green.director_management.string() == "10.254.1.6");
  CHECK(green.node_management.string() == "10.254.1.7");
}

TEST_CASE("pools have names of one's own, and there may be more than two") {
  const auto fleet = parse_fleet(changed("name: green", "name: amber"));
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK(fleet->pools[1].name.string() == "amber");
  const auto three = parse_fleet(
      changed("  - name: blue", "  - {name: red, driver: vm, nodes: [r-1, r-2]}\n  - name: blue"));
  REQUIRE_MESSAGE(three.has_value(), three.error().message);
  CHECK(three->pools.size() == 3);
  CHECK(attachments_of(*three)->back().number == 4);
  const auto pools = [](unsigned count, unsigned nodes) {
    std::string out = "pools:\n";
    for (unsigned pool = 0; pool < count; ++pool) {
      out += "  - {name: p" + std::to_string(pool) + ", driver: vm, nodes: [";
      for (unsigned node = 0; node < nodes; ++node) {
        out += "n" + std::to_string(pool) + "-" + std::to_string(node) + ", ";
      }
      out += "]}\n";
    }
    std::string text = fleet_text();
    text = text.substr(0, text.find("\npools:") + 1) + out;
    for (const char* block : {"10.254.0.0/24", "10.254.1.0/24"}) {
      text.replace(text.find(block), 13,
                   block == std::string("10.254.0.0/24") ? "10.200.0.0/20" : "10.201.0.0/20");
    }
    return text;
  };
  CHECK(parse_fleet(pools(16, 1)).has_value());
  CHECK(fleet_refusal(pools(17, 1)).find("pools: more than 16 pools") != std::string::npos);
  CHECK(fleet_refusal(pools(1, 1)).find("pools: needs two pools or more") != std::string::npos);
  CHECK(parse_fleet(pools(6, 150)).has_value());
  CHECK(fleet_refusal(pools(7, 129)).find("more than 900 nodes in all pools") != std::string::npos);
}

TEST_CASE("a director has a name and a fabric of its own, the short form says it beside") {
  const auto fleet = parse_fleet(with_directors());
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  REQUIRE(fleet->directors.size() == 1);
  CHECK(fleet->directors[0].name.string() == "west");
  CHECK_FALSE(fleet->directors[0].network_namespace.has_value());
  const auto attached = attachments_of(*fleet);
  const auto plain = attachments_of(*parse_fleet(fleet_text()));
  REQUIRE(attached->size() == plain->size());
  CHECK(attached->front().director.string() == "west");
  CHECK(attached->back().node_v6 == plain->back().node_v6);

  const auto says = [](const std::string& text, const std::string& what) {
    const std::string said = fleet_refusal(text);
    CAPTURE(said);
    CHECK(said.find(what) != std::string::npos);
  };
  says(with_directors("director: {driver: nft, upstream_interface: up0}\n"),
       ": director: cannot stand beside `directors`");
  says(with_directors("fabric: {}\n"), ": fabric: cannot stand beside `directors`");
  says(with_directors("  - {name: east}\n"), ": directors[1]: nodes are reached through one");
  std::string text = with_directors();
  const auto in_text = [&](const std::string& from, const std::string& to) {
    std::string out = text;
    return out.replace(out.find(from), from.size(), to);
  };
  says(in_text("name: west", "name: West"), ": directors[0].name: 'West' is not a name");
  says(in_text("name: west\n    ", ""), ": directors[0]: name is missing");
  says(in_text("    driver: nft\n    upstream", "    driver: ebpf\n    upstream"),
       ": directors[0].driver: must be 'nft'");
  says(in_text("ipv4: 10.254.0.0/24", "ipv4: 10.8.3.0/24"),
       ": clients[0]: 10.8.0.0/16 overlaps 10.8.3.0/24 (directors[0].fabric.ipv4)");
  says(in_text("ipv4: 10.254.0.0/24", "ipv4: 10.254.0.0/30"),
       ": directors[0].fabric: 10.254.0.0/30 is too small");
  says(text.substr(0, text.find("directors:")) + "directors: []\n",
       ": directors: needs a director");
}

// What several directors will need; no fleet document has them yet.
TEST_CASE("every node is attached to every director, out of that one's own fabric") {
  auto fleet = parse_fleet(changed("[blue-1]", "[blue-1, blue-2]"));
  REQUIRE(fleet.has_value());
  DirectorSpec east = fleet->directors.front();
  east.name = *DirectorId::parse("east");
  east.fabric = {*Prefix::parse("10.99.0.0/28"), *Prefix::parse("fd00:99::/120"),
                 *Prefix::parse("10.99.1.0/28")};
  fleet->directors.push_back(east);
  const auto attached = attachments_of(*fleet);
  REQUIRE(attached.has_value());
  REQUIRE(attached->size() == 6);
  std::set<std::pair<DirectorId, NodeId>> pairs;
  std::set<IpAddress> addresses;
  for (const Attachment& it : *attached) {
    pairs.emplace(it.director, it.node);
    for (const IpAddress& address : {it.director_v4, it.node_v4, it.director_v6, it.node_v6,
                                     it.director_management, it.node_management}) {
      CHECK(addresses.insert(address).second);
    }
  }
  CHECK(pairs.size() == 6);
  // A node has one number, whichever way a packet takes to it.
  CHECK((*attached)[1].node == (*attached)[4].node);
  CHECK((*attached)[1].number == (*attached)[4].number);
  CHECK((*attached)[4].node_v4.string() == "10.99.0.5");
  fleet->directors[1].fabric.ipv4 = *Prefix::parse("10.99.0.0/30");
  CHECK(attachments_of(*fleet).error().message.starts_with("10.99.0.0/30 is too small for 3"));
}

TEST_CASE("a refusal names line, field and what to do") {
  struct Case {
    const char *from, *to, *where, *says;
  };
  const Case cases[] = {
      {"store: store ", "stroe: store ", "stroe:", "stroe: unknown field; known here: name, state"},
      {"name: example", "name: example\nname: again", "name: again", "name: given twice"},
      {"[green-1]", "[blue-1]", "nodes: [blue-1]\n    memory",
       "pools[1].nodes[0]: node 'blue-1' is"},
      {"[green-1]", "[Green]", "[Green]", "pools[1].nodes[0]: 'Green' is not a name"},
      {"name: green", "name: blue", "name: blue\n    driver: vm\n    nodes: [green-1]",
       "pools[1]: pool 'blue' is already in this fleet"},
      {"name: green", "name: Pink", "Pink", "pools[1].name: 'Pink' is not a name"},
      {"driver: vm", "driver: ufo", "ufo", "pools[0].driver: must be 'vm', not 'ufo'"},
      {"driver: nft", "driver: bpf", "bpf", "director.driver: must be 'nft', not 'bpf'"},
      {"upstream0", "an-interface-too-long", "an-interface", "director.upstream_interface: 'an-"},
      {"198.51.100.1", "2001:db8::1", "2001:db8::1\n", "vip.ipv4: must be IPv4"},
      {"198.51.100.1", "198.51.100", "198.51.100\n",
       "vip.ipv4: '198.51.100' is not an IPv4 or IPv6"},
      {"port: 51820", "port: 0", "port: 0", "vip.port: must be a whole number from 1 to 65535"},
      {"198.51.100.1", "10.8.0.1", "- 10.8.0.0/16",
       "clients[0]: 10.8.0.0/16 overlaps 10.8.0.1/32 (vip.ipv4)"},
      {"10.254.1.0/24", "10.254.0.128/25", "10.254.0.128/25",
       "fabric.management: 10.254.0.128/25 overlaps 10.254.0.0/24 (fabric.ipv4)"},
      {"10.8.0.0/16", "10.0.0.0/8", "- 10.0.0.0/8",
       "clients[0]: 10.0.0.0/8 overlaps 10.254.0.0/24"},
      {"- fd00:8::/64", "- 10.8.7.0/24", "- 10.8.7.0/24",
       "clients[1]: 10.8.7.0/24 overlaps 10.8.0.0"},
      {"10.254.0.0/24", "10.254.0.1/24", "10.254.0.1/24",
       "fabric.ipv4: '10.254.0.1/24' has bits set"},
      {"10.254.0.0/24", "10.254.0.0/30",
       "fabric:", "fabric: 10.254.0.0/30 is too small for 2 nodes"},
      {"203.0.113.10", "10.8.1.1", "10.8.1.1", "probe.target: lies in 10.8.0.0/16"},
      {"source: 10.8.255.254", "source: 10.9.0.1", "10.9.0.1", "probe.source: lies in none"},
      {"max_failed: 2%", "max_failed: 2", "max_failed: 2", "policy.max_failed: must be a share"},
      {"max_failed: 2%", "max_failed: 100.1%", "100.1%", "policy.max_failed: must be a share"},
      {"batch: 400", "batch: 401", "batch: 401",
       "policy.batch: must be a whole number from 1 to 400"},
      {"200ms", "200", "skew: 200", "policy.max_clock_skew: must be a duration"},
      {"200ms", "0ms", "skew: 0ms", "policy.max_clock_skew: must be more than nothing"},
      {"512 MiB", "64 MiB", "64 MiB", "pools[1].memory: must be from 128 MiB"},
      {"peers: peers.jsonl", "peers: [a]", "peers: [a]", "peers: must be one value"},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\ntrust: t.json", "trusted_keys: [a]",
       "trusted_keys: cannot stand beside `trust`"},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\nchannel: lab", "channel: lab",
       "channel: means something only beside `trust`"},
      {"trusted_keys: [release.pub]", "trust: t.json\nchannel: ../x", "channel: ../x", "channel: "},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\nboot_check: {keys: []}",
       "boot_check: {keys: []}", "boot_check.keys: needs at least one"},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\nboot_check: {keys: [b], threshold: 2}",
       "boot_check: {keys: [b]", "boot_check.threshold: "},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\nrebuild: {key: b}", "rebuild: {key: b}",
       "rebuild.key"},
      {"trusted_keys: [release.pub]", "trusted_keys: [a]\nown_keys_searched: maybe",
       "own_keys_searched: maybe", "own_keys_searched: must be true or false, not 'maybe'"},
      {"[release.pub]", "[]", "trusted_keys: []", "trusted_keys: needs at least one"},
      {"[release.pub]", "&keys [release.pub]", "&keys", "anchors are not allowed"},
      {"[release.pub]", "*keys", "*keys", "the referenced anchor is not defined"},
      {"[release.pub]", "[release.pub", "identity: gateway", "end of sequence flow not found"},
  };
  for (const Case& c : cases) {
    const std::string text = changed(c.from, c.to);
    CAPTURE(c.to);
    const std::string message = fleet_refusal(text);
    CAPTURE(message);
    CHECK(message.starts_with("fleet.yaml:" + std::to_string(line_with(text, c.where)) + ": "));
    CHECK(message.find(c.says) != std::string::npos);
  }
}

// IANA's special-purpose address registries (RFC 6890) and RFC 4291, section 2.5.5.
TEST_CASE("the public address is one that packets can be sent to") {
  for (const char* odd : {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.1.1",
                          "224.0.0.1", "239.255.255.255", "255.255.255.255"}) {
    CAPTURE(odd);
    const std::string text = changed("ipv4: 198.51.100.1", std::string("ipv4: ") + odd);
    CHECK(fleet_refusal(text).starts_with(
        "fleet.yaml:" + std::to_string(line_with(text, std::string("ipv4: ") + odd)) +
        ": vip.ipv4: " + odd + " is "));
  }
  for (const char* odd :
       {"::", "::1", "fe80::1", "febf::1", "ff02::1", "::ffff:198.51.100.1", "::198.51.100.1"}) {
    CAPTURE(odd);
    CHECK(fleet_refusal(changed("ipv6: 2001:db8:51::1", std::string("ipv6: '") + odd + "'"))
              .find(": vip.ipv6: ") != std::string::npos);
  }
  CHECK(parse_fleet(changed("ipv4: 198.51.100.1", "ipv4: 223.255.255.254")).has_value());
  CHECK(parse_fleet(changed("ipv6: 2001:db8:51::1", "ipv6: fec0::1")).has_value());
}

TEST_CASE("no other address of a fleet is one that no host can have") {
  CHECK(fleet_refusal(changed("203.0.113.10", "127.0.0.1")).find("probe.target: 127.0.0.1 is") !=
        std::string::npos);
  CHECK(fleet_refusal(changed("source: 10.8.255.254", "source: 224.0.0.9"))
            .find("probe.source: 224.0.0.9 is a multicast") != std::string::npos);
  CHECK(fleet_refusal(changed("10.254.0.0/24", "127.0.0.0/24")).find("fabric.ipv4: 127.0.0.0/24") !=
        std::string::npos);
  CHECK(fleet_refusal(changed("10.254.1.0/24", "169.254.0.0/24"))
            .find("fabric.management: 169.254.0.0/24") != std::string::npos);
  CHECK(
      fleet_refusal(changed("- 10.8.0.0/16", "- 224.0.0.0/16")).find("clients[0]: 224.0.0.0/16") !=
      std::string::npos);
}

// Names that ip(8) of iproute2 refuses ("not a valid ifname"), or that nft(8) reads as more than a
// name, or that are the nodes' own.
TEST_CASE("the upstream interface is a name that the rules can hold, and not one that is taken") {
  for (const std::string odd :
       {"lo", "weir-d1", "weir-m250", "'eth0\"'", "\"eth'0\"", "eth*", "a/b", "\"a b\"", "'a:b'",
        "'a;b'", "'{a}'", "'eth0\\'", "eth%d", "exactly-sixteen-", ".", "..", "\"\u00e9th0\""}) {
    CAPTURE(odd);
    const std::string text = changed("upstream0", odd);
    const std::string said = fleet_refusal(text);
    CAPTURE(said);
    CHECK(said.starts_with("fleet.yaml:" + std::to_string(line_with(text, "upstream_interface: ")) +
                           ": director.upstream_interface: '"));
  }
  for (const char* good : {"eth0", "enp1s0f0np0", "br-lan.100", "weir-up0", "a23456789012345"}) {
    CHECK(parse_fleet(changed("upstream0", good)).has_value());
  }
}

TEST_CASE("a path that only a shell would understand is refused in every field that holds one") {
  const std::pair<const char*, const char*> fields[] = {
      {"state: ", "state"}, {"store: ", "store"}, {"identity: ", "identity"}, {"peers: ", "peers"}};
  for (const auto& [field, path] : fields) {
    const auto& shown = field;
    CAPTURE(shown);
    std::string text = fleet_text();
    const auto at = text.find(std::string("\n") + field) + 1;
    text.replace(at, text.find('\n', at) - at, std::string(field) + "~/weir");
    CHECK(fleet_refusal(text) ==
          "fleet.yaml:" + std::to_string(line_with(text, "~/weir")) + ": " + path +
              ": '~/weir' begins with `~`, which only a shell understands: write "
              "the whole path, or `./~/weir` if a name really begins so");
  }
  for (const char* line :
       {"trusted_keys: [~root/a.pub]", "trust: ~", "trust: '~'",
        "trusted_keys: [a]\nboot_check: {keys: [~/b]}", "trusted_keys: [a]\nrebuild: {keys: [~/b]}",
        "trusted_keys: [a]\nidentity_key_file: ~/seal"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_fleet(changed("trusted_keys: [release.pub]", line)).has_value());
  }
  CHECK(
      parse_fleet(changed("trusted_keys: [release.pub]", "trusted_keys: [./~a, b~]")).has_value());
}

TEST_CASE("a trust file stands in place of trusted keys") {
  const auto fleet = parse_fleet(changed("trusted_keys: [release.pub]", "trust: trust.json"));
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK(fleet->trust == "trust.json");
  CHECK(fleet->trusted_keys.empty());
  CHECK(fleet->channel.string() == "stable");
  CHECK(parse_fleet(changed("trusted_keys: [release.pub]", "trust: t\nchannel: lab"))
            ->channel.string() == "lab");
}

TEST_CASE("a fleet can demand that releases were searched for own keys") {
  const auto asked = [](const std::string& word) {
    const auto fleet = parse_fleet(
        changed("trusted_keys: [release.pub]", "trusted_keys: [a]\nown_keys_searched: " + word));
    REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
    return fleet->own_keys_searched;
  };
  CHECK(asked("true"));
  CHECK_FALSE(asked("false"));
  CHECK_FALSE(parse_fleet(fleet_text())->own_keys_searched);
}

TEST_CASE("a fleet can demand boot checks and rebuilds") {
  const auto fleet =
      parse_fleet(changed("trusted_keys: [release.pub]",
                          "trusted_keys: [release.pub]\nboot_check: {keys: [lab.pub]}\n"
                          "rebuild: {keys: [ann.pub, bob.pub], threshold: 2}"));
  REQUIRE_MESSAGE(fleet.has_value(), fleet.error().message);
  CHECK(fleet->boot_check->keys == std::vector<std::string>{"lab.pub"});
  CHECK(fleet->boot_check->threshold == 1);
  CHECK(fleet->rebuild->keys.size() == 2);
  CHECK(fleet->rebuild->threshold == 2);
  CHECK_FALSE(parse_fleet(fleet_text())->boot_check.has_value());
}

TEST_CASE("what is missing is named") {
  for (const char* key :
       {"name: ", "state: ", "store: ", "trusted_keys: ", "identity: ", "peers: "}) {
    std::string text = fleet_text();
    const auto at = text.find(std::string("\n") + key) + 1;
    text.erase(at, text.find('\n', at) - at);
    const std::string name = std::string(key).substr(0, std::string_view(key).size() - 2);
    CAPTURE(name);
    CHECK(fleet_refusal(text).find(": " + name + " is missing") != std::string::npos);
  }
  CHECK(fleet_refusal(changed("ipv4: 198.51.100.1\n  ipv6: 2001:db8:51::1\n  ", "")) ==
        "fleet.yaml:16: vip: needs ipv4, ipv6 or both");
}

TEST_CASE("documents that are not one mapping are refused") {
  CHECK(fleet_refusal("") == "fleet.yaml:1: the document is empty");
  CHECK(fleet_refusal("# nothing\n") == "fleet.yaml:1: the document is empty");
  CHECK(fleet_refusal("- a\n") == "fleet.yaml:1: must be a mapping (key: value)");
  CHECK(fleet_refusal("a: b\n---\nc: d\n").find("a second document") != std::string::npos);
  CHECK(fleet_refusal("? [a]\n: b\n").find("a key must be text") != std::string::npos);
  CHECK(fleet_refusal("a: !!binary b\n").find("tags are not allowed") != std::string::npos);
  CHECK(fleet_refusal(std::string(40, '[') + std::string(40, ']')).find("nested too deeply") !=
        std::string::npos);
  CHECK(fleet_refusal(std::string((1U << 20) + 1, 'a')).find("larger than a MiB") !=
        std::string::npos);
  CHECK_FALSE(parse_fleet(std::string("\0\xff\xfe", 3)).has_value());
}

}  // namespace weir::manifests
