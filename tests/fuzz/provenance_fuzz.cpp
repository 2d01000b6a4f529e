#include "manifests/documents/dsse.h"
#include "manifests/documents/provenance.h"
#include "tests/fuzz/property.h"

namespace {

using namespace weir;

bool is_refusal(const Error& error) {
  return error.code == Errc::invalid_input || error.code == Errc::exhausted;
}

void check_statement(std::string_view text) {
  const auto statement = manifests::parse_provenance(text);
  if (!statement) {
    MUST_HOLD(is_refusal(statement.error()));
    return;
  }
  const auto again = manifests::parse_provenance(manifests::print(*statement));
  MUST_HOLD(again && *again == *statement);
}

/// Envelopes lie in the text that they are taken of, and one alone is all of it.
void check_bundle(std::string_view text) {
  const auto envelopes = manifests::envelopes_in(text);
  if (!envelopes) {
    MUST_HOLD(envelopes.error().code == Errc::exhausted);
    return;
  }
  MUST_HOLD(!envelopes->empty());
  for (const std::string_view each : *envelopes) {
    MUST_HOLD(each.data() >= text.data());
    MUST_HOLD(each.data() + each.size() <= text.data() + text.size());
    if (envelopes->size() > 1) MUST_HOLD(each.find('\n') == std::string_view::npos);
  }
  if (manifests::parse_dsse_envelope(text)) {
    MUST_HOLD(envelopes->size() == 1 && envelopes->front() == text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_statement(text);
  check_bundle(text);
  const auto envelope = manifests::parse_dsse_envelope(text);
  if (!envelope) {
    MUST_HOLD(is_refusal(envelope.error()));
    return 0;
  }
  const auto again = manifests::parse_dsse_envelope(manifests::print(*envelope));
  MUST_HOLD(again && *again == *envelope);
  check_statement(envelope->payload);
  return 0;
}
