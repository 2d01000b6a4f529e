#include "manifests/documents/boot_check_statement.h"

#include <doctest/doctest.h>

#include "manifests/documents/trust.h"

namespace weir::manifests {
namespace {

const Digest kDigest = Digest::of(as_bytes("release")), kLock = Digest::of(as_bytes("lock"));

BootCheckStatement statement() {
  return {*ReleaseName::parse("gateway"),
          kDigest,
          UtcTime{1795305600},
          "0.1.0",
          "QEMU 7.2.22, software emulation",
          "wireguard-go 0.0.20220316",
          {kLock,
           "6.12.1-cloud",
           "aaaa",
           {{"wireguard", "1.0.0", "SRC", "bbbb"}},
           {{"wireguard-tools", "1.0.2", "amd64"}}},
          {1000, 2000, 1100, 2100, 2100, 1100},
          {{"machine-runs", 100}, {"first-handshake", 9000}, {"first-data", 9000}}};
}

std::string refusal(const BootCheckStatement& changed) {
  const auto parsed = parse_boot_check_statement(print(changed));
  return parsed ? "accepted" : parsed.error().message;
}

}  // namespace

TEST_CASE("a boot-check statement survives printing and parsing, and begins with its type") {
  const std::string text = print(statement());
  const auto parsed = parse_boot_check_statement(text);
  REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
  CHECK(*parsed == statement());
  CHECK(check_begins_with_type(text, kBootCheckType).has_value());
}

TEST_CASE("only the canonical text is a statement") {
  const std::string text = print(statement());
  for (const std::string& bad : {text + " ", text.substr(1), std::string(), std::string("{}"),
                                 text.substr(0, text.size() - 3) + ",\"more\":1}\n"}) {
    CHECK_FALSE(parse_boot_check_statement(bad).has_value());
  }
}

TEST_CASE("data that did not go both ways, through both devices, is not stated") {
  const struct {
    std::uint64_t BootTraffic::*field;
    std::uint64_t value;
    const char* named;
  } cases[] = {
      {&BootTraffic::sent, 0, "traffic.sent: "},
      {&BootTraffic::received, 0, "traffic.received: "},
      {&BootTraffic::peer_tx_bytes, 999, "traffic.peer_tx_bytes: must be at least 1000, not 999"},
      {&BootTraffic::peer_rx_bytes, 1999, "traffic.peer_rx_bytes: "},
      {&BootTraffic::node_tx_bytes, 1999, "traffic.node_tx_bytes: "},
      {&BootTraffic::node_rx_bytes, 0, "traffic.node_rx_bytes: "},
  };
  for (const auto& each : cases) {
    BootCheckStatement changed = statement();
    changed.traffic.*each.field = each.value;
    const std::string message = refusal(changed);
    CAPTURE(message);
    CHECK(message.find(each.named) != std::string::npos);
  }
}

TEST_CASE("a time line is in order, names no step twice, and has the handshake and the data") {
  BootCheckStatement changed = statement();
  changed.timeline[0].milliseconds = 9001;
  CHECK(refusal(changed).find("order of time") != std::string::npos);
  changed = statement();
  changed.timeline.push_back({"machine-runs", 9000});
  CHECK(refusal(changed).find("names 'machine-runs' twice") != std::string::npos);
  changed = statement();
  changed.timeline.erase(changed.timeline.begin() + 1);
  CHECK(refusal(changed).find("lacks 'first-handshake'") != std::string::npos);
  changed = statement();
  changed.timeline.pop_back();
  CHECK(refusal(changed).find("lacks 'first-data'") != std::string::npos);
}

}  // namespace weir::manifests
