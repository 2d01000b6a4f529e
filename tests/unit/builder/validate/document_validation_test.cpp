#include "builder/validate/document_validation.h"

#include <doctest/doctest.h>

#include "tests/text.h"

namespace weir::builder {
namespace {

using test::has;
using namespace std::string_literals;

/// What a text says of itself is not there.
const std::vector<std::string> kSpoilt = {
    "\xef\xbb\xbf"s + R"({"name":"a","public_key":"x","allowed_ips":[]})" + "\n",  // UTF-8's mark
    "\0"s + R"({"name":"a","public_key":"x","allowed_ips":[]})" + "\n",
    "\xff\xfe{\0\"\0"s,  // UTF-16
    "%PDF-1.7\n",
};

}  // namespace

TEST_CASE(
    "a document whose text tells nothing is known by its file's name, and its parser says why") {
  for (const auto& [file, kind] : std::vector<std::pair<std::string, std::string>>{
           {"peers.jsonl", "peer"},
           {"/etc/weir/customers.jsonl", "peer"},
           {"gateway-6.12.lock.json", "lock"},
           {"site/fleet.yaml", "fleet"},
           {"release.json", "release"},
           {"trust.json", "trust-file"},
           {"state/trust.state", "trust-state"},
           {"gateway.identity", "wireguard-identity"}}) {
    for (const std::string& text : kSpoilt) {
      const std::string& name = file;
      CAPTURE(name);
      CAPTURE(text);
      const auto verdict = validate_document(text, "", file);
      REQUIRE(verdict.has_value());
      CHECK(verdict->kind == kind);
      CHECK_FALSE(verdict->valid());
      CHECK(verdict->refusal.starts_with(file));
    }
  }
}

TEST_CASE("a registry of nobody is one, and a mark before the first of its lines is named there") {
  CHECK(kind_of_document("", "peers.jsonl") == "peer");
  CHECK(validate_document("\n", "", "peers.jsonl")->valid());
  CHECK(has(validate_document(kSpoilt[0], "", "peers.jsonl")->refusal, "peers.jsonl:1: "));
}

TEST_CASE("what a text says of itself goes before the name of its file") {
  const std::string peer = R"({"name":"a","public_key":"x","allowed_ips":[]})";
  CHECK(kind_of_document(peer, "trust.json") == "peer");
  CHECK(kind_of_document("pools: []\n", "peers.jsonl") == "fleet");
  const auto none =
      kind_of_document("# yaml-language-server: $schema=nothing.schema.json\n", "fleet.yaml");
  REQUIRE_FALSE(none.has_value());
  CHECK(has(none.error().message, "'nothing'"));
}

TEST_CASE("where neither text nor name tells, the kinds are listed") {
  for (const std::string& text : kSpoilt) {
    for (const char* file : {"x", "x.yaml", "jsonl", "x.json", ""}) {
      const auto verdict = validate_document(text, "", file);
      REQUIRE_FALSE(verdict.has_value());
      CHECK(has(verdict.error().message, "--as KIND"));
    }
  }
}

}  // namespace weir::builder
