#include "manifests/documents/provenance.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace weir::manifests {
namespace {

using nlohmann::json;

Digest digest(const char* of) {
  return Digest::of(as_bytes(of));
}

Provenance example_provenance() {
  return {
      {{"demo/release.json", digest("release")}, {"demo/kernel", digest("kernel")}},
      *ReleaseName::parse("demo"),
      digest("lock"),
      "newc+zstd-1.5.4-3",
      {{"lock.json", digest("lock")},
       {"InRelease of demo", digest("index"), {}, {{"date", "a day"}, {"signer", "AB"}}},
       {"tool_1_all.deb", digest("deb"), "pkg:deb/debian/tool@1?arch=all", {{"path", "pool/t"}}}},
      "0.1.0",
      {{"sbom.spdx.json", digest("spdx")}}};
}

std::string provenance_refusal(const json& document) {
  const auto parsed = parse_provenance(document.dump());
  return parsed ? "" : parsed.error().message;
}

}  // namespace

// in-toto/attestation spec/v1/statement.md; SLSA 1.0 provenance: field names and constants.
TEST_CASE("a provenance has the fields that in-toto and SLSA name") {
  const json out = json::parse(print(example_provenance()));
  CHECK(out.at("_type") == "https://in-toto.io/Statement/v1");
  CHECK(out.at("predicateType") == "https://slsa.dev/provenance/v1");
  CHECK(out.at("subject")[0] ==
        json{{"name", "demo/release.json"}, {"digest", {{"sha256", digest("release").hex()}}}});
  const json& build = out.at("predicate").at("buildDefinition");
  CHECK(build.at("buildType") == "urn:weir:build:1");
  CHECK(build.at("externalParameters") ==
        json{{"release", "demo"}, {"lock", digest("lock").string()}});
  CHECK(build.at("resolvedDependencies")[2] == json{{"name", "tool_1_all.deb"},
                                                    {"uri", "pkg:deb/debian/tool@1?arch=all"},
                                                    {"digest", {{"sha256", digest("deb").hex()}}},
                                                    {"annotations", {{"path", "pool/t"}}}});
  const json& run = out.at("predicate").at("runDetails");
  CHECK(run.at("builder").at("id") == "urn:weir:builder");
  CHECK(run.at("builder").at("version") == json{{"weir-builder", "0.1.0"}});
  CHECK(run.at("byproducts")[0].at("name") == "sbom.spdx.json");
}

TEST_CASE("what is printed is read back") {
  const auto parsed = parse_provenance(print(example_provenance()));
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(*parsed == example_provenance());
  CHECK(print(*parsed) == print(example_provenance()));
}

TEST_CASE("another type, a missing, unknown or malformed field is refused by name") {
  const json good = json::parse(print(example_provenance()));
  REQUIRE(provenance_refusal(good).empty());
  const auto with = [&](const char* pointer, const json& value) {
    json out = good;
    out[json::json_pointer(pointer)] = value;
    return provenance_refusal(out);
  };
  const std::string build = "/predicate/buildDefinition", run = "/predicate/runDetails";
  const std::string where = "provenance: predicate.buildDefinition.";
  CHECK(with("/_type", "https://in-toto.io/Statement/v0.1").starts_with("provenance: _type: "));
  CHECK(with("/predicateType", "x").starts_with("provenance: predicateType: "));
  CHECK(with("/subject", json::array()) == "provenance: subject: must not be empty");
  CHECK(with("/subject/1/name", "demo/release.json") ==
        "provenance: subject: 'demo/release.json' is there twice");
  CHECK(with("/subject/0/digest/sha256", digest("x").string()) ==
        "provenance: subject[0].digest.sha256: must be 64 hex digits");
  CHECK(with("/subject/0/digest/md5", "x") == "provenance: subject[0].digest.md5: unknown field");
  CHECK(with("/subject/0/content", "x") == "provenance: subject[0].content: unknown field");
  CHECK(with("/extra", 1) == "provenance: extra: unknown field");
  CHECK(with((build + "/buildType").c_str(), "urn:weir:build:2").starts_with(where + "buildType"));
  CHECK(with((build + "/externalParameters/more").c_str(), 1) ==
        where + "externalParameters.more: unknown field");
  CHECK(with((build + "/externalParameters/release").c_str(), "-")
            .starts_with(where + "externalParameters.release"));
  CHECK(with((build + "/resolvedDependencies/1/annotations/host").c_str(), "x")
            .ends_with("annotations.host: unknown field"));
  CHECK(with((run + "/builder/id").c_str(), "urn:weir:other")
            .starts_with("provenance: predicate.runDetails.builder.id"));
  CHECK(with((run + "/metadata").c_str(), json::object())
            .ends_with("runDetails.metadata: unknown field"));
}

}  // namespace weir::manifests
