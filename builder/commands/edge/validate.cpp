#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/json_output.h"
#include "builder/validate/document_validation.h"
#include "builder/validate/edge/named_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/program_log.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

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
  if (verdict->valid()) {
    if (const Status fits = check_named_files(verdict->kind, text, file); !fits) {
      verdict->refusal = fits.error().message;
    }
  }
  return verdict;
}

void print_line(const std::string& line) {
  std::puts(printable(line).c_str());
}

void print(const std::string& file, const DocumentVerdict& verdict) {
  for (const auto& [violation, line] : verdict.violations) {
    print_line(file + ":" + (line > 0 ? std::to_string(line) + ":" : "") + " " +
               (violation.pointer.empty() ? "" : violation.pointer + ": ") + violation.what);
  }
  if (verdict.unlisted > 0) {
    print_line(file + ": and " + std::to_string(verdict.unlisted) + " more");
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
  if (verdict.unlisted > 0) out["unlisted"] = verdict.unlisted;
  if (!verdict.refusal.empty()) out["refusal"] = verdict.refusal;
  return out;
}

bool validate_all(const ValidateOptions& given) {
  ordered_json out = ordered_json::array();
  bool all = true;
  for (const std::string& file : given.files) {
    const auto verdict = validate(file, given.kind);
    all = all && verdict && verdict->valid();
    if (!verdict) {
      log_line(verdict.error().message);
      out.push_back({{"file", file}, {"valid", false}, {"error", verdict.error().message}});
    } else if (given.json) {
      out.push_back(to_json(file, *verdict));
    } else {
      print(file, *verdict);
    }
  }
  if (given.json) {
    print_result(out);
  }
  return all;
}

Status check(const ValidateOptions& given) {
  const auto kinds = document_kinds();
  if (given.kind.empty() || std::find(kinds.begin(), kinds.end(), given.kind) != kinds.end()) {
    return {};
  }
  std::string known;
  for (const std::string& kind : kinds) known += (known.empty() ? "" : ", ") + kind;
  return fail(Errc::invalid_input, "--as: '" + given.kind + "' is none of " + known);
}

}  // namespace

Command validate_command() {
  auto given = std::make_shared<ValidateOptions>();
  return {
      .name = "validate",
      .summary = "judges documents by their schemas and parsers",
      .about =
          "Judges documents by their JSON Schemas, which names all that is wrong, and by the\n"
          "parsers that Weir's programs read them with, which know what a schema cannot say. A\n"
          "document is told by its type, its fields, a first line that names a schema, or else "
          "its\n"
          "file's name.\n"
          "Nothing is verified: that a document is valid says nothing of who wrote it. Exit "
          "codes:\n"
          "0 all are valid, 1 some are not, 2 wrong usage.",
      .examples =
          "  weir-builder validate gateway-6.12.yaml gateway-6.12.lock.json\n"
          "  weir-builder validate fleet.yaml peers.jsonl trust.json\n"
          "  weir-builder validate --as node-api#PeerDump dump.json --json\n",
      .takes = Positional{"FILE...", &given->files, 1, kAnyNumber},
      .options = {{"as", "KIND", &given->kind,
                   "which document the files are; a wrong KIND lists them all"},
                  {"json", "", &given->json, "prints the result as JSON"}},
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        return validate_all(*given) ? Exit::done : Exit::failed;
      }};
}

}  // namespace weir::builder
