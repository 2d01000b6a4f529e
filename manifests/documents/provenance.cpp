#include "manifests/documents/provenance.h"

#include <set>

#include "manifests/base/json_reader.h"
#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kWhat = "provenance";
constexpr std::size_t kMostArtifacts = 20000;

ordered_json to_json(const Artifact& artifact) {
  ordered_json out = {{"name", artifact.name}};
  if (!artifact.uri.empty()) out["uri"] = artifact.uri;
  out["digest"] = {{"sha256", artifact.digest.hex()}};
  if (!artifact.annotations.empty()) out["annotations"] = artifact.annotations;
  return out;
}

ordered_json list(const std::vector<Artifact>& artifacts) {
  ordered_json out = ordered_json::array();
  for (const Artifact& artifact : artifacts) out.push_back(to_json(artifact));
  return out;
}

Result<std::string> nonempty(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string text, fields.string(key));
  if (text.empty()) return fields.refuse(key, "must not be empty");
  return text;
}

Status expect(JsonFields& fields, std::string_view key, std::string_view value) {
  TRY_ASSIGN(const std::string text, fields.string(key));
  if (text == value) return {};
  return fields.refuse(key, quotation(text) + " is not '" + std::string(value) + "'");
}

// Of a signed index: its date and who signed it; of a package: its path in an archive, and what it
// was used for where it is not in the image; of a compiled module: of which source it is, and who
// signed it.
Result<std::map<std::string, std::string>> read_annotations(JsonFields& parent) {
  TRY_ASSIGN(JsonFields fields, parent.object("annotations"));
  std::map<std::string, std::string> out;
  for (const char* key : {"compiled", "date", "dkms_conf", "path", "signer", "source", "use"}) {
    if (!fields.has(key)) continue;
    TRY_ASSIGN(out[key], nonempty(fields, key));
  }
  TRY(fields.finish());
  if (out.empty()) return parent.refuse("annotations", "must not be empty");
  return out;
}

Result<Artifact> read_artifact(JsonFields& fields) {
  TRY_ASSIGN(std::string name, nonempty(fields, "name"));
  std::string uri;
  if (fields.has("uri")) {
    TRY_ASSIGN(uri, nonempty(fields, "uri"));
  }
  TRY_ASSIGN(JsonFields digests, fields.object("digest"));
  TRY_ASSIGN(const std::string hex, digests.string("sha256"));
  const auto digest = Digest::parse(hex);
  if (!digest || hex.size() != 64) return digests.refuse("sha256", "must be 64 hex digits");
  TRY(digests.finish());
  Artifact out{std::move(name), *digest, std::move(uri), {}};
  if (fields.has("annotations")) {
    TRY_ASSIGN(out.annotations, read_annotations(fields));
  }
  return out;
}

Result<std::vector<Artifact>> read_artifacts(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(auto out, objects<Artifact>(fields, key, read_artifact, kMostArtifacts));
  std::set<std::string_view> names;
  for (const Artifact& artifact : out) {
    if (!names.insert(artifact.name).second) {
      return fields.refuse(key, "'" + artifact.name + "' is there twice");
    }
  }
  return out;
}

Result<Provenance> read_provenance(JsonFields& fields) {
  TRY(expect(fields, "_type", kInTotoStatement));
  TRY_ASSIGN(auto subject, read_artifacts(fields, "subject"));
  if (subject.empty()) return fields.refuse("subject", "must not be empty");
  TRY(expect(fields, "predicateType", kSlsaProvenance));
  TRY_ASSIGN(JsonFields predicate, fields.object("predicate"));

  TRY_ASSIGN(JsonFields build, predicate.object("buildDefinition"));
  TRY(expect(build, "buildType", kBuildType));
  TRY_ASSIGN(JsonFields external, build.object("externalParameters"));
  TRY_ASSIGN(const std::string name, external.string("release"));
  TRY_ASSIGN_IN(ReleaseName release, ReleaseName::parse(name), external.path_of("release"));
  TRY_ASSIGN(const Digest lock, external.digest("lock"));
  TRY(external.finish());
  TRY_ASSIGN(JsonFields internal, build.object("internalParameters"));
  TRY_ASSIGN(std::string compressor, nonempty(internal, "compressor"));
  TRY(internal.finish());
  TRY_ASSIGN(auto dependencies, read_artifacts(build, "resolvedDependencies"));
  TRY(build.finish());

  TRY_ASSIGN(JsonFields run, predicate.object("runDetails"));
  TRY_ASSIGN(JsonFields builder, run.object("builder"));
  TRY(expect(builder, "id", kBuilderId));
  TRY_ASSIGN(JsonFields versions, builder.object("version"));
  TRY_ASSIGN(std::string version, nonempty(versions, "weir-builder"));
  TRY(versions.finish());
  TRY(builder.finish());
  TRY_ASSIGN(auto byproducts, read_artifacts(run, "byproducts"));
  TRY(run.finish());
  TRY(predicate.finish());
  TRY(fields.finish());
  return Provenance{std::move(subject),    std::move(release),      lock,
                    std::move(compressor), std::move(dependencies), std::move(version),
                    std::move(byproducts)};
}

}  // namespace

Result<Provenance> parse_provenance(std::string_view text) {
  TRY_ASSIGN_IN(const json document, parse_json(text), kWhat);
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), kWhat);
  TRY_ASSIGN_IN(Provenance out, read_provenance(fields), kWhat);
  return out;
}

std::vector<Artifact> subject_of(const Release& release, const Digest& release_digest) {
  const std::string name = release.name.string();
  std::vector<Artifact> out = {{name + "/release.json", release_digest},
                               {name + "/kernel", release.kernel.image.digest}};
  for (const auto& layer : release.layers) {
    out.push_back({name + "/layers/" + layer.name, layer.blob.digest});
  }
  return out;
}

std::string print(const Provenance& provenance) {
  const ordered_json build = {
      {"buildType", kBuildType},
      {"externalParameters",
       {{"release", provenance.release.string()}, {"lock", provenance.lock_digest.string()}}},
      {"internalParameters", {{"compressor", provenance.compressor}}},
      {"resolvedDependencies", list(provenance.dependencies)}};
  const ordered_json run = {
      {"builder",
       {{"id", kBuilderId}, {"version", {{"weir-builder", provenance.builder_version}}}}},
      {"byproducts", list(provenance.byproducts)}};
  const ordered_json out = {{"_type", kInTotoStatement},
                            {"subject", list(provenance.subject)},
                            {"predicateType", kSlsaProvenance},
                            {"predicate", {{"buildDefinition", build}, {"runDetails", run}}}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
