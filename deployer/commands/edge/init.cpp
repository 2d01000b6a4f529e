#include "deployer/commands/edge/init.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "deployer/commands/fleet_draft.h"
#include "keys/identity/edge/identity_files.h"
#include "keys/identity/edge/registry.h"
#include "keys/identity/wireguard_identity.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/edge/passphrase.h"
#include "manifests/base/ascii.h"
#include "manifests/base/edge/destination.h"
#include "manifests/base/edge/questions.h"
#include "manifests/base/printable.h"

namespace weir::deployer {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct InitOptions {
  std::string fleet = "fleet.yaml";
  std::string name = "gateway", state = "state", store = "store", key = "release.pub";
  std::string identity = "gateway.identity", peers = "peers.jsonl";
  std::string upstream;
  std::optional<std::string> identity_key_file, network_namespace, probe;
  std::vector<std::string> vip, clients, new_peers;
  std::uint32_t port = 51820, nodes = 1;
  bool make_identity = false, plan = false, json = false;
};

/// A path as the document means it: from its own folder.
std::string from_fleet(const InitOptions& given, const std::string& path) {
  return (fs::path(given.fleet).parent_path() / path).string();
}

template <class T>
Result<std::vector<T>> parsed(const std::vector<std::string>& texts, const std::string& option) {
  std::vector<T> out;
  for (const std::string& text : texts) {
    TRY_ASSIGN_IN(T value, T::parse(text), option);
    out.push_back(std::move(value));
  }
  return out;
}

Result<FleetAnswers> answers_of(const InitOptions& given) {
  FleetAnswers out;
  TRY_ASSIGN(out.vip, parsed<IpAddress>(given.vip, "--vip"));
  TRY_ASSIGN(out.clients, parsed<Prefix>(given.clients, "--clients"));
  if (given.probe) {
    TRY_ASSIGN_IN(out.probe_target, IpAddress::parse(*given.probe), "--probe");
  }
  if (given.port == 0 || given.port > 65535) {
    return fail(Errc::invalid_input, "--port: 1 to 65535");
  }
  for (const std::string& text : given.new_peers) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) {
      return fail(Errc::invalid_input, "--peer: NAME=KEY, not '" + text + "'");
    }
    TRY_ASSIGN_IN(const PublicKey key, PublicKey::parse(text.substr(equals + 1)), "--peer");
    out.new_peers.push_back({text.substr(0, equals), key});
  }
  if (!given.make_identity && !given.new_peers.empty()) {
    TRY_ASSIGN_IN(out.gateway_keys, keys::read_gateway_keys(from_fleet(given, given.identity)),
                  "--identity");
  }
  out.name = given.name;
  out.port = static_cast<std::uint16_t>(given.port);
  out.upstream_interface = given.upstream;
  out.network_namespace = given.network_namespace;
  out.nodes = given.nodes;
  out.state = given.state;
  out.store = given.store;
  out.trusted_key = given.key;
  out.identity = given.identity;
  out.identity_key_file = given.identity_key_file;
  out.peers = given.peers;
  return out;
}

/// Whether what is known so far can become a fleet, whatever the rest will be.
Status check_so_far(const InitOptions& given) {
  const std::vector<std::vector<std::string>> vips = {{"198.51.100.1"}, {"203.0.113.1"}};
  const std::vector<std::vector<std::string>> networks = {{"10.8.0.0/16", "fd00:8::/64"},
                                                          {"10.9.0.0/16", "fd00:9::/64"}};
  std::optional<Error> first;
  // Addresses that stand for what is not known may be in the way of those that are.
  for (std::size_t i = 0; i < vips.size() * networks.size(); ++i) {
    InitOptions could_be = given;
    if (given.vip.empty()) could_be.vip = vips[i / networks.size()];
    if (given.clients.empty()) could_be.clients = networks[i % networks.size()];
    if (given.upstream.empty()) could_be.upstream = "eth0";
    auto answers = answers_of(could_be);
    Status drafted;
    if (!answers) {
      drafted = tl::unexpected(std::move(answers).error());
    } else if (auto draft = draft_fleet(*answers); !draft) {
      drafted = tl::unexpected(std::move(draft).error());
    }
    if (drafted) return {};
    if (!first) first = std::move(drafted).error();
  }
  return tl::unexpected(std::move(*first));
}

/// Asks for what no option said; elsewhere than at a terminal, names it.
Status complete(InitOptions& given, const std::atomic<bool>& interrupted) {
  if (!given.vip.empty() && !given.clients.empty() && !given.upstream.empty()) return {};
  if (::isatty(STDIN_FILENO) == 0) {
    std::string missing;
    if (given.vip.empty()) missing += " --vip ADDRESS";
    if (given.upstream.empty()) missing += " --upstream INTERFACE";
    if (given.clients.empty()) missing += " --clients NETWORK";
    return fail(Errc::invalid_input, "no terminal to ask at: say" + missing);
  }
  const auto ask_for = [&](const std::string& question, const std::string& otherwise,
                           const std::function<void(InitOptions&, const std::string&)>& put) {
    return ask(
        question, otherwise,
        [&](const std::string& answer) -> Status {
          if (answer.empty()) return fail(Errc::invalid_input, "this needs an answer");
          InitOptions with = given;
          put(with, answer);
          TRY(check_so_far(with));
          given = std::move(with);
          return {};
        },
        interrupted);
  };
  if (given.vip.empty()) {
    TRY(ask_for("Public address that clients send to (IPv4, IPv6 or both)", "",
                [](InitOptions& with, const std::string& line) {
                  const auto words = words_of(line, kBetweenAnswers);
                  with.vip.assign(words.begin(), words.end());
                }));
  }
  if (given.upstream.empty()) {
    TRY(ask_for("Interface that leads on from the gateways", "",
                [](InitOptions& with, const std::string& line) { with.upstream = line; }));
  }
  if (given.clients.empty()) {
    TRY(ask_for("Inner networks of the clients", "10.8.0.0/16",
                [](InitOptions& with, const std::string& line) {
                  const auto words = words_of(line, kBetweenAnswers);
                  with.clients.assign(words.begin(), words.end());
                }));
  }
  return {};
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() != fs::file_type::not_found;
}

/// What has to be made before `up`, as commands.
std::vector<std::string> next_steps(const InitOptions& given) {
  std::vector<std::string> out;
  if (!given.make_identity && !is_there(from_fleet(given, given.identity))) {
    out.push_back("weir-keys generate-wireguard --out " +
                  shell_word(from_fleet(given, given.identity)) +
                  (given.identity_key_file
                       ? " --key-file " + shell_word(from_fleet(given, *given.identity_key_file))
                       : ""));
  }
  std::string prefix = from_fleet(given, given.key);
  const bool key_is_there = is_there(prefix);
  if (prefix.ends_with(".pub")) prefix.resize(prefix.size() - 4);
  if (!key_is_there) out.push_back("weir-keys generate --out " + shell_word(prefix));
  if (!is_there(from_fleet(given, given.store))) {
    out.push_back("weir-builder lock IMAGE.yaml && weir-builder build IMAGE.yaml --key " +
                  shell_word(prefix + ".key") + " --store " +
                  shell_word(from_fleet(given, given.store)));
  }
  if (given.new_peers.empty()) {
    out.push_back("# a line for each client, before it can connect, in " +
                  from_fleet(given, given.peers) +
                  R"(: {"name": "anna", "public_key": "KEY", "allowed_ips": ["ADDRESS/32"]})");
  }
  out.push_back("weir-deployer up --fleet " + shell_word(given.fleet) + " --release RELEASE");
  return out;
}

/// What --identity-key-file names.
Result<keys::Secret> read_sealing_key(const InitOptions& given) {
  const std::string path = from_fleet(given, *given.identity_key_file);
  return if_missing(keys::read_key_file(path),
                    "leave --make-identity out and make both: weir-keys generate-wireguard --out " +
                        shell_word(from_fleet(given, given.identity)) + " --key-file " +
                        shell_word(path));
}

Result<std::string> new_identity(const InitOptions& given) {
  keys::SealingKey key{keys::SealingKey::Kind::passphrase, {}};
  if (given.identity_key_file) {
    key.kind = keys::SealingKey::Kind::key_file;
    TRY_ASSIGN_IN(key.bytes, read_sealing_key(given), "--identity-key-file");
  } else {
    TRY_ASSIGN(key.bytes,
               keys::ask_passphrase("New passphrase for " + given.identity, keys::Asking::fresh));
    keys::tell_derivation();
  }
  TRY_ASSIGN(const auto identity, keys::make_wireguard_identity());
  TRY_ASSIGN(const auto salt, keys::random_secret(16));
  TRY_ASSIGN(const auto nonce, keys::random_secret(24));
  return keys::seal_identity(identity, key, salt.bytes(), nonce.bytes());
}

struct NewText {
  std::string path, content;
  unsigned mode;
};

/// What will be written. The fleet document last: whoever finds it finds the others too.
std::vector<NewText> new_files(const InitOptions& given, const FleetDraft& draft) {
  std::vector<NewText> out;
  if (given.make_identity) out.push_back({from_fleet(given, given.identity), "", 0600});
  out.push_back({from_fleet(given, given.peers), draft.peers, 0644});
  out.push_back({given.fleet, draft.fleet, 0644});
  return out;
}

Status check_places(const std::vector<NewText>& files) {
  std::set<fs::path> places;
  for (const NewText& file : files) {
    if (is_there(file.path)) {
      return fail(Errc::busy, file.path +
                                  ": is there already, and nothing is overwritten: move it, or say "
                                  "another place");
    }
    if (!places.insert(fs::path(file.path).lexically_normal()).second) {
      return fail(Errc::invalid_input, file.path + ": is named for two files: name two places");
    }
    TRY(check_folder_of(file.path));
  }
  return {};
}

/// Where `up` makes the state. Who drafts a fleet need not be who may write there.
Status check_state(const std::string& path) {
  auto could_be = check_folders(path);
  if (could_be || could_be.error().sys == EACCES) return {};
  return tl::unexpected(std::move(could_be).error());
}

Status write_all(const std::vector<NewText>& files) {
  std::vector<keys::NewFile> out;
  out.reserve(files.size());
  for (const NewText& file : files) out.push_back({file.path, file.content, file.mode});
  return keys::write_new_files(out);
}

void tell(const InitOptions& given, const std::vector<NewText>& files, const FleetDraft& draft) {
  const auto next = next_steps(given);
  if (given.json) {
    ordered_json paths = ordered_json::array();
    for (const NewText& file : files) paths.push_back(file.path);
    const ordered_json out = {{given.plan ? "would_write" : "wrote", paths}, {"next", next}};
    std::cout << out.dump(2) << std::endl;
    return;
  }
  for (const NewText& file : files) {
    std::cout << (given.plan ? "would write " : "wrote ") << file.path << "\n";
  }
  if (given.plan) std::cout << "\n" << draft.fleet;
  std::cout << "\nNext:\n";
  for (const std::string& step : next) std::cout << "  " << step << "\n";
  std::cout << std::flush;
}

Result<Exit> init(InitOptions given, const std::atomic<bool>& interrupted) {
  // What no answer mends comes before the questions.
  TRY(check_so_far(given));
  TRY(check_places(new_files(given, {})));
  TRY_IN(check_state(from_fleet(given, given.state)), "--state");
  TRY(complete(given, interrupted));
  TRY_ASSIGN(const FleetAnswers answers, answers_of(given));
  TRY_ASSIGN(const FleetDraft draft, draft_fleet(answers));
  std::vector<NewText> files = new_files(given, draft);
  if (given.make_identity && !given.plan) {
    TRY_ASSIGN(files.front().content, new_identity(given));
  } else if (given.make_identity && given.identity_key_file) {
    TRY_IN(read_sealing_key(given), "--identity-key-file");
  }
  if (!given.plan) TRY(write_all(files));
  tell(given, files, draft);
  return Exit::done;
}

}  // namespace

weir::Command init_command(const std::atomic<bool>& interrupted) {
  const auto given = std::make_shared<InitOptions>();
  return {.name = "init",
          .summary = "write a first fleet document and its peers",
          .about = "Asks at the terminal for what no option says. Nothing is overwritten.\n",
          .examples =
              "  weir-deployer init\n"
              "  weir-deployer init --vip 198.51.100.1 --upstream eth1 --clients 10.8.0.0/16 \\\n"
              "    --peer alice=XcwBBmrs7wRx6dKr9MB9VhUebYPsOBJqUNWl2u+26Rs= --plan\n",
          .options =
              {{"fleet,f", "FILE", &given->fleet,
                "the fleet document; other paths start at its folder"},
               {"vip", "ADDRESS", &given->vip, "what clients send to: IPv4, IPv6 or one of each"},
               {"port", "N", &given->port, "of the VIP"},
               {"upstream", "INTERFACE", &given->upstream, "where packets go on from the gateways"},
               {"clients", "NETWORK", &given->clients, "inner network of clients; again for more"},
               {"peer", "NAME=KEY", &given->new_peers,
                "a client and its public key (wg pubkey); gets the next free address"},
               {"probe", "ADDRESS", &given->probe,
                "upstream address that answers pings: every new node has to reach it first"},
               {"nodes", "N", &given->nodes, "in each pool"},
               {"network-namespace", "NAME", &given->network_namespace,
                "of the director, where it is not the host's own"},
               {"name", "NAME", &given->name, "the fleet's"},
               {"store", "DIR", &given->store, "where releases are"},
               {"key", "FILE", &given->key, "the public key that signs releases"},
               {"identity", "FILE", &given->identity, "the gateways' sealed WireGuard identity"},
               {"identity-key-file", "FILE", &given->identity_key_file,
                "opens the identity; without, a passphrase does"},
               {"make-identity", "", &given->make_identity, "make the identity too"},
               {"peers", "FILE", &given->peers, "the peers' document"},
               {"state", "DIR", &given->state, "for journal, sockets and consoles"},
               {"plan", "", &given->plan, "say what would be written, and write nothing"},
               {"json", "", &given->json, "the result as one JSON object"}},
          .run = [given, &interrupted] { return init(*given, interrupted); }};
}

}  // namespace weir::deployer
