#include "builder/validate/document_validation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/validate/schemas.h"
#include "builder/validate/yaml_as_json.h"
#include "keys/identity/wireguard_identity.h"
#include "manifests/base/json_reader.h"
#include "manifests/documents/boot_check_statement.h"
#include "manifests/documents/dsse.h"
#include "manifests/documents/fleet.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/lock.h"
#include "manifests/documents/peers.h"
#include "manifests/documents/provenance.h"
#include "manifests/documents/rebuild_statement.h"
#include "manifests/documents/release.h"
#include "manifests/documents/reviewed_list.h"
#include "manifests/documents/trust.h"
#include "manifests/documents/trust_state.h"
#include "manifests/messages/node_api.h"
#include "manifests/messages/service_report.h"

namespace weir::builder {
namespace {

using nlohmann::json;

enum class Format : std::uint8_t { one_json, yaml, json_lines };

/// `parse` as a function that only refuses, with the file in front of what it says.
template <auto parse>
Status parses(std::string_view text, std::string_view file) {
  if constexpr (std::is_invocable_v<decltype(parse), std::string_view, std::string_view>) {
    TRY(parse(text, file));
  } else {
    TRY_IN(parse(text), file);
  }
  return {};
}

struct Kind {
  std::string_view name;
  Format format;
  Status (*parse)(std::string_view text, std::string_view file);
};

constexpr Kind kKinds[] = {
    {"image-manifest", Format::yaml, parses<manifests::parse_image_manifest>},
    {"reviewed-list", Format::yaml, parses<manifests::parse_reviewed_list>},
    {"fleet", Format::yaml, parses<manifests::parse_fleet>},
    {"peer", Format::json_lines, parses<manifests::parse_peers>},
    {"lock", Format::one_json, parses<manifests::parse_canonical_lock>},
    {"release", Format::one_json, parses<manifests::parse_release>},
    {"rebuild", Format::one_json, parses<manifests::parse_rebuild_statement>},
    {"boot-check", Format::one_json, parses<manifests::parse_boot_check_statement>},
    {"provenance", Format::one_json, parses<manifests::parse_provenance>},
    {"dsse-envelope", Format::one_json, parses<manifests::parse_dsse_envelope>},
    {"trust-file", Format::one_json, parses<manifests::parse_trust_file>},
    {"trust", Format::one_json, parses<manifests::parse_trust>},
    {"trust-state", Format::one_json, parses<manifests::parse_trust_state>},
    {"wireguard-identity", Format::one_json, parses<keys::sealed_with>},
    {"node-config", Format::one_json, parses<manifests::parse_node_config>},
    {"node-api#NodeIdentity", Format::one_json, parses<manifests::parse_node_identity>},
    {"node-api#ClockSetting", Format::one_json, parses<manifests::parse_clock_setting>},
    {"node-api#SealedPrivateKey", Format::one_json, parses<manifests::parse_sealed_private_key>},
    {"node-api#PeerDump", Format::one_json, parses<manifests::parse_peer_dump>},
    {"node-api#PeerDiff", Format::one_json, parses<manifests::parse_peer_diff>},
    {"node-api#PrepareRequest", Format::one_json, parses<manifests::parse_prepare_request>},
    {"node-api#PeerSelection", Format::one_json, parses<manifests::parse_peer_selection>},
    {"node-api#ServiceReports", Format::one_json, parses<manifests::parse_service_reports>},
    {"node-api#SealedFile", Format::one_json, parses<manifests::parse_sealed_file>},
    {"node-api#ApiError", Format::one_json, parses<manifests::parse_api_error>},
};

const Kind* kind_named(std::string_view name) {
  const auto* found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                   [&](const Kind& each) { return each.name == name; });
  return found == std::end(kKinds) ? nullptr : found;
}

tl::unexpected<Error> unknown(const std::string& what) {
  std::string known;
  for (const Kind& kind : kKinds) known += (known.empty() ? "" : ", ") + std::string(kind.name);
  return fail(Errc::invalid_input, what + "; the kinds are: " + known);
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

bool has_all(const json& document, std::initializer_list<const char*> fields) {
  return document.is_object() && std::all_of(fields.begin(), fields.end(), [&](const char* field) {
           return document.contains(field);
         });
}

// "weir.lock/3", of whatever version: "lock".
std::optional<std::string> named_by_type(std::string_view type) {
  if (!type.starts_with("weir.")) return std::nullopt;
  const std::string name(type.substr(5, type.find('/') - 5));
  if (kind_named(name) == nullptr) return std::nullopt;
  return name;
}

std::optional<std::string> kind_by_fields(const json& document) {
  if (has_all(document, {"type"}) && document.at("type").is_string()) {
    if (auto name = named_by_type(document.at("type").get<std::string>())) return name;
  }
  if (has_all(document, {"payload", "payloadType"})) return "dsse-envelope";
  if (has_all(document, {"_type", "predicate"})) return "provenance";
  if (has_all(document, {"tls_private_key", "client_pin"})) return "node-config";
  if (has_all(document, {"public_key", "allowed_ips"})) return "peer";
  return std::nullopt;
}

// Of a text that is no JSON: signed documents begin with their type, peers are a line each.
std::optional<std::string> kind_by_beginning(std::string_view text) {
  std::size_t looked_at = 0;
  for (const std::string_view line : lines_of(text)) {
    if (is_blank(line)) continue;
    // One line may be wrong, and then it is the parser that says so.
    if (++looked_at > 8) break;
    const auto object = manifests::parse_json(line);
    if (object && has_all(*object, {"public_key"})) return "peer";
  }
  for (const std::string_view word : {"{", "\"type\"", ":", "\""}) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with(word)) return std::nullopt;
    text.remove_prefix(word.size());
  }
  return named_by_type(text.substr(0, text.find('"')));
}

// Fields at the left edge, so that a document that is not quite YAML can be told too.
std::optional<std::string> kind_by_yaml_fields(std::string_view text) {
  bool fleet = false;
  bool manifest = false;
  bool accepts = false;
  for (const std::string_view line : lines_of(text)) {
    const std::string_view field = line.substr(0, std::min(line.find(':'), line.size()));
    const auto is = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), field) != names.end();
    };
    fleet = fleet || is({"director", "vip", "fabric", "pools"});
    manifest = manifest || is({"architecture", "kernel", "sources", "packages"});
    accepts = accepts || is({"accept_scripts", "accept_secrets"});
  }
  // Both have these, and nothing but these is in a list.
  if (accepts && !fleet && !manifest) return "reviewed-list";
  if (fleet == manifest) return std::nullopt;
  return fleet ? "fleet" : "image-manifest";
}

// By what the documents, docs and programs call them: a registry of nobody has no field, and a text
// with a byte order mark or a NUL in front is none of the formats, which the parser then says.
std::optional<std::string> kind_by_file_name(std::string_view file) {
  constexpr std::pair<std::string_view, const char*> kEndings[] = {
      {".jsonl", "peer"},
      {".lock.json", "lock"},
      {"fleet.yaml", "fleet"},
      {"release.json", "release"},
      {"trust.json", "trust-file"},
      {"trust.state", "trust-state"},
      {".dsse.json", "dsse-envelope"},
      {".identity", "wireguard-identity"}};
  for (const auto& [ending, kind] : kEndings) {
    if (file.ends_with(ending)) return kind;
  }
  return std::nullopt;
}

Result<SchemaJudge> judge_for(const Kind& kind) {
  const auto hash = kind.name.find('#');
  const auto schema = schema_text(kind.name.substr(0, hash));
  if (!schema) return fail(Errc::bug, "no schema for " + std::string(kind.name));
  return SchemaJudge::open(
      *schema, hash == std::string_view::npos ? std::string_view() : kind.name.substr(hash + 1));
}

/// Judges one text into a verdict, and what is inside it.
class Validation {
 public:
  explicit Validation(DocumentVerdict& out) : out_(out) {}

  // NOLINTNEXTLINE(misc-no-recursion): what is inside a document has nothing inside
  Status judge(const Kind& kind, std::string_view text, const std::string& place,
               const std::string& file) {
    TRY_ASSIGN(const SchemaJudge judge, judge_for(kind));
    switch (kind.format) {
      case Format::one_json:
        TRY(judge_json(kind, judge, text, place, file));
        break;
      case Format::yaml:
        if (const auto document = manifests::parse_yaml(text, file)) {
          TRY(take(judge.judge(yaml_as_json(*document)), place,
                   [&](const std::string& pointer) { return line_of(*document, pointer); }));
        }
        break;
      case Format::json_lines:
        TRY(judge_lines(judge, text));
        break;
    }
    const Status parsed = kind.parse(text, file);
    if (!parsed && out_.refusal.empty()) out_.refusal = parsed.error().message;
    return {};
  }

 private:
  // What nobody has vetted must not become an answer many times its size.
  static constexpr std::size_t kMostListed = 100;
  DocumentVerdict& out_;

  template <class LineOf>
  Status take(Result<std::vector<Violation>> violations, const std::string& place,
              const LineOf& line) {
    TRY(violations);
    for (Violation& each : *violations) {
      const int number = line(each.pointer);
      add({{place + each.pointer, std::move(each.what)}, number});
    }
    return {};
  }

  void add(DocumentVerdict::Finding found) {
    if (out_.violations.size() < kMostListed) {
      out_.violations.push_back(std::move(found));
    } else {
      ++out_.unlisted;
    }
  }

  // NOLINTNEXTLINE(misc-no-recursion)
  Status judge_json(const Kind& kind, const SchemaJudge& judge, std::string_view text,
                    const std::string& place, const std::string& file) {
    const auto document = manifests::parse_json(text);
    if (!document) return {};  // which the parser tells
    TRY(take(judge.judge(*document), place, [](const std::string&) { return 0; }));
    if (kind.name == "trust-file") {
      if (const auto trust = manifests::parse_trust_file(text)) {
        for (std::size_t i = 0; i < trust->versions.size(); ++i) {
          const std::string inner = "/versions/" + std::to_string(i) + "/document";
          TRY(this->judge(*kind_named("trust"), trust->versions[i].document, place + inner,
                          file + ": " + inner));
        }
      }
    } else if (kind.name == "dsse-envelope") {
      const auto envelope = manifests::parse_dsse_envelope(text);
      if (envelope && envelope->payload_type == manifests::kInTotoPayload) {
        TRY(this->judge(*kind_named("provenance"), envelope->payload, place + "/payload",
                        file + ": /payload"));
      }
    }
    return {};
  }

  Status judge_lines(const SchemaJudge& judge, std::string_view text) {
    int number = 0;
    for (const std::string_view line : lines_of(text)) {
      ++number;
      if (is_blank(line)) continue;
      auto document = manifests::parse_json(line);
      if (document) {
        TRY(take(judge.judge(std::move(*document)), "",
                 [&](const std::string&) { return number; }));
      } else {
        add({{"", document.error().message}, number});
      }
    }
    return {};
  }
};

}  // namespace

std::vector<std::string> document_kinds() {
  std::vector<std::string> out;
  for (const Kind& kind : kKinds) out.emplace_back(kind.name);
  return out;
}

Result<std::string> kind_of_document(std::string_view text, std::string_view file) {
  constexpr std::string_view kModeline = "# yaml-language-server:";
  constexpr std::string_view kSchema = "$schema=";
  constexpr std::string_view kEnding = ".schema.json";
  const std::string_view first = text.substr(0, text.find('\n'));
  if (first.starts_with(kModeline) && first.find(kSchema) != std::string_view::npos) {
    std::string_view name = first.substr(first.find(kSchema) + kSchema.size());
    name = name.substr(0, name.find_last_not_of(" \t\r") + 1);
    if (const auto slash = name.rfind('/'); slash != std::string_view::npos) {
      name.remove_prefix(slash + 1);
    }
    if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
    if (kind_named(name) != nullptr) return std::string(name);
    return unknown("its first line names '" + std::string(name) +
                   "', which is no kind of document");
  }
  const auto start = text.find_first_not_of(" \t\r\n");
  std::optional<std::string> kind;
  if (start != std::string_view::npos && text[start] == '{') {
    const auto document = manifests::parse_json(text);
    kind = document ? kind_by_fields(*document) : kind_by_beginning(text);
  } else {
    kind = kind_by_yaml_fields(text);
    if (!kind) kind = kind_by_beginning(text);
  }
  if (!kind) kind = kind_by_file_name(file);
  if (!kind) return unknown("cannot tell which document this is: say it with --as KIND");
  return *kind;
}

Result<DocumentVerdict> validate_document(std::string_view text, std::string_view kind,
                                          std::string_view file) {
  DocumentVerdict out;
  out.kind = std::string(kind);
  if (kind.empty()) {
    TRY_ASSIGN(out.kind, kind_of_document(text, file));
  }
  const Kind* found = kind_named(out.kind);
  if (found == nullptr) return unknown("'" + out.kind + "' is no kind of document");
  TRY(Validation(out).judge(*found, text, "", std::string(file)));
  std::stable_sort(out.violations.begin(), out.violations.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

}  // namespace weir::builder
