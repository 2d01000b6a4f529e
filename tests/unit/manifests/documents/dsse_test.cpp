#include "manifests/documents/dsse.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace weir::manifests {
namespace {

using nlohmann::json;

// secure-systems-lab/dsse, protocol.md 1.0.2, "Test Vectors".
constexpr const char* kPublished =
    R"({"payload": "aGVsbG8gd29ybGQ=",
 "payloadType": "http://example.com/HelloWorld",
 "signatures": [{"sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="}]})";

std::string refusal(const json& envelope) {
  const auto parsed = parse_dsse_envelope(envelope.dump());
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("the pre-authentication encoding is the published one") {
  CHECK(pre_authentication_encoding("http://example.com/HelloWorld", "hello world") ==
        "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  CHECK(pre_authentication_encoding("", "") == "DSSEv1 0  0 ");
  // Lengths are those of bytes: U+00E9 has two.
  CHECK(pre_authentication_encoding("t", "\xc3\xa9") == "DSSEv1 1 t 2 \xc3\xa9");
}

TEST_CASE("the published envelope is read, and printed on one line") {
  const auto parsed = parse_dsse_envelope(kPublished);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(parsed->payload == "hello world");
  CHECK(parsed->payload_type == "http://example.com/HelloWorld");
  REQUIRE(parsed->signatures.size() == 1);
  CHECK(parsed->signatures[0].key_id == "");
  CHECK(parsed->signatures[0].signature.size() == 64);
  const std::string line = print(*parsed);
  CHECK(json::parse(line) == json::parse(kPublished));
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(parse_dsse_envelope(line).value() == *parsed);
}

TEST_CASE("both base64 alphabets are read, and unknown fields ignored, as the specification says") {
  json envelope = json::parse(kPublished);
  envelope["future"] = 1;
  envelope["signatures"][0]["extension"] = json::object();
  std::string& signature = envelope["signatures"][0]["sig"].get_ref<std::string&>();
  for (char& c : signature) c = c == '+' ? '-' : c == '/' ? '_' : c;
  REQUIRE(signature.find('-') != std::string::npos);
  CHECK(parse_dsse_envelope(envelope.dump()).value() == parse_dsse_envelope(kPublished).value());
  envelope["signatures"][0]["keyid"] = "";
  CHECK(parse_dsse_envelope(envelope.dump()).value() == parse_dsse_envelope(kPublished).value());
}

TEST_CASE("a malformed envelope is refused with the field's name") {
  const json good = json::parse(kPublished);
  REQUIRE(refusal(good).empty());
  const auto with = [&](const char* field, const json& value) {
    json out = good;
    out[field] = value;
    return refusal(out);
  };
  for (const char* field : {"payload", "payloadType", "signatures"}) {
    json without = good;
    without.erase(field);
    CHECK(refusal(without) == "DSSE envelope: " + std::string(field) + ": missing");
  }
  CHECK(with("payload", "aGVsbG8gd29ybGQ") == "DSSE envelope: payload: must be base64");
  CHECK(with("payload", "aGVs bG8gd29ybGQ=") == "DSSE envelope: payload: must be base64");
  CHECK(with("payloadType", 5) == "DSSE envelope: payloadType: must be a string");
  CHECK(with("signatures", json::array()) == "DSSE envelope: signatures: there are none");
  CHECK(with("signatures", {5}) == "DSSE envelope: signatures[0] is not an object");
  CHECK(with("signatures", {{{"keyid", "A"}}}) == "DSSE envelope: signatures[0].sig: missing");
  const json one = {{"keyid", "A"}, {"sig", "AAAA"}}, same_key = {{"keyid", "A"}, {"sig", "AAAB"}},
             same_signature = {{"keyid", "B"}, {"sig", "AAAA"}};
  CHECK(with("signatures", {one, same_key}) ==
        "DSSE envelope: signatures[1].keyid: key 'A' signs twice");
  CHECK(with("signatures", {one, same_signature}) ==
        "DSSE envelope: signatures[1].sig: the same signature is there twice");
  CHECK(parse_dsse_envelope(R"({"payload":"","payload":"","payloadType":"","signatures":[]})")
            .error()
            .message.find("'payload' appears twice") != std::string::npos);
  CHECK_FALSE(parse_dsse_envelope(std::string(kPublished) + "{}").has_value());
}

TEST_CASE("an over-long envelope, or one with too many signatures, is refused") {
  CHECK(parse_dsse_envelope(std::string(kLargestEnvelope.value + 1, ' ')).error().code ==
        Errc::exhausted);
  json many = json::parse(kPublished);
  many["signatures"] = json::array();
  for (int i = 0; i < 65; ++i) {
    const std::string raw(1, static_cast<char>(i));
    many["signatures"].push_back({{"sig", base64_of(as_bytes(raw))}});
  }
  CHECK(parse_dsse_envelope(many.dump()).error().code == Errc::exhausted);
  many["signatures"].erase(0);
  CHECK(parse_dsse_envelope(many.dump()).has_value());
}

}  // namespace weir::manifests
