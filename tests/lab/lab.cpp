#include "tests/lab/lab.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "deployer/pool/vm/edge/qmp.h"
#include "manifests/documents/peers.h"
#include "tests/patience.h"
#include "tests/wireguard_go.h"

namespace weir::lab {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;
namespace fs = std::filesystem;

constexpr milliseconds kToolPatience = test::kPatience;
constexpr std::uint16_t kStreamPort = 7000;

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Result<std::string> read_key(const std::string& path) {
  TRY_ASSIGN(std::string text, read_file(path, ByteCount{4096}));
  return trimmed(std::move(text));
}

Argv inside(const std::string& netns, Argv argv) {
  argv.insert(argv.begin(), {"ip", "netns", "exec", netns});
  return argv;
}

Argv ip_in(const std::string& netns, Argv argv) {
  argv.insert(argv.begin(), {"ip", "-n", netns});
  return argv;
}

// wireguard-go has made the device once it takes connections.
Status wait_for_device(const std::string& interface, const ProcessId& process,
                       const std::string& log) {
  const auto deadline = std::chrono::steady_clock::now() + kToolPatience;
  while (!test::wireguard_go_listens(interface)) {
    TRY_ASSIGN(const auto there, observe(process));
    if (!there) return fail(Errc::io, "wireguard-go of " + interface + " ended: " + log);
    if (interrupted() || std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::timeout, "wireguard-go does not serve " + interface + ": " + log);
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
  return {};
}

}  // namespace

Result<Lab> Lab::build(const Options& options) {
  TRY(make_folders(options.folder, 0700));
  TRY_IN(tear_down(options.folder), "remove what an earlier run left");
  Lab lab;
  lab.folder_ = options.folder;
  lab.programs_ = options.programs;
  lab.store_ = options.store;
  lab.trusted_key_ = options.trusted_key;
  lab.extra_ = options.extra;
  lab.fleet_ = options.fleet;
  TRY_ASSIGN(lab.plan_, plan_lab(options.name, options.extra));
  for (const char* folder : {"clients", "log"}) TRY(make_folders(lab.path(folder), 0700));
  const auto stand = [&lab]() -> Status {
    TRY(lab.write_record());
    for (const Argv& command : lab.plan_.commands) {
      if (interrupted()) return fail(Errc::timeout, "interrupted");
      TRY(must_run(command));
    }
    TRY(lab.make_keys());
    TRY(lab.write_record());
    TRY(lab.write_peers({}));
    TRY(lab.write_fleet(lab.fleet_files(), lab.fleet_));
    return lab.start_control_server();
  };
  if (auto stands = stand(); !stands) {
    [[maybe_unused]] const auto gone = tear_down(options.folder);
    return tl::unexpected(std::move(stands).error().in("build the lab"));
  }
  return lab;
}

Result<Lab> Lab::find(const std::string& folder) {
  const std::string path = folder + "/lab.json";
  auto text = read_file(path, ByteCount{1 << 20});
  if (!text) return fail(Errc::not_found, "no lab stands in " + folder);
  const Json json = Json::parse(*text, nullptr, false);
  Lab lab;
  try {
    lab.folder_ = folder;
    lab.programs_ = json.at("programs");
    lab.store_ = json.at("store");
    lab.trusted_key_ = json.at("trusted_key");
    lab.gateway_key_ = json.at("gateway_key");
    lab.extra_ = json.at("extra");
    for (const Json& item : json.at("processes")) {
      lab.started_.push_back({item.at("what"), {item.at("pid"), item.at("start_ticks")}});
    }
    lab.connected_ = json.at("connected").get<std::vector<std::string>>();
    TRY_ASSIGN(lab.plan_, plan_lab(json.at("name"), lab.extra_));
  } catch (const Json::exception& error) {
    return fail(Errc::invalid_input, path + ": " + error.what());
  }
  return lab;
}

Status Lab::write_record() const {
  Json processes = Json::array();
  for (const Started& item : started_) {
    processes.push_back({{"what", item.what},
                         {"pid", item.process.pid},
                         {"start_ticks", item.process.start_ticks}});
  }
  return write_file(path("lab.json"),
                    Json{{"name", plan_.name},
                         {"programs", programs_},
                         {"store", store_},
                         {"trusted_key", trusted_key_},
                         {"gateway_key", gateway_key_},
                         {"extra", extra_},
                         {"connected", connected_},
                         {"processes", processes}}
                            .dump(2) +
                        "\n",
                    0600);
}

Status Lab::make_keys() {
  for (const char* old : {"gateway.identity", "gateway.seal"}) {
    std::error_code ignored;
    fs::remove(path(old), ignored);
  }
  TRY_ASSIGN(const std::string answer,
             must_read({programs_ + "/weir-keys", "generate-wireguard", "--out",
                        path("gateway.identity"), "--key-file", path("gateway.seal"), "--json"}));
  const Json json = Json::parse(answer, nullptr, false);
  if (!json.is_object() || !json.contains("public_key")) {
    return fail(Errc::io, "weir-keys generate-wireguard: no public_key in " + answer);
  }
  gateway_key_ = json["public_key"];
  // The clients' keys come from the stock tool: what Weir makes of them is part of what is tested.
  for (const ClientPlan& client : plan_.clients) {
    TRY_ASSIGN(const std::string key, must_read({"wg", "genkey"}));
    TRY(write_file(path("clients/" + client.name + ".key"), key, 0600));
    if (!client.preshared_key) continue;
    TRY_ASSIGN(const std::string psk, must_read({"wg", "genpsk"}));
    TRY(write_file(path("clients/" + client.name + ".psk"), psk, 0600));
  }
  return {};
}

Result<ClientKeys> Lab::keys_of(const ClientPlan& client) const {
  ClientKeys out;
  TRY_ASSIGN(out.private_key, read_key(path("clients/" + client.name + ".key")));
  TRY_ASSIGN(std::string public_key, must_read({"wg", "pubkey"}, {.input = out.private_key}));
  out.public_key = trimmed(std::move(public_key));
  if (client.preshared_key) {
    TRY_ASSIGN(out.preshared_key, read_key(path("clients/" + client.name + ".psk")));
  }
  return out;
}

FleetFiles Lab::fleet_files() const {
  return {store_, trusted_key_, "gateway.identity", "gateway.seal", "peers.jsonl", "state"};
}

Status Lab::write_fleet(const FleetFiles& files, const FleetOptions& options) const {
  return write_file(path("fleet.yaml"), fleet_yaml(plan_, files, options));
}

Status Lab::write_peers(const std::vector<std::string>& left_out) const {
  std::string text;
  for (const ClientPlan& client : plan_.clients) {
    if (client.control) continue;
    if (std::find(left_out.begin(), left_out.end(), client.name) != left_out.end()) continue;
    TRY_ASSIGN(const ClientKeys keys, keys_of(client));
    TRY_ASSIGN(PublicKey key, PublicKey::parse(keys.public_key));
    manifests::Peer peer{client.name, key, client.inner, std::nullopt, {{"class", "lab"}}};
    if (client.preshared_key) peer.preshared_key_file = "clients/" + client.name + ".psk";
    text += manifests::print(peer) + "\n";
  }
  return write_file(path("peers.jsonl"), text);
}

Status Lab::start_wireguard(const std::string& netns, const std::string& interface,
                            const std::string& configuration) {
  const std::string log = path("log/" + interface + ".log");
  TRY_ASSIGN(const ProcessId process,
             start(inside(netns, {"nice", "-n", "-10", "wireguard-go", "-f", interface}), log));
  started_.push_back({"wireguard-go " + interface, process});
  TRY(write_record());
  TRY(wait_for_device(interface, process, log));
  return must_run({"wg", "setconf", interface, "/dev/stdin"}, {.input = configuration});
}

Status Lab::start_control_server() {
  const ClientPlan* control = find_client(plan_, "control");
  if (control == nullptr) return fail(Errc::bug, "no control client");
  TRY_ASSIGN(const std::string key, must_read({"wg", "genkey"}));
  TRY_ASSIGN(const std::string public_key, must_read({"wg", "pubkey"}, {.input = key}));
  TRY(write_file(path("clients/control-server.pub"), public_key, 0600));
  TRY_ASSIGN(const ClientKeys client, keys_of(*control));
  std::ostringstream text;
  text << "[Interface]\nPrivateKey = " << trimmed(key) << "\nListenPort = " << plan_.control_port
       << "\n[Peer]\nPublicKey = " << client.public_key
       << "\nAllowedIPs = " << control->inner.front().string() << "\n";
  TRY(start_wireguard(plan_.upstream_netns, plan_.control_interface, text.str()));
  TRY(must_run(ip_in(plan_.upstream_netns, {"addr", "add", plan_.control_server.string() + "/32",
                                            "dev", plan_.control_interface})));
  TRY(must_run(
      ip_in(plan_.upstream_netns, {"link", "set", plan_.control_interface, "up", "mtu", "1420"})));
  return must_run(ip_in(plan_.upstream_netns, {"route", "add", control->inner.front().string(),
                                               "dev", plan_.control_interface}));
}

Status Lab::connect(const std::string& name) {
  const ClientPlan* client = find_client(plan_, name);
  if (client == nullptr) return fail(Errc::not_found, "the lab has no client '" + name + "'");
  if (std::find(connected_.begin(), connected_.end(), name) != connected_.end()) return {};
  TRY_ASSIGN(const ClientKeys keys, keys_of(*client));
  std::string gateway = gateway_key_;
  if (client->control) {
    TRY_ASSIGN(gateway, read_key(path("clients/control-server.pub")));
  }
  const std::string& device = client->interface;
  TRY_IN(
      start_wireguard(client->netns, device, client_configuration(*client, keys, gateway, false)),
      "client " + name);
  for (const Prefix& address : client->inner) {
    Argv add = {"addr", "add", address.string(), "dev", device};
    if (address.address.is_v6()) add.push_back("nodad");
    TRY(must_run(ip_in(client->netns, add)));
  }
  TRY(must_run(ip_in(client->netns, {"link", "set", device, "up", "mtu", "1420"})));
  for (const Prefix& route : client->reachable) {
    TRY(must_run(ip_in(client->netns, {route.address.is_v6() ? "-6" : "-4", "route", "add",
                                       route.string(), "dev", device})));
  }
  connected_.push_back(name);
  return write_record();
}

Status Lab::wait_for_tunnel(const std::string& name) const {
  const ClientPlan* client = find_client(plan_, name);
  if (client == nullptr) return fail(Errc::not_found, "the lab has no client '" + name + "'");
  const IpAddress target = client->control ? plan_.control_server : plan_.upstream_v4;
  const auto deadline = std::chrono::steady_clock::now() + test::kPatience;
  for (;;) {
    TRY_ASSIGN(
        const Output answer,
        run(inside(client->netns, {"ping", "-n", "-q", "-c", "1", "-W", "2", target.string()})));
    if (answer.status == 0) return {};
    if (interrupted() || std::chrono::steady_clock::now() > deadline) {
      return fail(Errc::timeout, "client " + name + ": " + target.string() +
                                     " does not answer through the tunnel");
    }
  }
}

Argv Lab::deployer(const Argv& command) const {
  Argv out = {programs_ + "/weir-deployer"};
  out.insert(out.end(), command.begin(), command.end());
  out.insert(out.end(), {"--fleet", path("fleet.yaml")});
  return out;
}

std::vector<PingFlow> Lab::ping_flows() const {
  std::vector<PingFlow> out;
  const auto add = [&](const ClientPlan& client, const std::string& to, std::size_t inner,
                       const IpAddress& target) {
    out.push_back(
        {client.name + " > " + to, client.name, client.netns, client.inner[inner].address, target});
  };
  for (const std::string& name : connected_) {
    const ClientPlan& client = *find_client(plan_, name);
    if (client.control) {
      add(client, "control server", 0, plan_.control_server);
    } else if (client.gateway.address.is_v6()) {
      add(client, "upstream (IPv6)", 1, plan_.upstream_v6);
    } else {
      add(client, "upstream", 0, plan_.upstream_v4);
    }
    if (client.name == "talker") {
      add(client, "plain", 0, find_client(plan_, "plain")->inner[0].address);
    }
  }
  return out;
}

std::vector<StreamFlow> Lab::stream_flows() const {
  std::vector<StreamFlow> out;
  std::uint16_t port = kStreamPort;
  const auto add = [&](const ClientPlan& client, const std::string& to, const std::string& netns,
                       const IpAddress& server) {
    out.push_back({client.name + " > " + to, client.name, client.netns, netns, server, port++});
  };
  for (const std::string& name : connected_) {
    const ClientPlan& client = *find_client(plan_, name);
    if (client.control) {
      add(client, "control server", plan_.upstream_netns, plan_.control_server);
    } else if (client.gateway.address.is_v6()) {
      add(client, "upstream (IPv6)", plan_.upstream_netns, plan_.upstream_v6);
    } else {
      add(client, "upstream", plan_.upstream_netns, plan_.upstream_v4);
    }
    if (client.name == "talker") {
      const ClientPlan& plain = *find_client(plan_, "plain");
      add(client, "plain", plain.netns, plain.inner[0].address);
    }
  }
  return out;
}

namespace {

// Ends whoever has this pid now.
void end_pid(int pid, milliseconds patience) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/stat", ByteCount{4096});
  if (!text) return;
  const auto stat = parse_process_stat(*text);
  if (stat) end({pid, stat->start_ticks}, patience);
}

// A deployer that outlived whoever started it still holds the fleet. It is known by the one
// argument that only it has: the path of this lab's fleet document.
void end_deployers(const std::string& fleet) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const auto arguments = read_file(entry.path().string() + "/cmdline", ByteCount{1 << 20});
    if (!arguments ||
        arguments->find(std::string("\0", 1) + fleet + std::string("\0", 1)) == std::string::npos) {
      continue;
    }
    if (arguments->substr(0, arguments->find('\0')).ends_with("/weir-deployer")) {
      end_pid(std::stoi(name), milliseconds(5000));
    }
  }
}

// The deployer knows best how to end its machines; where it cannot (killed, half built), every QEMU
// that listens below the lab's state is told to quit.
void end_machines(const std::string& state) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(state, error), last; !error && it != last;
       it.increment(error)) {
    if (it->path().filename() != "qmp.sock") continue;
    auto qmp = pool::QmpClient::open(it->path().parent_path().string(), milliseconds(2000));
    if (qmp) [[maybe_unused]]
      const auto answer = qmp->run("quit");
  }
}

}  // namespace

Status check_none_is_up(const std::string& folder) {
  const auto lab = Lab::find(folder);
  if (!lab) return {};  // or what is left of one, which building removes
  for (const Lab::Started& item : lab->started_) {
    TRY_ASSIGN(const auto there, observe(item.process));
    if (!there) continue;
    return fail(Errc::busy, "a lab is up in " + folder +
                                " already: `./run lab down` removes it, and whatever runs in its "
                                "namespaces");
  }
  return {};
}

Status tear_down(const std::string& folder) {
  const auto lab = Lab::find(folder);
  if (!lab) {
    if (lab.error().code == Errc::not_found) return {};
    return tl::unexpected(lab.error());
  }
  end_deployers(lab->path("fleet.yaml"));
  const RunOptions deaf{.timeout = milliseconds(60000), .deaf = true};
  if (fs::exists(lab->path("fleet.yaml")) && fs::exists(lab->path("state"))) {
    [[maybe_unused]] const auto down = run(lab->deployer({"down"}), deaf);
  }
  end_machines(lab->path("state"));
  for (const Lab::Started& item : lab->started_) end(item.process, milliseconds(2000));
  for (const std::string& netns : lab->plan_.namespaces) {
    // Whatever else a person started inside goes too: its network is about to.
    if (const auto pids = run({"ip", "netns", "pids", netns}, deaf); pids && pids->status == 0) {
      std::istringstream list(pids->out);
      for (int pid = 0; list >> pid;) end_pid(pid, milliseconds(2000));
    }
    [[maybe_unused]] const auto removed = run({"ip", "netns", "del", netns}, deaf);
  }
  std::vector<std::string> interfaces = {lab->plan_.control_interface};
  for (const ClientPlan& client : lab->plan_.clients) interfaces.push_back(client.interface);
  for (const std::string& interface : interfaces) {
    ::unlink(("/var/run/wireguard/" + interface + ".sock").c_str());
  }
  std::error_code error;
  for (const char* inside_folder : {"state", "clients"})
    fs::remove_all(lab->path(inside_folder), error);
  fs::remove(lab->path("lab.json"), error);
  return {};
}

}  // namespace weir::lab
