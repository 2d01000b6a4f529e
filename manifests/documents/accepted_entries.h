#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/digest.h"
#include "manifests/base/result.h"

namespace YAML {
class Emitter;
}

namespace weir::manifests {

class YamlField;

/// A user that a script would have made, and that Weir makes.
struct SystemUser {
  std::string name;
  std::string group{};  ///< its own one's name; empty: one of the user's name
  std::vector<std::string> groups{};
  std::string home = "/nonexistent";
  std::string shell = "/usr/sbin/nologin";
  bool operator==(const SystemUser&) const = default;
};

/// A folder that a script would have made, or given away.
struct SystemFolder {
  std::string path;  ///< "/var/lib/unbound"
  std::string owner = "root", group = "root";
  std::uint32_t mode = 0755;
  bool operator==(const SystemFolder&) const = default;
};

/// A maintainer script that a person has read and found safe to leave out.
struct AcceptedScript {
  std::string package;  ///< a name or pattern: "linux-image-*-cloud-amd64"
  std::string script;   ///< "preinst" or "postinst"
  std::vector<Digest>
      digests;      ///< each a `script_digest` (manifests/documents/maintainer_script.h)
  std::string why;  ///< for people; never empty
  // What of it Weir does in the script's place.
  std::vector<SystemUser> users{};
  std::vector<std::string> groups{};  ///< besides those of `users`
  std::vector<SystemFolder> folders{};
  bool operator==(const AcceptedScript&) const = default;
};

/// A file in which something looks like a secret, and a person found that it is none: a library's
/// self-test, an example that everybody knows.
struct AcceptedSecret {
  std::string path;             ///< in the image: "/usr/lib/x86_64-linux-gnu/libgnutls.so.30.34.3"
  std::vector<Digest> digests;  ///< of the file, byte for byte
  std::string why;              ///< for people; never empty
  bool operator==(const AcceptedSecret&) const = default;
};

/// Debian policy 5.6.1. `extra`: characters that count besides, such as a pattern's "*".
[[nodiscard]] bool is_package_name(std::string_view text, std::string_view extra = "");
/// What packages of Debian call users: letters of both cases ("Debian-snmp"), digits, "_" and "-",
/// at most 32 characters, a letter or "_" first. root is none: it is there anyway.
[[nodiscard]] bool is_user_name(std::string_view name);
/// "/var/lib/x": absolute, without ".", ".." and "//", printable ASCII without blanks.
[[nodiscard]] bool is_image_path(std::string_view path);
inline constexpr std::string_view kImagePath = "an absolute path without '.', '..' and '//'";

/// "0644" as 0644. errors: invalid_input, of `field`: more than `most`, or no octal number
[[nodiscard]] Result<std::uint32_t> parse_mode(const YamlField& field, std::uint32_t most);
/// 0644 as "0644", 01777 as "1777".
[[nodiscard]] std::string print_mode(std::uint32_t mode);

/// One entry of `accept_scripts` and of `accept_secrets`. errors: invalid_input, with line and
/// field
[[nodiscard]] Result<AcceptedScript> parse_accepted_script(const YamlField& map);
[[nodiscard]] Result<AcceptedSecret> parse_accepted_secret(const YamlField& map);
[[nodiscard]] Result<SystemFolder> parse_system_folder(const YamlField& map);

/// As a mapping that the parser reads back as an equal entry.
void emit(YAML::Emitter& out, const AcceptedScript& entry);
void emit(YAML::Emitter& out, const AcceptedSecret& entry);
void emit(YAML::Emitter& out, const SystemFolder& folder);
/// `emit` as an entry of a list, "  - package: ...", with a newline at its end.
[[nodiscard]] std::string print_entry(const AcceptedScript& entry);

}  // namespace weir::manifests
