// weir-keys: signing keys in minisign's formats and WireGuard identities sealed at rest.
#include <unistd.h>

#include <array>
#include <boost/program_options.hpp>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "keys/commands/edge/command.h"
#include "keys/commands/edge/sign_commands.h"
#include "keys/commands/edge/trust_commands.h"
#include "keys/identity/wireguard_identity.h"
#include "keys/signing/edge/key_files.h"
#include "keys/signing/minisign.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/run_program.h"
#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

namespace po = boost::program_options;
using Json = nlohmann::ordered_json;

constexpr ByteCount kLargestSigned{1ULL << 30};
constexpr ByteCount kLargestKey{16384};

Status must_be_new(const std::string& path) {
  if (!exists(path)) return {};
  return fail(Errc::busy, path + ": is there already, and keys are never overwritten");
}

// generate

po::options_description generate_options() {
  po::options_description out("Options");
  out.add_options()("out", po::value<std::string>()->value_name("PREFIX")->required(),
                    "writes PREFIX.key (mode 0600) and PREFIX.pub")(
      "no-passphrase", "leaves the secret key in clear: for labs only")(
      "comment", po::value<std::string>()->value_name("TEXT"), "first line of the secret key file");
  return out;
}

Result<Answer> generate(const po::variables_map& given) {
  const std::string secret_path = text_of(given, "out") + ".key";
  const std::string public_path = text_of(given, "out") + ".pub";
  TRY(must_be_new(secret_path));
  TRY(must_be_new(public_path));
  const bool clear = given.count("no-passphrase") != 0;
  if (given.count("plan") != 0) {
    return Answer{"would write " + secret_path + (clear ? " (in clear)" : " (encrypted)") +
                      " and " + public_path,
                  {{"plan", {{"secret_key", secret_path}, {"public_key", public_path}}}}};
  }
  std::optional<SecretKeyProtection> protection;
  if (!clear) {
    TRY_ASSIGN(Secret passphrase,
               ask_passphrase("New passphrase for " + secret_path, Asking::fresh));
    protection = SecretKeyProtection{std::move(passphrase), {}};
    TRY_ASSIGN(const Secret salt, random_secret(protection->salt.size()));
    std::copy(salt.bytes().begin(), salt.bytes().end(), protection->salt.begin());
  }
  TRY_ASSIGN(const SigningKeyPair pair, make_signing_key());
  const std::string comment =
      optional_text(given, "comment")
          .value_or(clear ? "minisign secret key, not encrypted" : "minisign encrypted secret key");
  TRY_ASSIGN(const Secret text,
             print_secret_key(pair.secret_key, protection ? &*protection : nullptr, comment));
  TRY(write_new_file(secret_path, text.text(), 0600));
  if (const Status written = write_new_file(public_path, print(pair.public_key), 0644); !written) {
    ::unlink(secret_path.c_str());
    return tl::unexpected(written.error());
  }
  return Answer{"key " + print(pair.public_key.id) + "\nsecret key: " + secret_path +
                    (clear ? " (in clear: for labs only)" : " (encrypted)") +
                    "\npublic key: " + public_path,
                {{"key_id", print(pair.public_key.id)},
                 {"secret_key", secret_path},
                 {"public_key", public_path},
                 {"encrypted", !clear}}};
}

// generate-wireguard

po::options_description generate_wireguard_options() {
  po::options_description out("Options");
  out.add_options()("out", po::value<std::string>()->value_name("FILE")->required(),
                    "the sealed identity (mode 0600)")(
      "key-file", po::value<std::string>()->value_name("FILE"),
      "seals with this file instead of a passphrase; made if it is missing (32 random bytes, mode "
      "0600)");
  return out;
}

Result<Answer> generate_wireguard(const po::variables_map& given) {
  const std::string path = text_of(given, "out");
  const auto key_file = optional_text(given, "key-file");
  TRY(must_be_new(path));
  const bool new_key_file = key_file && !exists(*key_file);
  if (given.count("plan") != 0) {
    return Answer{"would write " + path + (new_key_file ? " and " + *key_file : ""),
                  {{"plan", {{"identity", path}, {"makes_key_file", new_key_file}}}}};
  }
  SealingKey key{SealingKey::Kind::passphrase, {}};
  if (!key_file) {
    TRY_ASSIGN(key.bytes, ask_passphrase("New passphrase for " + path, Asking::fresh));
  } else {
    key.kind = SealingKey::Kind::key_file;
    if (new_key_file) {
      TRY_ASSIGN(key.bytes, random_secret(32));
      TRY(write_new_file(*key_file, key.bytes.text(), 0600));
    } else {
      TRY_ASSIGN(key.bytes, read_key_file(*key_file));
    }
  }
  TRY_ASSIGN(const WireGuardIdentity identity, make_wireguard_identity());
  TRY_ASSIGN(const Secret salt, random_secret(16));
  TRY_ASSIGN(const Secret nonce, random_secret(24));
  TRY_ASSIGN(const std::string sealed, seal_identity(identity, key, salt.bytes(), nonce.bytes()));
  TRY(write_new_file(path, sealed, 0600));
  Answer out{"public key: " + identity.public_key.string() + "\nsealed identity: " + path,
             {{"public_key", identity.public_key.string()}, {"identity", path}}};
  if (key_file) {
    out.text += "\nkey file: " + *key_file + (new_key_file ? " (new)" : "");
    out.json["key_file"] = *key_file;
  }
  return out;
}

// public

po::options_description public_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->value_name("FILE")->required(),
                    "a signing key, public or secret; a sealed identity; a WireGuard private key");
  return out;
}

Result<Answer> show_public(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  const auto signing = [](const SigningPublicKey& key, const char* kind) {
    std::string line = print(key);
    line = line.substr(line.find('\n') + 1);
    line.pop_back();
    return Answer{line, {{"kind", kind}, {"key_id", print(key.id)}, {"public_key", line}}};
  };
  TRY_ASSIGN(const Secret content, read_guarded(path));
  if (const auto key = parse_public_key(content.text())) return signing(*key, "signing-public-key");
  if (content.text().starts_with("{")) {
    TRY_ASSIGN_IN(const PublicKey key, sealed_public_key(content.text()), path);
    return Answer{key.string(), {{"kind", "wireguard-identity"}, {"public_key", key.string()}}};
  }
  if (const auto key = parse_wireguard_key(content.text())) {
    TRY_ASSIGN_IN(const PublicKey public_key, public_key_of(*key), path);
    return Answer{public_key.string(),
                  {{"kind", "wireguard-private-key"}, {"public_key", public_key.string()}}};
  }
  if (needs_passphrase(content.text())) {
    TRY_ASSIGN(const SigningSecretKey key, read_secret_key(path));
    return signing(public_key_of(key), "signing-secret-key");
  }
  return fail(Errc::invalid_input,
              path + ": neither a minisign key, a sealed identity nor a WireGuard private key");
}

// verify

po::options_description verify_options() {
  po::options_description out("Options");
  out.add_options()("file", po::value<std::string>()->value_name("FILE")->required(),
                    "what was signed")(
      "key", po::value<std::string>()->value_name("FILE")->required(), "the public key")(
      "signature", po::value<std::string>()->value_name("FILE"),
      "the signature, where it is not FILE.minisig");
  return out;
}

Result<Answer> verify_file(const po::variables_map& given) {
  const std::string path = text_of(given, "file");
  const std::string from = optional_text(given, "signature").value_or(path + ".minisig");
  TRY_ASSIGN(const SigningPublicKey key, read_public_key(text_of(given, "key")));
  TRY_ASSIGN(const std::string signature, read_file(from, kLargestKey));
  TRY_ASSIGN(const std::string content, read_file(path, kLargestSigned));
  TRY_IN(verify(key, as_bytes(content), signature), path);
  TRY_ASSIGN(const std::string comment, trusted_comment_of(signature));
  return Answer{path + ": signed by key " + print(key.id) + "\ntrusted comment: " + comment,
                {{"key_id", print(key.id)}, {"trusted_comment", comment}}};
}

constexpr std::array kCommands = {
    Command{"generate", "--out PREFIX [--no-passphrase]", "makes a signing key pair (minisign's)",
            "  weir-keys generate --out release\n"
            "  WEIR_PASSPHRASE=... weir-keys generate --out release --comment 'gateway releases'\n"
            "  weir-keys generate --out lab --no-passphrase\n",
            generate_options, generate},
    Command{"generate-wireguard", "--out FILE [--key-file FILE]",
            "makes the gateways' WireGuard identity, sealed",
            "  weir-keys generate-wireguard --out gateway.identity\n"
            "  weir-keys generate-wireguard --out gateway.identity --key-file gateway.seal\n",
            generate_wireguard_options, generate_wireguard},
    Command{"public", "FILE", "prints the public key of a key file",
            "  weir-keys public release.key\n  weir-keys public gateway.identity\n", public_options,
            show_public},
    Command{"verify", "FILE --key KEY", "checks a file's signature",
            "  weir-keys verify release.json --key release.pub\n"
            "  minisign -V -p release.pub -m release.json      the same with the stock tool\n",
            verify_options, verify_file},
};

std::vector<Command> all_commands() {
  std::vector<Command> out(kCommands.begin(), kCommands.end());
  const auto signing = sign_commands(), trust = trust_commands();
  out.insert(std::prev(out.end()), signing.begin(), signing.end());
  out.insert(out.end(), trust.begin(), trust.end());
  return out;
}

po::options_description common_options() {
  po::options_description out("Always");
  out.add_options()("json", "prints the result as JSON")(
      "plan", "says what would be written and writes nothing")("help,h", "prints this");
  return out;
}

void print_list(std::ostream& out, const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    std::string head = std::string(command.name) + " " + command.arguments;
    head.resize(std::max<std::size_t>(head.size() + 1, 48), ' ');
    out << "  " << head << command.summary << "\n";
  }
}

void print_trust_usage(std::ostream& out) {
  out << "usage: weir-keys trust COMMAND ...\n\n"
         "A trust file says which keys may sign what, and how many of them it takes.\n\n";
  print_list(out, trust_commands());
  out << "\n'weir-keys trust COMMAND --help' has options. Format: docs/trust.md\n\nExamples:\n";
  for (const Command& command : trust_commands()) out << command.examples;
}

void print_usage(std::ostream& out) {
  out << "usage: weir-keys COMMAND ...\n\n";
  print_list(out, all_commands());
  out << "\nPassphrases come from WEIR_PASSPHRASE or are asked for at the terminal.\n"
         "'weir-keys COMMAND --help' has options and examples. Formats: docs/keys.md, "
         "docs/trust.md\n"
         "\nExamples:\n"
         "  weir-keys generate --out release\n"
         "  weir-keys sign release.json --key release.key\n"
         "  weir-keys generate-wireguard --out gateway.identity --key-file gateway.seal\n";
}

int run_command(const Command& command, const std::vector<std::string>& arguments) {
  const po::options_description own = command.options();
  po::options_description all;
  all.add(own).add(common_options());
  po::positional_options_description positional;
  if (own.find_nothrow("file", false) != nullptr) positional.add("file", 1);
  po::variables_map given;
  try {
    po::store(po::command_line_parser(arguments).options(all).positional(positional).run(), given);
    if (given.count("help") != 0) {
      std::cout << "usage: weir-keys " << command.name << " " << command.arguments << "\n\n"
                << command.summary << "\n\n"
                << all << "\nExamples:\n"
                << command.examples;
      return 0;
    }
    po::notify(given);
  } catch (const po::error& error) {
    std::cerr << "weir-keys " << command.name << ": " << printable(error.what())
              << "; see weir-keys " << command.name << " --help\n";
    return 2;
  }
  const auto answer = command.run(given);
  if (!answer) {
    std::cerr << "weir-keys: " << printable(answer.error().message) << "\n";
    if (given.count("json") != 0) {
      std::cout << Json{{"error",
                         {{"code", name_of(answer.error().code)},
                          {"message", answer.error().message}}}}
                       .dump(-1, ' ', true, Json::error_handler_t::replace)
                << "\n";
    }
    return 1;
  }
  if (answer->status == 2) {
    std::cerr << "weir-keys " << command.name << ": " << printable(answer->text)
              << "; see weir-keys " << command.name << " --help\n";
    return 2;
  }
  if (given.count("json") != 0) {
    std::cout << answer->json.dump(-1, ' ', true, Json::error_handler_t::replace) << "\n";
  } else {
    std::cout << printable_lines(answer->text) << "\n";
  }
  return std::cout.flush() ? answer->status : 1;
}

int dispatch(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) {
    print_usage(std::cerr);
    return 2;
  }
  if (arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    print_usage(std::cout);
    return 0;
  }
  if (arguments[0] == "--version") {
    std::cout << "weir-keys " << WEIR_VERSION << "\n";
    return 0;
  }
  const bool asks = arguments.size() > 1 &&
                    (arguments[1] == "--help" || arguments[1] == "-h" || arguments[1] == "help");
  if (arguments[0] == "trust" && (arguments.size() == 1 || asks)) {
    print_trust_usage(asks ? std::cout : std::cerr);
    return asks ? 0 : 2;
  }
  // "trust" and what follows it are one command's name.
  const std::size_t words = arguments[0] == "trust" && arguments.size() > 1 ? 2 : 1;
  const std::string name = arguments[0] + (words == 2 ? " " + arguments[1] : "");
  for (const auto& command : all_commands()) {
    if (name != command.name) continue;
    return run_command(command,
                       {arguments.begin() + static_cast<std::ptrdiff_t>(words), arguments.end()});
  }
  std::cerr << "weir-keys: there is no command '" << printable(name) << "'; see weir-keys --help\n";
  return 2;
}

}  // namespace
}  // namespace weir::keys

int main(int argc, char** argv) {
  return weir::run_program("weir-keys", [&] { return weir::keys::dispatch(argc, argv); });
}
