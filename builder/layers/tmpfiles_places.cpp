#include "builder/layers/tmpfiles_places.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "builder/layers/debian_accounts.h"
#include "builder/packages/tmpfiles.h"
#include "builder/packages/whole_number.h"
#include "images/tree/merged_usr.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using images::ImagePath;
using images::Node;

constexpr std::string_view kOfAdministrator = "etc/tmpfiles.d/",
                           kOfPackages = "usr/lib/tmpfiles.d/";
constexpr std::size_t kLongestTarget = 4096;      ///< PATH_MAX, with its zero
constexpr std::uint32_t kLargestOwner = 2097151;  ///< that layers and their exports state
// What the kernel fills when a node starts.
constexpr std::array<std::string_view, 3> kOfKernel = {"dev", "proc", "sys"};

/// By name, whom the administrator's files replace; one that is a link (to /dev/null) is none.
std::map<std::string, std::string> files_in_force(const std::map<std::string, std::string>& files,
                                                  const Overlay& below) {
  std::map<std::string, std::string> out;
  for (const std::string_view folder : {kOfPackages, kOfAdministrator}) {
    for (const auto& [path, _] : files) {
      if (path.starts_with(folder)) out.insert_or_assign(path.substr(folder.size()), path);
    }
  }
  std::erase_if(out, [&](const auto& file) {
    const Overlay::Place* place = below.find(std::string(kOfAdministrator) + file.first);
    return place != nullptr && place->entry.kind == EntryKind::link;
  });
  return out;
}

class Applying {
 public:
  Applying(const Overlay& below, const std::set<std::string>& decided, const Accounts& accounts,
           std::int64_t epoch)
      : below_(below), decided_(decided), accounts_(accounts), epoch_(epoch) {}

  Status apply(const TmpfilesLine& line) {
    if (line.kind == TmpfilesKind::leave) return {};
    TRY_ASSIGN(const ImagePath path, place_of(line.path));
    if (decided_.contains(path.string())) return {};
    for (const std::string_view folder : kOfKernel) {
      if (path.is_within(folder)) {
        return fail(Errc::invalid_input, "the kernel makes what is in /" + std::string(folder));
      }
    }
    if (path.string() == "run/weir" || path.is_within("run/weir") ||
        path.string().starts_with("run/weir-")) {
      return fail(Errc::invalid_input, "what lies below /run/weir is the node's own");
    }
    if (line.argument.size() >= kLongestTarget && line.kind == TmpfilesKind::link) {
      return fail(Errc::invalid_input, "its target is longer than a path can be");
    }
    if (line.kind == TmpfilesKind::other) {
      return fail(Errc::invalid_input, "an image is not given what type " + line.type + " says");
    }
    const std::optional<ListedEntry> there = entry(path);
    if (line.kind == TmpfilesKind::adjust) {
      if (there) return adjust(path, line, *there);
      if (line.path.find_first_of("*?[") == std::string::npos) return {};
      return fail(Errc::invalid_input, "an image is not given what a pattern says");
    }
    // Of two lines that make one path, the first holds.
    if (!taken_.insert(path.string()).second) {
      return fail(Errc::invalid_input, "another line before makes " + line.path + " already");
    }
    if (there) {
      if (line.kind == TmpfilesKind::link) return {};
      return adjust(path, line, *there);
    }
    TRY(check_room(path, line));
    TRY_ASSIGN(Node node, owned(line, ListedEntry{}));
    node.mode = line.mode.value_or(line.kind == TmpfilesKind::folder ? 0755 : 0644);
    node.mtime = epoch_;
    if (line.kind == TmpfilesKind::folder) node.what = images::Folder{};
    if (line.kind == TmpfilesKind::file)
      node.what = images::File{images::content_of(line.argument)};
    if (line.kind == TmpfilesKind::link) {
      node = Node{0777, 0, 0, epoch_, images::Symlink{line.argument}};
    }
    made_.insert_or_assign(path, std::move(node));
    return {};
  }

  std::vector<MadePlaces::Made> made() {
    std::vector<MadePlaces::Made> out;
    for (auto& [path, node] : made_) out.push_back({path, std::move(node)});
    return out;
  }

 private:
  // Where a path leads to, links of its parents followed.
  [[nodiscard]] Result<ImagePath> place_of(const std::string& text) const {
    TRY_ASSIGN(const ImagePath written, ImagePath::parse(text));
    TRY_ASSIGN(const ImagePath path, images::merged(written));
    if (path.is_root()) return path;
    ImagePath parent = path.parent();
    std::string below = std::string(path.name());
    while (!parent.is_root() && below_.find(parent.string()) == nullptr) {
      below = std::string(parent.name()) + "/" + below;
      parent = parent.parent();
    }
    const auto real = below_.resolve(parent.string());
    if (!real) return fail(Errc::invalid_input, "/" + parent.string() + " leads nowhere");
    return ImagePath::parse(*real + "/" + below);
  }

  // Whether nothing that is no folder would hold others.
  [[nodiscard]] Status check_room(const ImagePath& path, const TmpfilesLine& line) const {
    for (ImagePath parent = path.parent(); !parent.is_root(); parent = parent.parent()) {
      const auto there = entry(parent);
      if (!there || there->kind == EntryKind::folder) continue;
      return fail(Errc::invalid_input, "/" + parent.string() + " is no folder");
    }
    const auto next = made_.upper_bound(path);
    const bool holds = next != made_.end() && next->first.string().starts_with(path.string() + "/");
    if (holds && line.kind != TmpfilesKind::folder) {
      return fail(Errc::invalid_input, line.path + " is a folder");
    }
    return {};
  }

  [[nodiscard]] std::optional<ListedEntry> entry(const ImagePath& path) const {
    if (const auto made = made_.find(path); made != made_.end()) {
      return listed(made->second);
    }
    const Overlay::Place* place = below_.find(path.string());
    if (place == nullptr) return std::nullopt;
    return place->entry;
  }

  // With the line's owner, or the one of what stands.
  [[nodiscard]] Result<Node> owned(const TmpfilesLine& line, const ListedEntry& there) const {
    Node out{there.mode, there.uid, there.gid, epoch_, images::Folder{}};
    for (const std::string* name : {&line.user, &line.group}) {
      const auto number = parse_whole<std::uint32_t>(*name);
      if (number && *number > kLargestOwner) {
        return fail(Errc::invalid_input, "an owner over " + std::to_string(kLargestOwner));
      }
    }
    if (!line.user.empty()) {
      const auto number = parse_whole<std::uint32_t>(line.user);
      const auto known = accounts_.users.find(line.user);
      if (!number && known == accounts_.users.end()) {
        return fail(Errc::not_found, "the image has no user '" + line.user + "'");
      }
      out.uid = number ? *number : known->second.id;
    }
    if (!line.group.empty()) {
      const auto number = parse_whole<std::uint32_t>(line.group);
      const auto known = accounts_.groups.find(line.group);
      const auto debians = debian_group_id(line.group);
      if (!number && known == accounts_.groups.end() && !debians) {
        return fail(Errc::not_found, "the image has no group '" + line.group + "'");
      }
      out.gid = number ? *number : known != accounts_.groups.end() ? known->second : *debians;
    }
    return out;
  }

  // What stands gets the line's mode and owner.
  Status adjust(const ImagePath& path, const TmpfilesLine& line, const ListedEntry& there) {
    TRY_ASSIGN(Node node, owned(line, there));
    if (line.owner_when_new) {
      node.uid = there.uid;
      node.gid = there.gid;
    }
    if (line.mode && !line.mode_when_new) node.mode = *line.mode;
    const bool wants_folder = line.kind == TmpfilesKind::folder;
    if (wants_folder && there.kind != EntryKind::folder) {
      return fail(Errc::invalid_input, line.path + " is no folder");
    }
    if (node.mode == there.mode && node.uid == there.uid && node.gid == there.gid) return {};
    const auto made = made_.find(path);
    if (there.kind == EntryKind::file && made != made_.end()) {
      node.what = made->second.what;
    } else if (there.kind != EntryKind::folder) {
      return fail(Errc::invalid_input, line.path + " keeps the owner and mode of its package");
    }
    made_.insert_or_assign(path, std::move(node));
    return {};
  }

  const Overlay& below_;
  const std::set<std::string>& decided_;
  const Accounts& accounts_;
  std::int64_t epoch_;
  std::map<ImagePath, Node> made_;
  std::set<std::string> taken_;
};

}  // namespace

MadePlaces apply_tmpfiles(const std::map<std::string, std::string>& files, const Overlay& below,
                          const std::set<std::string>& decided, const Accounts& accounts,
                          std::int64_t epoch) {
  Applying applying(below, decided, accounts, epoch);
  MadePlaces out;
  for (const auto& [name, path] : files_in_force(files, below)) {
    std::string_view rest = files.at(path);
    for (std::size_t number = 1; !rest.empty(); ++number) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const auto line = parse_tmpfiles_line(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const Status done = !line    ? Status(tl::unexpected(line.error()))
                          : !*line ? Status()
                                   : applying.apply(**line);
      if (!done) {
        out.unmade.push_back(
            printable("/" + path + ":" + std::to_string(number) + ": " + done.error().message));
      }
    }
  }
  out.made = applying.made();
  return out;
}

}  // namespace weir::builder
