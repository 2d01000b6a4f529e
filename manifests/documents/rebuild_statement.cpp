#include "manifests/documents/rebuild_statement.h"

#include "manifests/documents/canonical_document.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

Result<RebuildStatement> read_rebuild(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.line("type"));
  if (type != kRebuildType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kRebuildType) + "'");
  }
  TRY_ASSIGN(const std::string name, fields.line("release"));
  TRY_ASSIGN_IN(ReleaseName release, ReleaseName::parse(name), "release");
  TRY_ASSIGN(const Digest digest, fields.digest("release_digest"));
  TRY_ASSIGN(const Digest lock, fields.digest("lock_digest"));
  TRY_ASSIGN(std::string builder, fields.line("builder_version"));
  TRY(fields.finish());
  return RebuildStatement{std::move(release), digest, lock, std::move(builder)};
}

}  // namespace

Result<RebuildStatement> parse_rebuild_statement(std::string_view text) {
  return parse_canonical(text, "rebuild statement", read_rebuild);
}

std::string print(const RebuildStatement& statement) {
  const ordered_json document = {{"type", kRebuildType},
                                 {"release", statement.release.string()},
                                 {"release_digest", statement.release_digest.string()},
                                 {"lock_digest", statement.lock_digest.string()},
                                 {"builder_version", statement.builder_version}};
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
