#include "manifests/documents/fleet_policy.h"

#include <charconv>

#include "manifests/base/paths.h"
#include "manifests/base/printable.h"
#include "manifests/base/yaml_document.h"

namespace weir::manifests {
namespace {

/// "2%" or "0.5%".
Result<Permille> share(const YamlField& field) {
  TRY_ASSIGN(const std::string text, field.word());
  unsigned whole = 0;
  unsigned tenth = 0;
  const char* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, whole);
  bool good = error == std::errc{};
  if (good && end - rest == 3 && *rest == '.' && rest[1] >= '0' && rest[1] <= '9') {
    tenth = static_cast<unsigned>(rest[1] - '0');
    rest += 2;
  }
  good = good && end - rest == 1 && *rest == '%' && whole <= 100 && whole * 10 + tenth <= 1000;
  if (!good) {
    return field.wrong("must be a share such as 2% or 0.5%, not " + quotation(text, 40));
  }
  return Permille{static_cast<std::uint16_t>(whole * 10 + tenth)};
}

Result<std::chrono::milliseconds> timeout(const YamlField& field) {
  TRY_ASSIGN(const std::chrono::milliseconds value, field.duration());
  if (value.count() <= 0) return field.wrong("must be more than nothing");
  return value;
}

}  // namespace

Result<RolloutPolicy> read_rollout_policy(const YamlField& field) {
  TRY(field.only({"max_failed", "max_removed", "batch", "prepare_timeout", "commit_timeout",
                  "boot_timeout", "max_clock_skew"}));
  RolloutPolicy out;
  if (const auto failed = field.find("max_failed")) {
    TRY_ASSIGN(out.max_failed, share(*failed));
  }
  if (const auto removed = field.find("max_removed")) {
    TRY_ASSIGN(out.max_removed, share(*removed));
  }
  if (const auto batch = field.find("batch")) {
    // More than 400 unconfirmed kicks, and a node starts to answer with cookies (design, section
    // 6).
    TRY_ASSIGN(const std::uint64_t number, batch->number(1, 400));
    out.batch = static_cast<std::uint32_t>(number);
  }
  if (const auto value = field.find("prepare_timeout")) {
    TRY_ASSIGN(out.prepare_timeout, timeout(*value));
    if (out.prepare_timeout > std::chrono::seconds(120)) {
      return value->wrong("at most 120s: a prepared session is usable no longer");
    }
  }
  if (const auto value = field.find("commit_timeout")) {
    TRY_ASSIGN(out.commit_timeout, timeout(*value));
  }
  if (const auto value = field.find("boot_timeout")) {
    TRY_ASSIGN(out.boot_timeout, timeout(*value));
  }
  if (const auto value = field.find("max_clock_skew")) {
    TRY_ASSIGN(out.max_clock_skew, timeout(*value));
  }
  return out;
}

Result<StatementPolicy> read_statement_policy(const YamlField& field) {
  TRY(field.only({"keys", "threshold"}));
  StatementPolicy out;
  TRY_ASSIGN(const YamlField keys, field.at("keys"));
  TRY_ASSIGN(const auto items, keys.items());
  if (items.empty()) return keys.wrong("needs at least one public key file");
  for (const YamlField& item : items) {
    TRY_ASSIGN(std::string path, item.as(parse_path));
    out.keys.push_back(std::move(path));
  }
  if (const auto threshold = field.find("threshold")) {
    TRY_ASSIGN(const std::uint64_t number, threshold->number(1, out.keys.size()));
    out.threshold = static_cast<std::uint32_t>(number);
  }
  return out;
}

}  // namespace weir::manifests
