// weir-lab: the laboratory of the demo, for people. See ./run help.
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "manifests/base/edge/program.h"
#include "manifests/base/edge/program_log.h"
#include "tests/lab/demo.h"

namespace {

using namespace weir;
using namespace weir::lab;

struct Given {
  std::string folder = "build/lab", name = "weirlab", programs, store = "build/demo/store",
              key = "build/demo/release.pub", release = "gateway-6.1", to = "gateway-6.12", client;
  std::uint32_t nodes = 1, rounds = 1;
  bool json = false;
};

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

Status check_root() {
  if (::geteuid() == 0) return {};
  return fail(Errc::unauthorized, "needs root (network namespaces and taps)");
}

Lab::Options lab_options(const Given& given) {
  Lab::Options out;
  out.folder = absolute(given.folder);
  out.name = given.name;
  out.programs = given.programs.empty()
                     ? std::filesystem::canonical("/proc/self/exe").parent_path().string()
                     : absolute(given.programs);
  out.store = absolute(given.store);
  out.trusted_key = absolute(given.key);
  out.fleet.nodes = given.nodes;
  return out;
}

Status up(const Given& given) {
  TRY(check_root());
  take_interrupts();
  const Lab::Options options = lab_options(given);
  TRY(check_none_is_up(options.folder));
  say("building the lab: director, upstream host and clients in network namespaces");
  TRY_ASSIGN(Lab lab, Lab::build(options));
  say("booting the blue pool");
  auto booted = must_run(lab.deployer({"up", "--release", given.release}),
                         {.timeout = std::chrono::minutes(20), .show_errors = true});
  if (!booted) {
    TRY(tear_down(options.folder));
    return booted;
  }
  std::cout << "fleet: " << lab.path("fleet.yaml") << "\nVIP: " << lab.plan().vip_v4.string()
            << ", " << lab.plan().vip_v6.string()
            << "\nupstream: " << lab.plan().upstream_v4.string() << ", "
            << lab.plan().upstream_v6.string() << " (namespace " << lab.plan().upstream_netns
            << ")\ndirector: namespace " << lab.plan().director_netns << "\n";
  return {};
}

Status client(const Given& given) {
  take_interrupts();
  TRY_ASSIGN(const Lab lab, Lab::find(absolute(given.folder)));
  const std::string name = given.client;
  const ClientPlan* found = find_client(lab.plan(), name);
  if (found == nullptr || !found->spare) {
    return fail(Errc::not_found,
                "'" + name + "' is no spare peer: spare-1, spare-2, spare-3 or spare-4");
  }
  TRY_ASSIGN(const ClientKeys keys, lab.keys_of(*found));
  std::cout << "# " << name
            << ": a peer of the lab's gateways that nothing uses yet\n# namespace: " << found->netns
            << " (ip netns exec " << found->netns << " ...)\n# VIP: " << lab.plan().vip_v4.string()
            << " or " << lab.plan().vip_v6.string()
            << "\n# upstream: " << lab.plan().upstream_v4.string() << " or "
            << lab.plan().upstream_v6.string() << " (through the tunnel; namespace "
            << lab.plan().upstream_netns << ")\n"
            << client_configuration(*found, keys, lab.gateway_key(), true);
  return {};
}

Status demo(const Given& given) {
  TRY(check_root());
  take_interrupts();
  DemoOptions options;
  options.lab = lab_options(given);
  options.from = given.release;
  options.to = given.to;
  options.rounds = given.rounds;
  TRY_ASSIGN(const Report report, run_demo(options));
  std::cout << (given.json ? print_json(report) : "\n" + print_table(report) + "\n");
  const auto failures = verdicts(report);
  if (failures.empty()) {
    if (!given.json) std::cout << "Nothing was lost.\n";
    return {};
  }
  for (const std::string& failure : failures) log_line("failed: " + failure);
  return fail(Errc::io, std::to_string(failures.size()) + " checks failed");
}

Status down(const Given& given) {
  TRY(check_root());
  take_interrupts();
  return tear_down(absolute(given.folder));
}

// Of every command.
std::vector<Option> with_lab(Given& given, std::vector<Option> options) {
  const std::vector<Option> all = {
      {"folder", "DIR", &given.folder, "the lab's files"},
      {"name", "NAME", &given.name,
       "prefix of its namespaces and interfaces, at most 8 characters"},
      {"programs", "DIR", &given.programs,
       "where weir-keys and weir-deployer are; default: beside this program"},
      {"store", "DIR", &given.store, "where the releases are"},
      {"key", "FILE", &given.key, "who signed them"},
      {"release", "NAME", &given.release, "for the blue pool"},
      {"nodes", "N", &given.nodes, "of each pool"}};
  options.insert(options.begin(), all.begin(), all.end());
  return options;
}

std::function<Result<Exit>()> running(Status (*command)(const Given&),
                                      std::shared_ptr<Given> given) {
  return [command, given = std::move(given)]() -> Result<Exit> {
    TRY(command(*given));
    return Exit::done;
  };
}

Command up_command() {
  auto given = std::make_shared<Given>();
  return {.name = "up",
          .summary = "builds the lab and boots its blue pool from --release",
          .examples =
              "  weir-lab up --folder build/lab --store build/demo/store \\\n"
              "    --key build/demo/release.pub --release gateway-6.1\n",
          .options = with_lab(*given, {}),
          .run = running(up, given)};
}

Command client_command() {
  auto given = std::make_shared<Given>();
  return {.name = "client",
          .summary = "prints a wg-quick configuration for spare-1, spare-2, spare-3 or spare-4",
          .examples = "  weir-lab client spare-1 --folder build/lab\n",
          .takes = Positional{"NAME", &given->client},
          .options = with_lab(*given, {}),
          .run = running(client, given)};
}

Command down_command() {
  auto given = std::make_shared<Given>();
  return {.name = "down",
          .summary = "removes the lab, whatever state it is in",
          .examples = "  weir-lab down --folder build/lab\n",
          .options = with_lab(*given, {}),
          .run = running(down, given)};
}

Command demo_command() {
  auto given = std::make_shared<Given>();
  return {.name = "demo",
          .summary = "moves live clients from --release to --to, back, and there again",
          .examples = "  weir-lab demo --folder build/demo/lab --name weirdemo --to gateway-6.12\n",
          .options = with_lab(
              *given, {{"to", "NAME", &given->to, "for the green pool"},
                       {"rounds", "N", &given->rounds, "how often there, back and there again"},
                       {"json", "", &given->json, "prints the results as JSON"}}),
          .run = running(demo, given)};
}

}  // namespace

int main(int argc, char** argv) {
  return run_program({"weir-lab",
                      "the laboratory of the demo, for people; see ./run help",
                      {up_command(), client_command(), down_command(), demo_command()}},
                     argc, argv);
}
