#include "builder/dkms/recipe.h"

#include <algorithm>
#include <optional>

#include "builder/mirror/lines.h"
#include "builder/packages/whole_number.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using images::Node;

constexpr std::string_view kHeaders = "linux-headers-";
constexpr std::string_view kSources = "usr/src/";

// Standard output is the modules, each behind a line with its name and size. dkms says why it
// failed in a file of its own.
constexpr std::string_view kScript = R"sh(
tree=/var/lib/dkms
if ! dkms build "$1" -k "$2" -a "$3" </dev/null >&2; then
  status=$?
  find "$tree" -name make.log -exec cat {} + >&2
  exit 1
fi
for module in "$tree"/*/*/"$2"/"$3"/module/*.ko*; do
  printf '%s %s\n' "${module##*/}" "$(stat -c %s "$module")" && cat "$module" || exit 1
done
)sh";

// Nothing of dkms signs; what it finds to sign with would be made anew each time.
constexpr std::string_view kDkmsSettings = "sign_file=\"/nonexistent\"\n";

Status put(FileTree& tree, std::string_view path, Node node) {
  TRY_ASSIGN(const ImagePath place, ImagePath::parse(path));
  return tree.put(place, std::move(node));
}

Status put_text(FileTree& tree, std::string_view path, std::string_view text) {
  return put(tree, path, Node{0644, 0, 0, 0, images::File{images::content_of(text)}});
}

}  // namespace

Result<DkmsSource> find_dkms_source(const FileTree& files) {
  std::optional<DkmsSource> out;
  for (const auto& [path, node] : files.nodes()) {
    const std::string folder = path.parent().string();
    if (!path.string().ends_with("/dkms.conf") || !path.is_within("usr/src") ||
        folder.find('/', kSources.size()) != std::string::npos || node.file() == nullptr) {
      continue;
    }
    if (out) {
      return fail(Errc::invalid_input, "brings two sources, " + out->folder + " and /" + folder);
    }
    out = DkmsSource{"/" + folder, Digest::of(*node.file()->content), 0};
  }
  if (!out) {
    return fail(Errc::invalid_input, "is no DKMS package: it has no /usr/src/NAME/dkms.conf");
  }
  for (const auto& [path, node] : files.nodes()) {
    if (path.is_within(out->folder.substr(1))) out->epoch = std::max(out->epoch, node.mtime);
  }
  return std::move(*out);
}

std::string release_of(const manifests::LockedModuleBuild& build) {
  return build.headers.starts_with(kHeaders) ? build.headers.substr(kHeaders.size())
                                             : build.headers;
}

std::string machine_name(const std::string& architecture) {
  if (architecture == "amd64") return "x86_64";
  return architecture == "arm64" ? "aarch64" : architecture;
}

Digest compile_key(const manifests::LockedModuleBuild& build, const std::string& architecture,
                   const std::string& package) {
  std::string text = "weir compiled module\n" + std::string(kScript) + std::string(kDkmsSettings) +
                     package + "\n" + build.headers + "\n" + architecture + "\n";
  for (const auto& each : build.packages) text += each.name + " " + each.digest.string() + "\n";
  return Digest::of(as_bytes(text));
}

Result<FileTree> make_root_settings() {
  FileTree tree;
  const std::pair<const char*, const char*> links[] = {{"usr/bin/awk", "mawk"},
                                                       {"usr/bin/cc", "gcc"}};
  for (const auto& [path, target] : links) {
    TRY(put(tree, path, Node{0777, 0, 0, 0, images::Symlink{target}}));
  }
  for (const char* folder : {"dev", "proc", "run", "tmp", "var/lib/dkms"}) {
    TRY(put(tree, folder, Node{0755, 0, 0, 0, images::Folder{}}));
  }
  TRY(put_text(tree, "etc/passwd", "root:x:0:0:root:/:/bin/sh\n"));
  TRY(put_text(tree, "etc/group", "root:x:0:\n"));
  TRY(put_text(tree, "etc/dkms/framework.conf.d/weir.conf", kDkmsSettings));
  return tree;
}

std::vector<std::string> sandbox_arguments(const std::string& root, bool as_root,
                                           const DkmsSource& source, const std::string& release,
                                           const std::string& architecture) {
  std::vector<std::string> out = {"--unshare-all",
                                  "--die-with-parent",
                                  "--new-session",
                                  "--hostname",
                                  "weir",
                                  "--cap-drop",
                                  "ALL"};
  const auto add = [&](std::initializer_list<std::string> words) { out.insert(out.end(), words); };
  if (!as_root) add({"--uid", "0", "--gid", "0"});
  add({"--ro-bind", root, "/", "--proc", "/proc", "--dev", "/dev"});
  for (const char* folder : {"/run", "/tmp", "/var/lib/dkms"}) add({"--tmpfs", folder});
  const std::string epoch = std::to_string(source.epoch);
  const std::pair<const char*, std::string> variables[] = {{"PATH", "/usr/sbin:/usr/bin"},
                                                           {"HOME", "/tmp"},
                                                           {"LC_ALL", "C"},
                                                           {"TZ", "UTC"},
                                                           {"SOURCE_DATE_EPOCH", epoch},
                                                           {"KBUILD_BUILD_TIMESTAMP", "@" + epoch},
                                                           {"KBUILD_BUILD_USER", "weir"},
                                                           {"KBUILD_BUILD_HOST", "weir"},
                                                           {"KBUILD_BUILD_VERSION", "1"}};
  add({"--clearenv"});
  for (const auto& [name, value] : variables) add({"--setenv", name, value});
  add({"--chdir", "/", "--", "/bin/sh", "-c", std::string(kScript), "sh", source.folder, release,
       machine_name(architecture)});
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_sandbox_output(
    std::string_view output) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!output.empty()) {
    const auto end = output.find('\n');
    const auto blank = output.rfind(' ', end);
    if (end == std::string_view::npos || blank == std::string_view::npos) {
      return fail(Errc::invalid_input, "the compiler's output does not name its modules");
    }
    const auto size = parse_whole<std::size_t>(output.substr(blank + 1, end - blank - 1));
    if (!size || *size > output.size() - end - 1) {
      return fail(Errc::invalid_input, "the compiler's output ends within a module");
    }
    out.emplace_back(output.substr(0, blank), output.substr(end + 1, *size));
    output.remove_prefix(end + 1 + *size);
  }
  return out;
}

std::vector<std::string> telling_lines(std::string_view log, std::size_t most) {
  std::vector<std::string> errors, last;
  each_line(log, [&](std::string_view line) {
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    const bool is_error = line.find("error:") != std::string_view::npos ||
                          line.find("ERROR: modpost") != std::string_view::npos;
    if (is_error && errors.size() < most) errors.emplace_back(line);
    last.emplace_back(line);
    if (last.size() > most) last.erase(last.begin());
  });
  return errors.empty() ? last : errors;
}

}  // namespace weir::builder
