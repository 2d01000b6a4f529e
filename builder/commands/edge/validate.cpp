#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/command_line.h"
#include "builder/validate/document_validation.h"
#include "manifests/base/edge/file.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;
using nlohmann::ordered_json;

constexpr ByteCount kLargest{64ULL << 20};

struct ValidateOptions {
  std::vector<std::string> files;
  std::string kind;
  bool json = false;
};

Result<DocumentVerdict> validate(const std::string& file, const std::string& kind) {
  TRY_ASSIGN(const std::string text, read_file(file, kLargest));
  auto verdict = validate_document(text, kind, file);
  if (!verdict) return tl::unexpected(std::move(verdict).error().in(file));
  return verdict;
}

// A document that somebody else wrote must not reach the terminal's controls.
void print_line(std::string line) {
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  std::puts(line.c_str());
}

void print(const std::string& file, const DocumentVerdict& verdict) {
  for (const auto& [violation, line] : verdict.violations) {
    print_line(file + ":" + (line > 0 ? std::to_string(line) + ":" : "") + " " +
               (violation.pointer.empty() ? "" : violation.pointer + ": ") + violation.what);
  }
  if (!verdict.refusal.empty()) print_line(verdict.refusal);
  if (verdict.valid()) print_line(file + ": valid " + verdict.kind);
}

ordered_json to_json(const std::string& file, const DocumentVerdict& verdict) {
  ordered_json violations = ordered_json::array();
  for (const auto& [violation, line] : verdict.violations) {
    ordered_json item = {{"pointer", violation.pointer}, {"what", violation.what}};
    if (line > 0) item["line"] = line;
    violations.push_back(std::move(item));
  }
  ordered_json out = {{"file", file},
                      {"kind", verdict.kind},
                      {"valid", verdict.valid()},
                      {"violations", std::move(violations)},
                      {"refusal", nullptr}};
  if (!verdict.refusal.empty()) out["refusal"] = verdict.refusal;
  return out;
}

bool validate_all(const CommandLine& line, const ValidateOptions& given) {
  ordered_json out = ordered_json::array();
  bool all = true;
  for (const std::string& file : given.files) {
    const auto verdict = validate(file, given.kind);
    all = all && verdict && verdict->valid();
    if (!verdict) {
      report(line, verdict.error());
      out.push_back({{"file", file}, {"valid", false}, {"error", verdict.error().message}});
    } else if (given.json) {
      out.push_back(to_json(file, *verdict));
    } else {
      print(file, *verdict);
    }
  }
  if (given.json) {
    std::puts(out.dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  }
  return all;
}

}  // namespace

int run_validate(const Arguments& args) {
  ValidateOptions given;
  CommandLine line{
      .name = "validate",
      .positional = "FILE...",
      .about =
          "Judges documents by their JSON Schemas, which names all that is wrong, and by the\n"
          "parsers that Weir's programs read them with, which know what a schema cannot say. A\n"
          "document is told by its type, by its fields, or by a first line that names a schema.\n"
          "Nothing is verified: that a document is valid says nothing of who wrote it. Exit "
          "codes:\n"
          "0 all are valid, 1 some are not, 2 wrong usage.",
      .examples =
          "  weir-builder validate gateway-6.12.yaml gateway-6.12.lock.json\n"
          "  weir-builder validate fleet.yaml peers.jsonl trust.json\n"
          "  weir-builder validate --as node-api#PeerDump dump.json --json\n"};
  line.options.add_options()("as", options::value(&given.kind)->value_name("KIND"),
                             "which document the files are; a wrong KIND lists them all")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.files, kOneOrMore)) return *code;
  const auto kinds = document_kinds();
  if (!given.kind.empty() && std::find(kinds.begin(), kinds.end(), given.kind) == kinds.end()) {
    std::string known;
    for (const std::string& kind : kinds) known += (known.empty() ? "" : ", ") + kind;
    std::fprintf(stderr, "weir-builder validate: --as: '%s' is none of %s\n", given.kind.c_str(),
                 known.c_str());
    return 2;
  }
  return validate_all(line, given) ? 0 : 1;
}

}  // namespace weir::builder
