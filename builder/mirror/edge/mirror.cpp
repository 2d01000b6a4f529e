#include "builder/mirror/edge/mirror.h"

#include "manifests/base/edge/process.h"

namespace weir::builder {
namespace {

bool is_url(std::string_view text) {
  return (text.starts_with("http://") || text.starts_with("https://")) && text.size() > 8 &&
         text.find_first_of(" \t\r\n") == std::string_view::npos;
}

std::string without_slash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

// `--mirror` arguments.
struct Overrides {
  std::map<std::string, std::string> by_suite;
  std::string for_all;  // empty: none
};

Result<Overrides> parse_overrides(const std::vector<std::string>& arguments) {
  Overrides out;
  for (const auto& entry : arguments) {
    const auto equals = entry.find('=');
    const bool whole = is_url(entry);
    const std::string url = without_slash(whole ? entry : entry.substr(equals + 1));
    if (!whole && (equals == std::string::npos || equals == 0 || !is_url(url))) {
      return fail(Errc::invalid_input,
                  "--mirror '" + entry + "' is neither URL nor SUITE=URL (http or https)");
    }
    if (whole) out.for_all = url;
    if (!whole) out.by_suite[entry.substr(0, equals)] = url;
  }
  return out;
}

// Suite and site of each line "SUITE SITE".
Result<std::map<std::string, std::string>> read_apt_sites() {
  Program apt;
  TRY_ASSIGN(apt.path, find_program("apt-get"));
  apt.arguments = {"indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"};
  apt.environment = {kProgramPath, "LC_ALL=C"};
  TRY_ASSIGN(const auto child, run(apt, "", {std::chrono::seconds(30)}));
  TRY(require_success(apt, child.status, child.error));
  std::map<std::string, std::string> out;
  std::string_view rest = child.output;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    out.emplace(line.substr(0, space), line.substr(space + 1));  // the first one counts
  }
  return out;
}

// The configured suite itself, or the longest one that the name continues with "-".
const std::pair<const std::string, std::string>* closest(
    const std::map<std::string, std::string>& sites, std::string_view suite) {
  const std::pair<const std::string, std::string>* best = nullptr;
  for (const auto& site : sites) {
    const bool same = site.first == suite;
    const bool base = suite.starts_with(site.first + "-");
    if ((same || base) && (best == nullptr || site.first.size() > best->first.size())) {
      best = &site;
    }
  }
  return best;
}

tl::unexpected<Error> no_source(const std::string& problem, std::string_view suite) {
  const std::string name(suite);
  return fail(Errc::not_found,
              problem + " for suite '" + name + "': say one with --mirror " + name + "=URL");
}

}  // namespace

Result<std::string> Mirrors::base_of(std::string_view suite) const {
  const auto found = bases_.find(suite);
  if (found != bases_.end()) return found->second;
  return no_source("no mirror is known", suite);
}

Status check_mirrors(const std::vector<std::string>& overrides) {
  TRY(parse_overrides(overrides));
  return {};
}

Result<Mirrors> read_mirrors(const std::vector<std::string>& suites,
                             const std::vector<std::string>& overrides) {
  Mirrors out;
  TRY_ASSIGN(const Overrides given, parse_overrides(overrides));
  std::vector<std::string> open;
  for (const auto& suite : suites) {
    if (const auto found = given.by_suite.find(suite); found != given.by_suite.end()) {
      out.set(suite, found->second);
    } else if (!given.for_all.empty()) {
      out.set(suite, given.for_all);
    } else {
      open.push_back(suite);
    }
  }
  if (open.empty()) return out;
  TRY_ASSIGN(const auto sites, read_apt_sites());
  for (const auto& suite : open) {
    const auto* site = closest(sites, suite);
    if (site == nullptr || !is_url(site->second)) {
      return no_source("apt has no http or https source", suite);
    }
    out.set(suite, without_slash(site->second));
  }
  return out;
}

}  // namespace weir::builder
