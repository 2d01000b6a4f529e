#pragma once

#include <cstdlib>
#include <string>

#include "tests/unit/images/scratch.h"

namespace weir::builder {

/// An apt of the test's own: its sources, configuration, lists and login files in a folder, which
/// APT_CONFIG names as long as this lives. HOME is that folder too.
class AptRoot {
 public:
  explicit AptRoot(const std::string& sources = "", const std::string& settings = "") {
    test::must("cd " + path() +
               " && mkdir -p etc/apt/apt.conf.d etc/apt/auth.conf.d etc/apt/preferences.d "
               "etc/apt/sources.list.d var/lib/apt/lists/partial "
               "var/cache/apt/archives/partial && touch status");
    write("etc/apt/sources.list", sources);
    write("apt.conf", "Dir \"" + path() + "/\";\nDir::State::status \"" + path() +
                          "/status\";\nAPT::Sandbox::User \"root\";\n"
                          "Acquire::Languages \"none\";\nAcquire::Retries \"0\";\n" +
                          settings);
    ::setenv("APT_CONFIG", (path() + "/apt.conf").c_str(), 1);
    ::setenv("HOME", path().c_str(), 1);
  }
  ~AptRoot() {
    ::unsetenv("APT_CONFIG");
    ::setenv("HOME", home_.c_str(), 1);
  }
  AptRoot(const AptRoot&) = delete;
  AptRoot& operator=(const AptRoot&) = delete;

  void write(const std::string& file, const std::string& text) const {
    REQUIRE(write_file(path() + "/" + file, text).has_value());
  }
  [[nodiscard]] const std::string& path() const { return folder_.path; }
  /// What apt-get prints.
  static std::string apt_get(const std::string& arguments) {
    return test::output_of("LC_ALL=C apt-get -q " + arguments);
  }

 private:
  test::TemporaryFolder folder_;
  std::string home_ = std::getenv("HOME") == nullptr ? "/" : std::getenv("HOME");
};

}  // namespace weir::builder
