#include "manifests/documents/lock.h"

#include <algorithm>
#include <set>

#include "manifests/base/json_reader.h"
#include "manifests/documents/archive_path.h"
#include "manifests/documents/image_sources.h"
#include "manifests/documents/package_url.h"
#include "manifests/documents/release_fields.h"

namespace weir::manifests {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// The largest integer that every JSON reader takes exactly.
constexpr std::uint64_t kLargestVersion = (1ULL << 53) - 1;
// The two above mean "nobody" and "no change" to the kernel's calls.
constexpr std::uint64_t kLargestId = 0xfffffffdU;

ordered_json to_json(const LockedSource& source) {
  ordered_json out = {{"suite", source.suite},
                      {"inrelease_digest", source.inrelease_digest.string()},
                      {"date", source.date},
                      {"signer", source.signer}};
  if (source.signature_digest) out["signature_digest"] = source.signature_digest->string();
  if (!source.vendor.empty()) out["vendor"] = source.vendor;
  if (!source.expired.empty()) out["expired"] = source.expired;
  return out;
}

ordered_json to_json(const LockedPackage& package) {
  return {{"name", package.name},
          {"version", package.version},
          {"architecture", package.architecture},
          {"path", package.path},
          {"size", package.size.value},
          {"digest", package.digest.string()},
          {"suite", package.suite},
          {"why", package.why}};
}

ordered_json to_json(const AcceptedScript& entry) {
  ordered_json digests = ordered_json::array();
  for (const Digest& digest : entry.digests) digests.push_back(digest.string());
  return {{"package", entry.package},
          {"script", entry.script},
          {"digests", std::move(digests)},
          {"why", entry.why}};
}

ordered_json to_json(const LockedProgram& program) {
  return {
      {"name", program.name}, {"digest", program.digest.string()}, {"size", program.size.value}};
}

ordered_json to_json(const LockedModule& module) {
  return {{"name", module.name},
          {"file", module.file},
          {"digest", module.digest.string()},
          {"size", module.size.value}};
}

ordered_json to_json(const AcceptedSecret& entry) {
  ordered_json digests = ordered_json::array();
  for (const Digest& digest : entry.digests) digests.push_back(digest.string());
  return {{"path", entry.path}, {"digests", std::move(digests)}, {"why", entry.why}};
}

ordered_json to_json(const LockedUser& user) {
  return {{"name", user.name},
          {"id", user.id},
          {"group_id", user.group_id},
          {"home", user.home},
          {"shell", user.shell}};
}

ordered_json to_json(const LockedGroup& group) {
  return {{"name", group.name}, {"id", group.id}, {"members", group.members}};
}

ordered_json to_json(const LockedFolder& folder) {
  return {{"path", folder.path},
          {"user_id", folder.user_id},
          {"group_id", folder.group_id},
          {"mode", print_mode(folder.mode)}};
}

template <class T>
ordered_json list(const std::vector<T>& items) {
  ordered_json out = ordered_json::array();
  for (const T& item : items) out.push_back(to_json(item));
  return out;
}

ordered_json to_json(const LockedModuleBuild& build) {
  ordered_json out = {
      {"sources", build.sources}, {"headers", build.headers}, {"packages", list(build.packages)}};
  if (!build.signer.empty()) out["signer"] = build.signer;
  return out;
}

// RFC 4880, section 12.2, and RFC 9580, section 5.5.4: SHA-1 or SHA-256 of a key.
bool is_fingerprint(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789ABCDEF") == std::string_view::npos;
}

Result<LockedSource> source(JsonFields& fields) {
  TRY_ASSIGN(std::string suite, filled(fields, "suite"));
  TRY_ASSIGN(const Digest inrelease, fields.digest("inrelease_digest"));
  TRY_ASSIGN(std::string date, filled(fields, "date"));
  TRY_ASSIGN(std::string signer, fields.line("signer"));
  if (!is_fingerprint(signer)) return fields.refuse("signer", "must be a key's fingerprint");
  LockedSource out{std::move(suite), inrelease, std::move(date), std::move(signer)};
  if (fields.has("signature_digest")) {
    TRY_ASSIGN(out.signature_digest, fields.digest("signature_digest"));
  }
  if (fields.has("vendor")) {
    TRY_ASSIGN(out.vendor, fields.line("vendor"));
    if (!is_vendor(out.vendor) || out.vendor == kDebian) {
      return fields.refuse("vendor", "must name a vendor (a-z, 0-9, '-', '.') other than debian");
    }
  }
  if (fields.has("expired")) {
    TRY_ASSIGN(out.expired, filled(fields, "expired"));
  }
  return out;
}

Result<LockedPackage> package(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(std::string version, filled(fields, "version"));
  TRY_ASSIGN(std::string architecture, filled(fields, "architecture"));
  TRY_ASSIGN(std::string path, fields.line("path"));
  if (!is_archive_path(path)) return fields.refuse("path", "must be a path inside an archive");
  TRY_ASSIGN(const std::uint64_t size, fields.natural("size"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(std::string suite, filled(fields, "suite"));
  TRY_ASSIGN(std::string why, filled(fields, "why"));
  return LockedPackage{std::move(name),  std::move(version), std::move(architecture),
                       std::move(path),  ByteCount{size},    digest,
                       std::move(suite), std::move(why)};
}

Result<std::vector<Digest>> read_digests(JsonFields& fields) {
  std::vector<Digest> out;
  TRY_ASSIGN(const json* digests, fields.array("digests"));
  for (const json& item : *digests) {
    if (!item.is_string()) return fields.refuse("digests", "must be strings");
    TRY_ASSIGN_IN(const Digest digest, Digest::parse(item.get<std::string>()),
                  fields.path_of("digests"));
    out.push_back(digest);
  }
  return out;
}

Result<AcceptedScript> accepted(JsonFields& fields) {
  AcceptedScript out;
  TRY_ASSIGN(out.package, filled(fields, "package"));
  TRY_ASSIGN(out.script, filled(fields, "script"));
  TRY_ASSIGN(out.digests, read_digests(fields));
  TRY_ASSIGN(out.why, filled(fields, "why"));
  return out;
}

Result<std::string> image_path(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(std::string path, fields.line(key));
  if (!is_image_path(path)) return fields.refuse(key, "must be " + std::string(kImagePath));
  return path;
}

Result<std::string> account(JsonFields& fields) {
  TRY_ASSIGN(std::string name, fields.line("name"));
  if (!is_user_name(name)) return fields.refuse("name", "must be a user's or group's name");
  return name;
}

Result<std::uint32_t> account_id(JsonFields& fields, std::string_view key) {
  TRY_ASSIGN(const std::uint64_t id, fields.natural(key));
  if (id > kLargestId) return fields.refuse(key, "must be at most 2^32 - 3");
  return static_cast<std::uint32_t>(id);
}

Result<AcceptedSecret> secret(JsonFields& fields) {
  AcceptedSecret out;
  TRY_ASSIGN(out.path, image_path(fields, "path"));
  TRY_ASSIGN(out.digests, read_digests(fields));
  TRY_ASSIGN(out.why, filled(fields, "why"));
  return out;
}

Result<LockedUser> user(JsonFields& fields) {
  LockedUser out;
  TRY_ASSIGN(out.name, account(fields));
  TRY_ASSIGN(out.id, account_id(fields, "id"));
  if (out.id == 0) return fields.refuse("id", "0 is root's");
  TRY_ASSIGN(out.group_id, account_id(fields, "group_id"));
  TRY_ASSIGN(out.home, image_path(fields, "home"));
  TRY_ASSIGN(out.shell, image_path(fields, "shell"));
  return out;
}

Result<LockedGroup> group(JsonFields& fields) {
  LockedGroup out;
  TRY_ASSIGN(out.name, account(fields));
  TRY_ASSIGN(out.id, account_id(fields, "id"));
  TRY_ASSIGN(const json* members, fields.array("members"));
  for (const json& item : *members) {
    if (!item.is_string() || !is_user_name(item.get<std::string>())) {
      return fields.refuse("members", "must be users' names");
    }
    out.members.push_back(item.get<std::string>());
  }
  return out;
}

Result<LockedFolder> folder(JsonFields& fields) {
  LockedFolder out;
  TRY_ASSIGN(out.path, image_path(fields, "path"));
  TRY_ASSIGN(out.user_id, account_id(fields, "user_id"));
  TRY_ASSIGN(out.group_id, account_id(fields, "group_id"));
  TRY_ASSIGN(const std::string digits, fields.line("mode"));
  if (digits.size() != 4 || digits.find_first_not_of("01234567") != std::string::npos) {
    return fields.refuse("mode", "must be four octal digits");
  }
  out.mode = 0;
  for (const char c : digits) out.mode = out.mode << 3 | static_cast<std::uint32_t>(c - '0');
  return out;
}

// A list that is left out where it is empty, its entries in the order of `key` and each once.
template <class T>
Result<std::vector<T>> optional_list(JsonFields& fields, std::string_view name,
                                     Result<T> (*read_one)(JsonFields&), std::string T::*key) {
  if (!fields.has(name)) return std::vector<T>();
  TRY_ASSIGN(auto out, objects<T>(fields, name, read_one));
  if (out.empty()) return fields.refuse(name, "must not be empty");
  for (std::size_t i = 1; i < out.size(); ++i) {
    if (out[i - 1].*key < out[i].*key) continue;
    return fields.refuse(element_path(name, i), "is out of order or there twice");
  }
  return out;
}

Result<LockedProgram> program(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("size"));
  return LockedProgram{std::move(name), digest, ByteCount{size}};
}

Result<LockedModule> module(JsonFields& fields) {
  TRY_ASSIGN(std::string name, filled(fields, "name"));
  TRY_ASSIGN(std::string file, filled(fields, "file"));
  TRY_ASSIGN(const Digest digest, fields.digest("digest"));
  TRY_ASSIGN(const std::uint64_t size, fields.natural("size"));
  return LockedModule{std::move(name), std::move(file), digest, ByteCount{size}};
}

Result<std::vector<LockedModule>> modules(JsonFields& fields) {
  if (!fields.has("modules")) return std::vector<LockedModule>();
  TRY_ASSIGN(auto out, objects<LockedModule>(fields, "modules", module));
  if (out.empty()) return fields.refuse("modules", "must not be empty");
  return out;
}

Result<std::optional<LockedModuleBuild>> module_build(JsonFields& parent) {
  if (!parent.has("module_build")) return std::nullopt;
  TRY_ASSIGN(JsonFields fields, parent.object("module_build"));
  LockedModuleBuild out;
  TRY_ASSIGN(out.sources, strings(fields, "sources"));
  if (out.sources.empty()) return fields.refuse("sources", "must not be empty");
  for (std::size_t i = 1; i < out.sources.size(); ++i) {
    if (out.sources[i - 1] < out.sources[i]) continue;
    return fields.refuse(element_path("sources", i), "is out of order or there twice");
  }
  TRY_ASSIGN(out.headers, filled(fields, "headers"));
  TRY_ASSIGN(out.packages, objects<LockedPackage>(fields, "packages", package));
  if (fields.has("signer")) {
    TRY_ASSIGN(out.signer, filled(fields, "signer"));
  }
  TRY(fields.finish());
  return out;
}

// In order, each once, each of one of `suites`.
Status check_packages(const std::string& key, const std::vector<LockedPackage>& packages,
                      const std::set<std::string_view>& suites) {
  for (std::size_t i = 0; i < packages.size(); ++i) {
    const LockedPackage& item = packages[i];
    const std::string where = element_path(key, i);
    if (i > 0 && !(packages[i - 1].name < item.name)) {
      return fail(Errc::invalid_input,
                  where + ".name: '" + item.name + "' is out of order or there twice");
    }
    if (!suites.contains(item.suite)) {
      return fail(Errc::invalid_input,
                  where + ".suite: '" + item.suite + "' is not among the sources");
    }
  }
  return {};
}

bool has_package(const std::vector<LockedPackage>& packages, const std::string& name) {
  return std::any_of(packages.begin(), packages.end(),
                     [&](const LockedPackage& item) { return item.name == name; });
}

Status check_module_build(const LockedModuleBuild& build,
                          const std::set<std::string_view>& suites) {
  TRY(check_packages("module_build.packages", build.packages, suites));
  std::vector<std::string> named = build.sources;
  named.push_back(build.headers);
  for (const std::string& name : named) {
    if (has_package(build.packages, name)) continue;
    return fail(Errc::invalid_input, "module_build: '" + name + "' is not among its packages");
  }
  return {};
}

Status check(const Lock& lock) {
  std::set<std::string_view> suites, programs;
  for (const auto& item : lock.sources) {
    if (!suites.insert(item.suite).second) {
      return fail(Errc::invalid_input, "sources: '" + item.suite + "' is there twice");
    }
  }
  TRY(check_packages("packages", lock.packages, suites));
  if (lock.module_build) TRY(check_module_build(*lock.module_build, suites));
  if (!has_package(lock.packages, lock.kernel)) {
    return fail(Errc::invalid_input, "kernel: '" + lock.kernel + "' is not among the packages");
  }
  for (const auto& item : lock.programs) {
    if (!programs.insert(item.name).second) {
      return fail(Errc::invalid_input, "programs: '" + item.name + "' is there twice");
    }
  }
  for (std::size_t i = 1; i < lock.modules.size(); ++i) {
    if (lock.modules[i - 1].name < lock.modules[i].name) continue;
    return fail(Errc::invalid_input, element_path("modules", i) + ".name: '" +
                                         lock.modules[i].name + "' is out of order or there twice");
  }
  return {};
}

Result<Lock> read_lock(JsonFields& fields) {
  TRY_ASSIGN(const std::string type, fields.line("type"));
  if (type != kLockType) {
    return fields.refuse("type", "'" + type + "' is not '" + std::string(kLockType) +
                                     "': remove this lock and lock again");
  }
  TRY_ASSIGN(const std::string name_text, fields.line("name"));
  TRY_ASSIGN_IN(ReleaseName name, ReleaseName::parse(name_text), "name");
  TRY_ASSIGN(std::string architecture, filled(fields, "architecture"));
  TRY_ASSIGN(const Digest manifest, fields.digest("manifest_digest"));
  TRY_ASSIGN(const std::int64_t epoch, fields.integer("source_epoch"));
  TRY_ASSIGN(const std::uint64_t version, fields.natural("version"));
  if (version > kLargestVersion) return fields.refuse("version", "must be at most 2^53 - 1");
  TRY_ASSIGN(auto sources, objects<LockedSource>(fields, "sources", source));
  TRY_ASSIGN(std::string kernel, filled(fields, "kernel"));
  TRY_ASSIGN(auto packages, objects<LockedPackage>(fields, "packages", package));
  TRY_ASSIGN(auto provides, strings(fields, "provides"));
  TRY_ASSIGN(auto accept_scripts, objects<AcceptedScript>(fields, "accept_scripts", accepted));
  TRY_ASSIGN(auto programs, objects<LockedProgram>(fields, "programs", program));
  TRY_ASSIGN(auto locked_modules, modules(fields));
  TRY_ASSIGN(auto compiling, module_build(fields));
  TRY_ASSIGN(std::string builder_version, filled(fields, "builder_version"));
  TRY_ASSIGN(std::string compressor, filled(fields, "compressor"));
  TRY_ASSIGN(auto secrets, optional_list(fields, "accept_secrets", secret, &AcceptedSecret::path));
  TRY_ASSIGN(auto users, optional_list(fields, "users", user, &LockedUser::name));
  TRY_ASSIGN(auto groups, optional_list(fields, "groups", group, &LockedGroup::name));
  TRY_ASSIGN(auto folders, optional_list(fields, "folders", folder, &LockedFolder::path));
  TRY(fields.finish());
  Lock lock{std::move(name),
            std::move(architecture),
            manifest,
            epoch,
            std::move(sources),
            std::move(kernel),
            std::move(packages),
            std::move(provides),
            std::move(accept_scripts),
            std::move(programs),
            std::move(builder_version),
            std::move(compressor),
            version,
            std::move(locked_modules),
            std::move(secrets),
            std::move(users),
            std::move(groups),
            std::move(folders),
            std::move(compiling)};
  TRY(check(lock));
  return lock;
}

}  // namespace

Result<Lock> parse_lock(std::string_view text) {
  TRY_ASSIGN_IN(const json document, parse_json(text), "lock");
  TRY_ASSIGN_IN(JsonFields fields, JsonFields::open(document, ""), "lock");
  TRY_ASSIGN_IN(Lock lock, read_lock(fields), "lock");
  return lock;
}

Result<Lock> parse_canonical_lock(std::string_view text) {
  TRY_ASSIGN(Lock lock, parse_lock(text));
  if (print(lock) == text) return lock;
  return fail(Errc::invalid_input,
              "lock: is not written as weir-builder lock writes it" +
                  std::string(text.find('\r') == std::string_view::npos
                                  ? ": indentation, order or escapes were changed"
                                  : ": its lines end with CR LF, as git's autocrlf makes them") +
                  ". The digest of these bytes is what a release names: take them back as they "
                  "were, or lock again");
}

std::string print(const Lock& lock) {
  ordered_json document = {{"type", kLockType},
                           {"name", lock.name.string()},
                           {"architecture", lock.architecture},
                           {"manifest_digest", lock.manifest_digest.string()},
                           {"source_epoch", lock.source_epoch},
                           {"version", lock.version},
                           {"sources", list(lock.sources)},
                           {"kernel", lock.kernel},
                           {"packages", list(lock.packages)},
                           {"provides", lock.provides},
                           {"accept_scripts", list(lock.accept_scripts)},
                           {"programs", list(lock.programs)}};
  if (!lock.modules.empty()) document["modules"] = list(lock.modules);
  if (lock.module_build) document["module_build"] = to_json(*lock.module_build);
  if (!lock.accept_secrets.empty()) document["accept_secrets"] = list(lock.accept_secrets);
  if (!lock.users.empty()) document["users"] = list(lock.users);
  if (!lock.groups.empty()) document["groups"] = list(lock.groups);
  if (!lock.folders.empty()) document["folders"] = list(lock.folders);
  document["builder_version"] = lock.builder_version;
  document["compressor"] = lock.compressor;
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::manifests
