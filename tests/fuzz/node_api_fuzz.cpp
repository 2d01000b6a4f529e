#include "manifests/messages/node_api.h"
#include "manifests/messages/service_report.h"
#include "tests/fuzz/property.h"

namespace {

/// What can be read is printed, read and printed alike.
template <class T>
void check(weir::Result<T> (*parse)(std::string_view), std::string_view text) {
  const auto message = parse(text);
  if (!message) return;
  const std::string printed = print(*message);
  const auto again = parse(printed);
  MUST_HOLD(again.has_value());
  MUST_HOLD(print(*again) == printed);
}

}  // namespace

// Every message of the node API, in both directions.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weir::manifests;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(parse_node_config, text);
  check(parse_node_identity, text);
  check(parse_clock_setting, text);
  check(parse_sealed_private_key, text);
  check(parse_peer_diff, text);
  check(parse_peer_dump, text);
  check(parse_prepare_request, text);
  check(parse_peer_selection, text);
  check(parse_api_error, text);
  check(parse_service_reports, text);
  check(parse_sealed_file, text);
  return 0;
}
