#include "builder/layers/system_layers.h"

#include <utility>

#include "images/tree/merged_usr.h"
#include "manifests/messages/node_api.h"

namespace weir::builder {
namespace {

using images::FileTree;
using images::ImagePath;
using images::Node;

Status put(FileTree& tree, std::string_view path, Node node) {
  TRY_ASSIGN(const ImagePath place, ImagePath::parse(path));
  return tree.put(place, std::move(node));
}

Status put_file(FileTree& tree, std::string_view path, std::string_view text, std::uint32_t mode,
                std::int64_t epoch) {
  return put(tree, path, Node{mode, 0, 0, epoch, images::File{images::content_of(text)}});
}

std::string passwd(const std::vector<manifests::ImageUser>& users) {
  std::string out = "root:*:0:0:root:/root:/bin/sh\n";
  for (const auto& user : users) {
    const std::string id = std::to_string(user.id);
    out += user.name + ":*:" + id + ":" + id + "::/nonexistent:/usr/sbin/nologin\n";
  }
  return out;
}

std::string group(const std::vector<manifests::ImageUser>& users) {
  std::string out = "root:*:0:\n";
  for (const auto& user : users) out += user.name + ":*:" + std::to_string(user.id) + ":\n";
  return out;
}

// "bookworm-security" and "bookworm-backports" are of one version, "bookworm" (os-release(5)).
std::string os_release(const std::string& suite) {
  const std::string codename = suite.substr(0, suite.find('-'));
  return "PRETTY_NAME=\"Debian GNU/Linux (" + codename + ")\"\nNAME=\"Debian GNU/Linux\"\n" +
         "ID=debian\nVERSION_CODENAME=" + codename + "\n";
}

}  // namespace

Result<FileTree> make_base_tree(std::int64_t epoch) {
  FileTree tree;
  TRY(images::put_merged_links(tree, epoch));
  const std::pair<const char*, std::uint32_t> folders[] = {
      {"dev", 0755}, {"etc", 0755},  {"proc", 0755}, {"root", 0700},    {"run", 0755},
      {"sys", 0755}, {"tmp", 01777}, {"var", 0755},  {"var/tmp", 01777}};
  for (const auto& [path, mode] : folders) {
    TRY(put(tree, path, Node{mode, 0, 0, epoch, images::Folder{}}));
  }
  TRY(put(tree, "dev/console", Node{0600, 0, 0, epoch, images::Device{false, 5, 1}}));
  return tree;
}

Result<FileTree> make_programs_tree(std::string_view init, std::string_view agent) {
  FileTree tree;
  TRY(put_file(tree, manifests::kInitPath, init, 0755, 0));
  TRY(put_file(tree, manifests::kAgentPath, agent, 0755, 0));
  return tree;
}

Result<FileTree> make_settings_tree(const Settings& settings, std::int64_t epoch) {
  FileTree tree;
  std::string modules, tools;
  for (const std::string& name : settings.modules) modules += name + "\n";
  for (const auto& tool : settings.tools) tools += tool.name + " " + tool.version + "\n";
  TRY(put_file(tree, manifests::kLockDigestPath, settings.lock_digest.string() + "\n", 0644,
               epoch));
  TRY(put_file(tree, manifests::kModulesPath, modules, 0644, epoch));
  TRY(put_file(tree, manifests::kToolsPath, tools, 0644, epoch));
  TRY(put_file(tree, "etc/passwd", passwd(settings.users), 0644, epoch));
  TRY(put_file(tree, "etc/group", group(settings.users), 0644, epoch));
  TRY(put_file(tree, "etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", 0644, epoch));
  if (settings.os_release) {
    TRY(put_file(tree, "etc/os-release", os_release(settings.suite), 0644, epoch));
  }
  for (const auto& file : settings.files) {
    TRY_ASSIGN_IN(const ImagePath path, ImagePath::parse(file.path), "files");
    TRY_ASSIGN_IN(const ImagePath place, images::merged(path), "files");
    TRY_IN(put_file(tree, place.string(), file.content, file.mode, epoch), "files");
  }
  return tree;
}

}  // namespace weir::builder
