#include "manifests/documents/dsse.h"

#include <algorithm>
#include <optional>
#include <set>

#include "manifests/base/json_reader.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kWhat = "DSSE envelope";

Result<std::string> read_base64(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string text, fields.string(key));
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  auto raw = parse_base64(text);
  if (!raw) return fields.refuse(key, "must be base64");
  return std::move(*raw);
}

Result<DsseSignature> read_signature(const json& entry, const std::string& where) {
  TRY_ASSIGN(JsonFields item, JsonFields::open(entry, where));
  DsseSignature one;
  if (item.has("keyid")) {
    TRY_ASSIGN(one.key_id, item.string("keyid"));
  }
  TRY_ASSIGN(one.signature, read_base64(item, "sig"));
  return one;
}

// An entry that cannot be read counts for nothing, and does those beside it no harm; with none that
// can, the first one's fault is told.
Result<std::vector<DsseSignature>> read_signatures(JsonFields& fields) {
  TRY_ASSIGN(const json* items, fields.array("signatures"));
  if (items->empty()) return fields.refuse("signatures", "there are none");
  if (items->size() > kMostEnvelopeSignatures) {
    return fail(Errc::exhausted,
                "signatures: over " + std::to_string(kMostEnvelopeSignatures) + " of them");
  }
  std::vector<DsseSignature> out;
  std::set<std::string> ids, signatures;
  std::optional<Error> fault;
  for (std::size_t i = 0; i < items->size(); ++i) {
    const std::string where = element_path("signatures", i);
    auto one = read_signature((*items)[i], where);
    if (!one) {
      if (!fault) fault = std::move(one).error();
      continue;
    }
    if (!one->key_id.empty() && !ids.insert(one->key_id).second) {
      return fail(Errc::invalid_input, where + ".keyid: key '" + one->key_id + "' signs twice");
    }
    if (!signatures.insert(one->signature).second) {
      return fail(Errc::invalid_input, where + ".sig: the same signature is there twice");
    }
    out.push_back(std::move(*one));
  }
  if (out.empty() && fault) return tl::unexpected(std::move(*fault));
  return out;
}

}  // namespace

std::string pre_authentication_encoding(std::string_view payload_type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(payload_type.size()) + " ";
  out.append(payload_type).append(" ");
  return out.append(std::to_string(payload.size())).append(" ").append(payload);
}

Result<DsseEnvelope> parse_dsse_envelope(std::string_view text) {
  if (text.size() > kLargestEnvelope.value) {
    return fail(Errc::exhausted, "DSSE envelope: larger than " + print(kLargestEnvelope));
  }
  TRY_ASSIGN_IN(const json document, parse_json(text), kWhat);
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), kWhat);
  DsseEnvelope out;
  TRY_ASSIGN_IN(out.payload_type, fields.string("payloadType"), kWhat);
  TRY_ASSIGN_IN(out.payload, read_base64(fields, "payload"), kWhat);
  TRY_ASSIGN_IN(out.signatures, read_signatures(fields), kWhat);
  return out;
}

Result<std::vector<std::string_view>> envelopes_in(std::string_view text) {
  if (text.size() > kLargestEnvelope.value) {
    return fail(Errc::exhausted, "DSSE envelopes: larger than " + print(kLargestEnvelope));
  }
  std::vector<std::string_view> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) lines.push_back(line);
  }
  if (lines.size() < 2 || parse_json(text)) return std::vector{text};
  if (lines.size() > kMostEnvelopes) {
    return fail(Errc::exhausted,
                "DSSE envelopes: over " + std::to_string(kMostEnvelopes) + " lines");
  }
  return lines;
}

std::string print(const DsseEnvelope& envelope) {
  ordered_json signatures = ordered_json::array();
  for (const DsseSignature& one : envelope.signatures) {
    ordered_json item;
    if (!one.key_id.empty()) item["keyid"] = one.key_id;
    item["sig"] = base64_of(as_bytes(one.signature));
    signatures.push_back(std::move(item));
  }
  const ordered_json out = {{"payload", base64_of(as_bytes(envelope.payload))},
                            {"payloadType", envelope.payload_type},
                            {"signatures", std::move(signatures)}};
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
