// weir-lab: the laboratory of the demo, for people. See ./run help.
#include <unistd.h>

#include <boost/program_options.hpp>
#include <filesystem>
#include <iostream>

#include "tests/lab/demo.h"

namespace {

using namespace weir;
using namespace weir::lab;
namespace po = boost::program_options;

constexpr const char* kUsage =
    "usage: weir-lab COMMAND [OPTIONS]\n\n"
    "  up           builds the lab and boots its blue pool from --release\n"
    "  client NAME  prints a wg-quick configuration for spare-1, spare-2, spare-3 or spare-4\n"
    "  down         removes the lab, whatever state it is in\n"
    "  demo         moves live clients from --release to --to, back, and there again\n\n"
    "Examples:\n"
    "  weir-lab up --folder build/lab --store build/demo/store --key build/demo/release.pub \\\n"
    "    --release gateway-6.1\n"
    "  weir-lab client spare-1 --folder build/lab\n"
    "  weir-lab down --folder build/lab\n\n";

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

Lab::Options lab_options(const po::variables_map& given) {
  Lab::Options out;
  out.folder = absolute(given["folder"].as<std::string>());
  out.name = given["name"].as<std::string>();
  out.programs = given.count("programs") != 0
                     ? absolute(given["programs"].as<std::string>())
                     : std::filesystem::canonical("/proc/self/exe").parent_path().string();
  out.store = absolute(given["store"].as<std::string>());
  out.trusted_key = absolute(given["key"].as<std::string>());
  out.fleet.nodes = given["nodes"].as<unsigned>();
  return out;
}

Status up(const po::variables_map& given) {
  const Lab::Options options = lab_options(given);
  say("building the lab: director, upstream host and clients in network namespaces");
  TRY_ASSIGN(Lab lab, Lab::build(options));
  say("booting the blue pool");
  auto booted = must_run(lab.deployer({"up", "--release", given["release"].as<std::string>()}),
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

Status client(const po::variables_map& given) {
  TRY_ASSIGN(const Lab lab, Lab::find(absolute(given["folder"].as<std::string>())));
  const std::string name = given["argument"].as<std::string>();
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

Status demo(const po::variables_map& given) {
  DemoOptions options;
  options.lab = lab_options(given);
  options.from = given["release"].as<std::string>();
  options.to = given["to"].as<std::string>();
  options.rounds = given["rounds"].as<unsigned>();
  TRY_ASSIGN(const Report report, run_demo(options));
  std::cout << (given.count("json") != 0 ? print_json(report) : "\n" + print_table(report) + "\n");
  const auto failures = verdicts(report);
  if (failures.empty()) {
    if (given.count("json") == 0) std::cout << "Nothing was lost.\n";
    return {};
  }
  for (const std::string& failure : failures) std::cerr << "failed: " << failure << "\n";
  return fail(Errc::io, std::to_string(failures.size()) + " checks failed");
}

po::options_description all_options() {
  po::options_description out("Options");
  const auto text = [](const char* value) {
    return po::value<std::string>()->value_name("TEXT")->default_value(value);
  };
  out.add_options()("folder", text("build/lab"), "the lab's files")(
      "name", text("weirlab"), "prefix of its namespaces and interfaces, at most 8 characters")(
      "programs", po::value<std::string>()->value_name("DIR"),
      "where weir-keys and weir-deployer are; default: beside this program")(
      "store", text("build/demo/store"), "where the releases are")(
      "key", text("build/demo/release.pub"), "who signed them")(
      "release", text("gateway-6.1"), "for the blue pool")("to", text("gateway-6.12"),
                                                           "demo: for the green pool")(
      "nodes", po::value<unsigned>()->value_name("N")->default_value(1), "of each pool")(
      "rounds", po::value<unsigned>()->value_name("N")->default_value(1),
      "demo: how often there, back and there again")("json", "demo: prints the results as JSON")(
      "help,h", "prints this");
  return out;
}

Result<po::variables_map> parse(int argc, char** argv) {
  po::options_description hidden;
  hidden.add_options()("command", po::value<std::string>()->default_value("help"))(
      "argument", po::value<std::string>()->default_value(""));
  po::options_description all = all_options();
  all.add(hidden);
  po::positional_options_description positional;
  positional.add("command", 1).add("argument", 1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(argc, argv).options(all).positional(positional).run(), given);
    po::notify(given);
  } catch (const po::error& error) {
    return fail(Errc::invalid_input, error.what());
  }
  return given;
}

}  // namespace

int main(int argc, char** argv) {
  const auto given = parse(argc, argv);
  if (!given) {
    std::cerr << "weir-lab: " << given.error().message << "\n";
    return 2;
  }
  const std::string command = (*given)["command"].as<std::string>();
  if (given->count("help") != 0 || command == "help") {
    std::cout << kUsage << all_options();
    return 0;
  }
  if (command != "client" && ::geteuid() != 0) {
    std::cerr << "weir-lab: needs root (network namespaces and taps)\n";
    return 1;
  }
  take_interrupts();
  Status done;
  if (command == "up") {
    done = up(*given);
  } else if (command == "client") {
    done = client(*given);
  } else if (command == "down") {
    done = tear_down(absolute((*given)["folder"].as<std::string>()));
  } else if (command == "demo") {
    done = demo(*given);
  } else {
    std::cerr << "weir-lab: no command '" << command << "'; weir-lab --help lists them\n";
    return 2;
  }
  if (done) return 0;
  std::cerr << "weir-lab: " << done.error().message << "\n";
  return 1;
}
