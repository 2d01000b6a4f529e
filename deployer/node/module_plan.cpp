#include "deployer/node/module_plan.h"

#include <algorithm>
#include <map>
#include <set>

namespace weir::node {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(separators), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string canonical(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

struct Tree {
  std::map<std::string_view, std::vector<std::string_view>> depends;  ///< by path
  std::map<std::string, std::string_view> paths;                      ///< by name
};

void visit(const Tree& tree, std::string_view path, std::set<std::string_view>& seen,
           std::vector<std::string>& files) {
  if (!seen.insert(path).second) return;
  const auto found = tree.depends.find(path);
  if (found == tree.depends.end()) return;
  for (const std::string_view other : found->second) visit(tree, other, seen, files);
  files.emplace_back(path);
}

}  // namespace

std::string module_name(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  return canonical(path.substr(0, path.find(".ko")));
}

bool is_compressed_module(std::string_view path) {
  return !path.ends_with(".ko");
}

ModulePlan plan_modules(const std::vector<std::string>& wanted, std::string_view depends,
                        std::string_view builtin) {
  Tree tree;
  for (const std::string_view line : split(depends, "\n")) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view path = line.substr(0, colon);
    tree.depends[path] = split(line.substr(colon + 1), " ");
    tree.paths[module_name(path)] = path;
  }
  std::set<std::string> inside;
  for (const std::string_view path : split(builtin, "\n")) inside.insert(module_name(path));

  ModulePlan out;
  std::set<std::string_view> seen;
  for (const std::string& name : wanted) {
    const auto found = tree.paths.find(canonical(name));
    if (found != tree.paths.end()) {
      visit(tree, found->second, seen, out.files);
    } else if (!inside.contains(canonical(name))) {
      out.missing.push_back(name);
    }
  }
  return out;
}

}  // namespace weir::node
