#include "builder/mirror/edge/mirror.h"

#include <algorithm>
#include <utility>

#include "builder/mirror/address.h"
#include "builder/mirror/edge/apt_mirrors.h"
#include "builder/mirror/edge/sources.h"
#include "builder/mirror/release_date.h"
#include "builder/mirror/snapshot.h"
#include "manifests/base/closest_names.h"
#include "manifests/base/printable.h"
#include "manifests/documents/image_sources.h"

namespace weir::builder {
namespace {

bool is_archive(const std::string& url) {
  const auto address = parse_address(url);
  return address && address->is_spoken();
}

// Arguments "[SUITE=]URL" of one option.
struct Overrides {
  std::map<std::string, std::vector<std::string>, std::less<>> by_suite;
  std::vector<std::string> for_all;

  [[nodiscard]] const std::vector<std::string>& of(std::string_view suite) const {
    const auto found = by_suite.find(suite);
    return found == by_suite.end() ? for_all : found->second;
  }
};

template <class Check>
Result<Overrides> parse_overrides(std::string_view option,
                                  const std::vector<std::string>& arguments, const Check& is_one) {
  Overrides out;
  for (const auto& entry : arguments) {
    const auto equals = entry.find('=');
    if (is_one(entry)) {
      out.for_all.push_back(entry);
    } else if (equals != std::string::npos && equals != 0 && is_one(entry.substr(equals + 1))) {
      out.by_suite[entry.substr(0, equals)].push_back(entry.substr(equals + 1));
    } else {
      return fail(Errc::invalid_input, std::string(option) + " " + quotation(without_login(entry)) +
                                           " is neither URL nor SUITE=URL (http, https, file or "
                                           "copy" +
                                           (option == "--snapshot" ? ", with {time} in it)" : ")"));
    }
  }
  return out;
}

Status check_suites(std::string_view option, const Overrides& given,
                    const std::vector<SuiteSource>& suites) {
  for (const auto& [label, _] : given.by_suite) TRY(check_names_suite(option, label, suites));
  return {};
}

Result<Overrides> mirrors_of(const MirrorRequest& request) {
  return parse_overrides("--mirror", request.mirrors, is_archive);
}

Result<Overrides> snapshots_of(const MirrorRequest& request) {
  return parse_overrides("--snapshot", request.snapshots,
                         [](const std::string& text) { return check_snapshot(text).has_value(); });
}

// "debian" of "http://mirror.example/debian".
std::string_view archive_name(const std::vector<std::string>& bases) {
  if (bases.empty()) return {};
  const std::string_view base = bases.front();
  return base.substr(base.rfind('/') + 1);
}

}  // namespace

Mirrors::Mirrors(Connections connections,
                 std::optional<std::chrono::steady_clock::time_point> until)
    : connections_(std::make_shared<Connections>(std::move(connections))) {
  policy_.connections = connections_;
  policy_.until = until;
}

Status Mirrors::check_known(const std::vector<SuiteSource>& suites) const {
  std::vector<std::string> missing;
  for (const auto& suite : suites) {
    if (!bases_.contains(suite.label)) missing.push_back(suite.label);
  }
  if (missing.empty()) return {};
  if (missing.size() == 1) return bases_of(missing.front()).map([](const auto&) {});
  std::string names;
  for (const auto& name : missing) names += (names.empty() ? "'" : ", '") + name + "'";
  return fail(Errc::not_found,
              "the manifest's sources: apt has no http, https, file or copy source for suites " +
                  names +
                  ": say each with --mirror SUITE=URL, or have a file of apt's beside the "
                  "manifest say where they are (sources: {apt: FILE.sources})");
}

Result<std::vector<std::string>> Mirrors::bases_of(std::string_view suite) const {
  const auto found = bases_.find(suite);
  if (found != bases_.end()) return found->second;
  const std::string name(suite);
  std::string unread;
  for (const auto& why : unread_) unread += "; not read: " + why;
  return fail(Errc::not_found,
              "the manifest's sources: apt has no http, https, file or copy source "
              "for suite '" +
                  name + "'" + suggestion(name, {known_.begin(), known_.end()}) +
                  ": say one with --mirror " + name + "=URL" + unread);
}

Status Mirrors::add(const std::string& suite, std::string_view url) {
  TRY_ASSIGN(Address address, parse_address(url));
  while (address.path.ends_with('/')) address.path.pop_back();
  bases_[suite].push_back(print(address));
  if (address.login) connections_->add(std::move(address));
  return {};
}

Status Mirrors::add_snapshot(const std::string& suite, std::string_view url) {
  TRY(add(suite, url));
  snapshots_[suite].push_back(bases_[suite].back());
  return {};
}

std::vector<std::string> Mirrors::snapshots_of(std::string_view suite) const {
  const auto found = snapshots_.find(suite);
  return found == snapshots_.end() ? std::vector<std::string>() : found->second;
}

Status check_mirrors(const MirrorRequest& request) {
  TRY(mirrors_of(request));
  TRY(snapshots_of(request));
  return {};
}

Result<Mirrors> read_mirrors(const std::vector<SuiteSource>& suites,
                             const std::string& architecture, const MirrorRequest& request) {
  TRY_ASSIGN(const Overrides given, mirrors_of(request));
  TRY(check_suites("--mirror", given, suites));
  TRY_ASSIGN(Connections connections, Connections::read());
  Mirrors out(std::move(connections), request.until);
  std::vector<const SuiteSource*> open;
  for (const auto& suite : suites) {
    const bool own = given.by_suite.contains(suite.label);
    const auto& urls = own || suite.uris.empty() ? given.of(suite.label) : suite.uris;
    for (const auto& url : urls) {
      if (is_archive(url)) TRY(out.add(suite.label, url));
    }
    if (urls.empty()) open.push_back(&suite);
  }
  if (open.empty()) return out;
  TRY_ASSIGN(const auto apt, read_apt_configuration(architecture));
  for (const auto& entry : apt.entries) out.known(entry.suites);
  out.not_read(apt.unread);
  for (const auto* suite : open) {
    for (const auto& url : apt_mirrors_of(*suite, apt.entries)) {
      if (is_archive(url)) TRY(out.add(suite->label, url));
    }
  }
  return out;
}

Result<Mirrors> read_mirrors(const std::vector<manifests::LockedSource>& sources,
                             const std::vector<SuiteSource>& known, const std::string& architecture,
                             const MirrorRequest& request) {
  TRY_ASSIGN(const Overrides snapshots, snapshots_of(request));
  std::vector<SuiteSource> suites;
  for (const auto& source : sources) {
    SuiteSource suite{source.suite, std::string(manifests::suite_of(source.suite))};
    for (const auto& one : known) {
      if (one.label == source.suite) suite = one;
    }
    suites.push_back(std::move(suite));
  }
  TRY(check_suites("--snapshot", snapshots, suites));
  TRY_ASSIGN(Mirrors out, read_mirrors(suites, architecture, request));
  for (const auto& source : sources) {
    const auto bases = out.bases_of(source.suite);
    const std::string archive(bases ? archive_name(*bases) : "");
    for (const auto& scheme : snapshots.of(source.suite)) {
      TRY_ASSIGN_IN(const auto date, parse_date(source.date), "suite " + source.suite);
      TRY_ASSIGN_IN(const auto addresses, snapshot_addresses(scheme, archive, date),
                    "--snapshot for suite " + source.suite);
      for (const auto& address : addresses) TRY(out.add_snapshot(source.suite, address));
    }
  }
  return out;
}

}  // namespace weir::builder
