#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/names.h"
#include "manifests/base/result.h"

/// DSSE, the Dead Simple Signing Envelope 1.0.2 (secure-systems-lab/dsse: protocol.md,
/// envelope.md).
namespace weir::manifests {

struct DsseSignature {
  std::string key_id;     ///< a hint that nobody signed; may be empty
  std::string signature;  ///< raw bytes
  bool operator==(const DsseSignature&) const = default;
};

/// A payload and who signed it. Nothing of it is verified by parsing.
struct DsseEnvelope {
  std::string payload_type;  ///< "application/vnd.in-toto+json"
  std::string payload;       ///< raw bytes
  std::vector<DsseSignature> signatures;
  bool operator==(const DsseEnvelope&) const = default;
};

inline constexpr ByteCount kLargestEnvelope{8 << 20};
inline constexpr std::size_t kMostEnvelopeSignatures = 64;
inline constexpr std::size_t kMostEnvelopes = 64;

/// What is signed: "DSSEv1", the type and the payload, each with its length before it.
[[nodiscard]] std::string pre_authentication_encoding(std::string_view payload_type,
                                                      std::string_view payload);

/// Reads the JSON envelope. Base64 may be of either alphabet, and unknown fields are ignored, as
/// the specification demands. errors   invalid_input: malformed, no signatures, a key id or
/// signature that is there twice;
///          exhausted: larger than kLargestEnvelope, over 64 signatures
[[nodiscard]] Result<DsseEnvelope> parse_dsse_envelope(std::string_view json);
/// What of a file is an envelope each: all of it, where that is one JSON value or one line, else
/// its lines, as in a bundle of in-toto attestations. None of it is read yet.
///
/// returns  views into `text`; at least one
/// errors   exhausted: larger than kLargestEnvelope, over 64 lines
[[nodiscard]] Result<std::vector<std::string_view>> envelopes_in(std::string_view text);
/// One line, so that the text is a bundle of in-toto attestations too (`.intoto.jsonl`).
[[nodiscard]] std::string print(const DsseEnvelope& envelope);

}  // namespace weir::manifests
