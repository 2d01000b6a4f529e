#include "builder/commands/edge/lock_output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "builder/commands/edge/json_output.h"
#include "builder/lock/lock_changes.h"
#include "manifests/base/edge/program_log.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const std::vector<LockChange>& list) {
  ordered_json out = ordered_json::array();
  for (const auto& change : list) {
    ordered_json item = {{"name", change.name}, {"from", nullptr}, {"to", nullptr}};
    if (change.from) item["from"] = *change.from;
    if (change.to) item["to"] = *change.to;
    out.push_back(std::move(item));
  }
  return out;
}

void print_changes(const std::vector<LockChange>& list) {
  for (const auto& change : list) {
    std::printf("    %-40s %s -> %s\n", change.name.c_str(), change.from.value_or("(new)").c_str(),
                change.to.value_or("(gone)").c_str());
  }
}

ordered_json to_json(const std::vector<NotTaken>& list) {
  ordered_json out = ordered_json::array();
  for (const auto& each : list) {
    out.push_back({{"package", each.package},
                   {"version", each.version},
                   {"suite", each.suite},
                   {"because", each.because}});
  }
  return out;
}

ordered_json to_json(const std::vector<PackageNeed>& list) {
  ordered_json out = ordered_json::array();
  for (const auto& need : list) {
    out.push_back({{"by", need.by},
                   {"relation", need.relation},
                   {"taken", need.taken},
                   {"instead_of", to_json(need.instead_of)}});
  }
  return out;
}

ordered_json to_json(const Explanation& why) {
  ordered_json out = {{"package", why.package}, {"in_image", why.in_image}};
  out["version"] = why.in_image ? ordered_json(why.version) : ordered_json();
  out["suite"] = why.in_image ? ordered_json(why.suite) : ordered_json();
  out["stands_in"] = why.stands_in;
  out["unknown"] = why.unknown;
  out["provided_by"] = to_json(why.provided_by);
  out["root"] = why.in_image ? ordered_json(why.root) : ordered_json();
  out["way"] = to_json(why.way);
  out["could_satisfy"] = to_json(why.could_satisfy);
  out["other_versions"] = to_json(why.other_versions);
  return out;
}

void print_notes(const LockOutcome& outcome) {
  for (const auto& note : outcome.notes) {
    log_line("note: " + note);
  }
}

void print_json(const LockOutcome& outcome, const std::string& path, bool written) {
  ordered_json out = {{"lock", path},
                      {"written", written},
                      {"lock_digest", Digest::of(as_bytes(outcome.text)).string()},
                      {"version", outcome.lock.version},
                      {"kernel", outcome.lock.kernel},
                      {"packages", outcome.lock.packages.size()}};
  if (outcome.lock.module_build) {
    out["compiling"] = {{"modules_of", outcome.lock.module_build->sources},
                        {"packages", outcome.lock.module_build->packages.size()}};
  }
  out["notes"] = outcome.notes;
  out["changes"] = nullptr;
  if (outcome.before) out["changes"] = to_json(changes(*outcome.before, outcome.lock));
  out["indices"] = nullptr;
  if (outcome.before) out["indices"] = to_json(index_changes(*outcome.before, outcome.lock));
  print_result(out);
}

}  // namespace

void print_lock(const LockOutcome& outcome, const std::string& path, bool written, bool json) {
  if (json) {
    print_json(outcome, path, written);
    return;
  }
  print_notes(outcome);
  std::uint64_t bytes = 0;
  for (const auto& package : outcome.lock.packages) bytes += package.size.value;
  std::printf("%s %s\n", written ? "wrote" : "would write", path.c_str());
  std::printf("  digest    %s\n", Digest::of(as_bytes(outcome.text)).string().c_str());
  std::printf("  version   %llu\n", static_cast<unsigned long long>(outcome.lock.version));
  for (const auto& package : outcome.lock.packages) {
    if (package.name == outcome.lock.kernel) {
      std::printf("  kernel    %s %s\n", package.name.c_str(), package.version.c_str());
    }
  }
  std::printf("  packages  %zu, %s\n", outcome.lock.packages.size(),
              print(ByteCount{bytes}).c_str());
  if (outcome.lock.module_build) {
    std::uint64_t more = 0;
    for (const auto& package : outcome.lock.module_build->packages) more += package.size.value;
    std::string sources;
    for (const auto& name : outcome.lock.module_build->sources) sources += name + " ";
    std::printf("  compiling %swith %zu packages, %s\n", sources.c_str(),
                outcome.lock.module_build->packages.size(), print(ByteCount{more}).c_str());
  }
  if (!outcome.before) return;
  const auto list = changes(*outcome.before, outcome.lock);
  std::printf("  changes   %s\n", list.empty() ? "none" : std::to_string(list.size()).c_str());
  print_changes(list);
  const auto indices = index_changes(*outcome.before, outcome.lock);
  if (indices.empty()) return;
  std::printf("  indices   %zu others\n", indices.size());
  print_changes(indices);
}

void print_explanations(const std::vector<Explanation>& explanations, bool json) {
  if (!json) {
    for (const auto& each : explanations) std::fputs(print(each).c_str(), stdout);
    return;
  }
  ordered_json out = {{"explanations", ordered_json::array()}};
  for (const auto& each : explanations) out["explanations"].push_back(to_json(each));
  print_result(out);
}

bool print_lock_check(const LockOutcome& outcome, const std::string& path, bool json) {
  if (!json) print_notes(outcome);
  const auto newer = changes(*outcome.before, outcome.lock);
  const bool manifest_changed = outcome.before->manifest_digest != outcome.lock.manifest_digest;
  const bool current = newer.empty() && outcome.vanished.empty() && !manifest_changed;
  if (json) {
    ordered_json out = {
        {"lock", path},           {"current", current},      {"manifest_changed", manifest_changed},
        {"notes", outcome.notes}, {"newer", to_json(newer)}, {"vanished", ordered_json::array()}};
    for (const auto& [package, cached] : outcome.vanished) {
      out["vanished"].push_back({{"name", package.name},
                                 {"version", package.version},
                                 {"suite", package.suite},
                                 {"cached", cached}});
    }
    print_result(out);
    return current;
  }
  std::printf("%s is %s\n", path.c_str(), current ? "current" : "not current");
  if (manifest_changed) std::puts("  the manifest changed since it was locked");
  if (!newer.empty()) std::printf("  newer     %zu\n", newer.size());
  print_changes(newer);
  if (!outcome.vanished.empty()) {
    std::printf("  vanished from the mirror  %zu\n", outcome.vanished.size());
  }
  for (const auto& [package, cached] : outcome.vanished) {
    std::printf("    %-40s %s, %s\n", package.name.c_str(), package.version.c_str(),
                cached ? "still in the cache" : "not in the cache: the lock cannot be built here");
  }
  return current;
}

}  // namespace weir::builder
