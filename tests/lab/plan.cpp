#include "tests/lab/plan.h"

#include <algorithm>
#include <sstream>

namespace weir::lab {
namespace {

constexpr const char* kVip4 = "203.0.113.1";
constexpr const char* kVip6 = "2001:db8:113::1";

Argv words(const std::string& line) {
  std::istringstream in(line);
  Argv out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

Prefix prefix(const std::string& text) {
  return *Prefix::parse(text);
}
IpAddress address(const std::string& text) {
  return *IpAddress::parse(text);
}

/// Collects the commands; `slot` numbers the links that hang off the internet.
struct Builder {
  LabPlan& plan;
  int slot = 0;

  void run(const std::string& line) { plan.commands.push_back(words(line)); }
  void in(const std::string& netns, const std::string& line) { run("ip -n " + netns + " " + line); }
  void sysctl(const std::string& netns, const std::string& setting) {
    run("ip netns exec " + netns + " sysctl -qw " + setting);
  }

  void add_namespace(const std::string& netns, bool forwards) {
    plan.namespaces.push_back(netns);
    run("ip netns add " + netns);
    // Addresses are usable at once: no duplicate address detection, no router advertisements.
    for (const char* where : {"all", "default"}) {
      const std::string conf = std::string("net.ipv6.conf.") + where;
      sysctl(netns, conf + ".accept_dad=0");
      sysctl(netns, conf + ".accept_ra=0");
      if (forwards) sysctl(netns, conf + ".forwarding=1");
    }
    if (forwards) sysctl(netns, "net.ipv4.ip_forward=1");
    in(netns, "link set lo up");
  }

  void add_link(const std::string& netns, const std::string& interface, const std::string& other,
                const std::string& other_interface) {
    run("ip link add " + interface + " netns " + netns + " type veth peer name " + other_interface +
        " netns " + other);
    in(netns, "link set " + interface + " up");
    in(other, "link set " + other_interface + " up");
  }

  void add_address(const std::string& netns, const std::string& interface,
                   const std::string& text) {
    const bool v6 = text.find(':') != std::string::npos;
    in(netns, "addr add " + text + " dev " + interface + (v6 ? " nodad" : ""));
  }

  /// Connects a namespace to the internet: `outside` in it, default routes over it. Returns the
  /// number of its link, which is part of its addresses.
  std::string connect(const std::string& netns) {
    std::string number = std::to_string(++slot);
    const std::string far = "to-" + number;
    add_link(netns, "outside", plan.net_netns, far);
    add_address(plan.net_netns, far, "100.64." + number + ".1/30");
    add_address(netns, "outside", "100.64." + number + ".2/30");
    add_address(plan.net_netns, far, "2001:db8:64:" + number + "::1/64");
    add_address(netns, "outside", "2001:db8:64:" + number + "::2/64");
    in(netns, "route add default via 100.64." + number + ".1");
    in(netns, "-6 route add default via 2001:db8:64:" + number + "::1");
    return number;
  }

  std::string connect_behind_nat(const std::string& netns, const std::string& nat) {
    std::string number = connect(nat);
    add_link(netns, "outside", nat, "inside");
    add_address(nat, "inside", "192.168.77.1/24");
    add_address(netns, "outside", "192.168.77.2/24");
    in(netns, "route add default via 192.168.77.1");
    for (const char* rule :
         {"add table ip home",
          "add chain ip home out { type nat hook postrouting priority srcnat ; }",
          "add rule ip home out oifname outside masquerade"}) {
      run("ip netns exec " + nat + " nft " + std::string(rule));
    }
    return number;
  }

  void add_client(ClientPlan client, const std::string& nat) {
    const std::size_t number = plan.clients.size() + 1;
    client.netns = plan.name + "-" + client.name;
    client.interface = plan.name + "c" + std::to_string(number);
    add_namespace(client.netns, false);
    const std::string link =
        nat.empty() ? connect(client.netns) : connect_behind_nat(client.netns, nat);
    client.seen_from = client.gateway.address.is_v4() ? address("100.64." + link + ".2")
                                                      : address("2001:db8:64:" + link + "::2");
    if (!client.control) {
      const std::string host = std::to_string(10 + number);
      client.inner = {prefix("10.99.0." + host + "/32"), prefix("fd00:99::" + host + "/128")};
      client.reachable = {prefix("10.99.0.0/16"), prefix("172.31.0.0/30"), prefix("fd00:99::/64"),
                          prefix("fd00:31::/64")};
    }
    plan.clients.push_back(std::move(client));
  }
};

}  // namespace

Result<LabPlan> plan_lab(const std::string& name, unsigned extra) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.empty() || name.size() > 8 || !std::all_of(name.begin(), name.end(), good)) {
    return fail(Errc::invalid_input, "lab name '" + name + "': 1 to 8 of a-z and 0-9");
  }
  LabPlan plan;
  plan.name = name;
  plan.director_netns = name + "-dir";
  plan.net_netns = name + "-net";
  plan.upstream_netns = name + "-up";
  plan.vip_v4 = {address(kVip4), 51820};
  plan.vip_v6 = {address(kVip6), 51820};
  plan.upstream_v4 = address("172.31.0.2");
  plan.upstream_v6 = address("fd00:31::2");
  plan.control_server = address("10.98.0.1");
  plan.control_interface = name + "s";
  plan.control_port = 51821;

  Builder build{plan};
  build.add_namespace(plan.director_netns, true);
  build.add_namespace(plan.net_netns, true);
  build.add_namespace(plan.upstream_netns, false);

  build.add_link(plan.director_netns, "outside", plan.net_netns, "to-director");
  build.add_address(plan.net_netns, "to-director", "198.51.100.1/30");
  build.add_address(plan.director_netns, "outside", "198.51.100.2/30");
  build.add_address(plan.net_netns, "to-director", "2001:db8:198::1/64");
  build.add_address(plan.director_netns, "outside", "2001:db8:198::2/64");
  build.in(plan.director_netns, "route add default via 198.51.100.1");
  build.in(plan.director_netns, "-6 route add default via 2001:db8:198::1");
  build.in(plan.net_netns, std::string("route add ") + kVip4 + "/32 via 198.51.100.2");
  build.in(plan.net_netns, std::string("-6 route add ") + kVip6 + "/128 via 2001:db8:198::2");

  build.add_link(plan.director_netns, "upstream", plan.upstream_netns, "director");
  build.add_address(plan.director_netns, "upstream", "172.31.0.1/30");
  build.add_address(plan.upstream_netns, "director", "172.31.0.2/30");
  build.add_address(plan.director_netns, "upstream", "fd00:31::1/64");
  build.add_address(plan.upstream_netns, "director", "fd00:31::2/64");
  build.in(plan.upstream_netns, "route add default via 172.31.0.1");
  build.in(plan.upstream_netns, "-6 route add default via fd00:31::1");
  build.in(plan.net_netns, "route add 172.31.0.0/30 via 198.51.100.2");

  const auto client = [&plan](const std::string& called) {
    ClientPlan out{};
    out.name = called;
    out.gateway = plan.vip_v4;
    return out;
  };
  ClientPlan plain = client("plain");
  plain.preshared_key = true;
  build.add_client(plain, "");
  ClientPlan ipv6 = client("ipv6");
  ipv6.gateway = plan.vip_v6;
  build.add_client(ipv6, "");
  ClientPlan nat = client("nat");
  nat.preshared_key = true;
  nat.keepalive = true;
  build.add_namespace(name + "-router", true);
  build.add_client(nat, name + "-router");
  build.add_client(client("talker"), "");
  ClientPlan control = client("control");
  control.control = true;
  control.gateway = {plan.upstream_v4, plan.control_port};
  control.inner = {prefix("10.98.0.2/32")};
  control.reachable = {prefix("10.98.0.1/32")};
  build.add_client(control, "");
  for (unsigned i = 1; i <= extra; ++i) build.add_client(client("extra-" + std::to_string(i)), "");
  for (unsigned i = 1; i <= 4; ++i) {
    ClientPlan spare = client("spare-" + std::to_string(i));
    spare.spare = true;
    spare.preshared_key = i % 2 == 0;
    build.add_client(spare, "");
  }
  return plan;
}

const ClientPlan* find_client(const LabPlan& plan, const std::string& name) {
  const auto found = std::find_if(plan.clients.begin(), plan.clients.end(),
                                  [&](const ClientPlan& client) { return client.name == name; });
  return found == plan.clients.end() ? nullptr : &*found;
}

std::string fleet_yaml(const LabPlan& plan, const FleetFiles& files, const FleetOptions& options) {
  std::ostringstream out;
  const auto pool = [&](const std::string& name, const std::string& clock_offset) {
    out << "  - name: " << name << "\n    driver: vm\n    nodes: [";
    for (unsigned i = 1; i <= options.nodes; ++i) out << (i > 1 ? ", " : "") << name << "-" << i;
    out << "]\n    memory: 512 MiB\n    cpus: 1\n";
    if (!clock_offset.empty()) out << "    clock_offset: " << clock_offset << "\n";
  };
  out << "name: " << plan.name << "\nstate: " << files.state << "\nstore: " << files.store
      << "\ntrusted_keys: [" << files.trusted_key << "]\nidentity: " << files.identity
      << "\nidentity_key_file: " << files.identity_key_file << "\npeers: " << files.peers
      << "\ndirector:\n  driver: nft\n  network_namespace: " << plan.director_netns
      << "\n  upstream_interface: upstream\nvip:\n  ipv4: " << plan.vip_v4.address.string()
      << "\n  ipv6: " << plan.vip_v6.address.string() << "\n  port: " << plan.vip_v4.port
      << "\nfabric:\n  ipv4: 10.66.0.0/24\n  ipv6: fd00:66::/64\n  management: 10.67.0.0/24\n"
      << "clients: [10.99.0.0/16, \"fd00:99::/64\"]\nprobe:\n  target: "
      << plan.upstream_v4.string() << "\n  source: 10.99.255.254\npools:\n";
  pool("blue", "");
  pool("green", options.green_clock_offset);
  if (options.amber) pool("amber", "");
  std::istringstream policy(options.policy);
  out << "policy:\n";
  // Emulated, beside other work, a machine may take long to come up: no verdict hangs on that.
  if (options.policy.find("boot_timeout") == std::string::npos) out << "  boot_timeout: 15m\n";
  for (std::string line; std::getline(policy, line);) out << "  " << line << "\n";
  return out.str();
}

std::string client_configuration(const ClientPlan& client, const ClientKeys& keys,
                                 const std::string& gateway_key, bool addresses) {
  const auto list = [](const std::vector<Prefix>& prefixes) {
    std::string out;
    for (const Prefix& item : prefixes) out += (out.empty() ? "" : ", ") + item.string();
    return out;
  };
  std::string out = "[Interface]\nPrivateKey = " + keys.private_key + "\n";
  if (addresses) out += "Address = " + list(client.inner) + "\n";
  out += "\n[Peer]\nPublicKey = " + gateway_key + "\n";
  if (!keys.preshared_key.empty()) out += "PresharedKey = " + keys.preshared_key + "\n";
  out +=
      "AllowedIPs = " + list(client.reachable) + "\nEndpoint = " + client.gateway.string() + "\n";
  if (client.keepalive) out += "PersistentKeepalive = 25\n";
  return out;
}

}  // namespace weir::lab
