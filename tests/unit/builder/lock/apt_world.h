#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "tests/unit/images/scratch.h"

namespace weir::test {

/// apt with sources, lists and a package database of its own below a folder. What it would install
/// is what the solver is held to.
class AptWorld {
 public:
  /// sources     lines of a sources.list
  /// stands_in   what one installed package provides: "kmod (= 30), awk"
  AptWorld(std::string root, const std::string& sources, const std::string& stands_in)
      : root_(std::move(root)) {
    namespace fs = std::filesystem;
    for (const char* folder : {"lists/partial", "cache/archives/partial"}) {
      fs::create_directories(fs::path(root_) / folder);
    }
    std::ofstream(root_ + "/sources.list") << sources;
    set_installed(stands_in);
  }
  void set_installed(const std::string& stands_in) const {
    std::ofstream(root_ + "/status")
        << "Package: stand-in\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n"
           "Maintainer: x\nDescription: x\nProvides: "
        << stands_in << "\n\n";
  }
  void update() const { must(run("apt-get", "-q update 2>&1")); }
  [[nodiscard]] std::string run(const std::string& program, const std::string& arguments) const {
    return "LC_ALL=C " + program + " -o Dir::Etc::sourcelist=" + root_ +
           "/sources.list -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null "
           "-o Dir::Etc::preferencesparts=/dev/null -o Dir::State=" +
           root_ + " -o Dir::State::lists=" + root_ + "/lists -o Dir::State::status=" + root_ +
           "/status -o Dir::Cache=" + root_ +
           "/cache -o APT::Sandbox::User= -o APT::Architecture=amd64 "
           "-o APT::Architectures::=amd64 -o Acquire::Languages=none "
           // Indices that are packed are unpacked again for each package that is looked up.
           "-o Acquire::GzipIndexes=false "
           "-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin " +
           arguments;
  }
  /// "NAME VERSION" of all that `apt-get install --no-install-recommends` would install.
  [[nodiscard]] std::set<std::string> closure(const std::string& packages) const {
    // A line is: URI, NAME_VERSION_ARCHITECTURE.deb, size, digest; a colon is %3a.
    std::istringstream lines(
        must(run("apt-get", "-qq --print-uris --no-install-recommends install " + packages + " 2>" +
                                root_ + "/errors")));
    std::set<std::string> out;
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string uri, file;
      words >> uri >> file;
      const auto name = file.find('_'), version = file.find('_', name + 1);
      std::string text = file.substr(0, name) + " " + file.substr(name + 1, version - name - 1);
      if (const auto colon = text.find("%3a"); colon != std::string::npos) {
        text.replace(colon, 3, ":");
      }
      out.insert(std::move(text));
    }
    return out;
  }

 private:
  std::string root_;
};

}  // namespace weir::test
