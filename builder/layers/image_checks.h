#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "builder/layers/layer_facts.h"
#include "manifests/base/result.h"
#include "manifests/documents/architecture.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// All layers of an image laid over one another: which path is whose.
class Overlay {
 public:
  struct Place {
    std::string layer;
    ListedEntry entry;
  };

  /// `settled`: folders whose owner and mode somebody decides, whatever layers say.
  explicit Overlay(std::set<std::string> settled = {}) : settled_(std::move(settled)) {}

  /// From now on somebody decides of these folders too.
  void settle(const std::set<std::string>& folders) {
    settled_.insert(folders.begin(), folders.end());
  }

  /// Puts a layer on top. `replaces`: paths of lower layers that it may take the place of.
  /// returns a line for each conflict, naming path and layers: two layers have the same path
  /// (folders excepted, where owner and mode agree, or are settled: then the upper one's count), or
  /// one has a file where another needs a folder; the lower layer keeps the place
  [[nodiscard]] std::vector<std::string> add(const LayerFacts& layer,
                                             const std::set<std::string>& replaces = {});

  /// The path that `path` ("/usr/bin/x", or without the first slash) leads to, all links followed,
  /// as the kernel would. Empty where there is nothing or links go round.
  [[nodiscard]] std::optional<std::string> resolve(std::string_view path) const;
  [[nodiscard]] const Place* find(const std::string& path) const;
  /// Files of this name that somebody may execute, wherever they lie: "/usr/sbin/x".
  [[nodiscard]] std::vector<std::string> programs_named(std::string_view name) const;
  /// What lies right in a folder, by name.
  [[nodiscard]] std::vector<std::pair<std::string, const ListedEntry*>> entries_in(
      const std::string& folder) const;

 private:
  std::set<std::string> settled_;
  std::map<std::string, Place> places_;
};

/// Whether everything that can be run or loaded finds its interpreter and its libraries inside the
/// image, where the C library looks: run path, the folders of /etc/ld.so.conf, then the default
/// ones; and whether the libraries define the versions of symbols that are asked of them. What is
/// of another architecture is passed over.
/// returns a line for each file and what it misses   source: ld.so(8); Debian's default folders
[[nodiscard]] std::vector<std::string> missing_links(const Overlay& image,
                                                     const std::vector<LayerFacts>& layers,
                                                     const manifests::Architecture& architecture);

/// Whether a person has accounted for this script.
[[nodiscard]] bool is_accepted(const std::vector<manifests::AcceptedScript>& accepted,
                               const std::string& package, const std::string& script,
                               const Digest& digest);

/// Scripts that would have run at installation and that nobody has accounted for.
/// returns a line for each: package, script and digest
[[nodiscard]] std::vector<std::string> open_scripts(
    const std::vector<LayerFacts>& layers, const std::vector<manifests::AcceptedScript>& accepted);

/// A program that the image cannot run, since its first line names one that is not there.
struct OrphanScript {
  std::string path, package, interpreter;  ///< "/usr/bin/x"; of `env`, what it misses
  bool operator==(const OrphanScript&) const = default;
};
/// In the order of the layers. What `env` looks for is looked for where a shell would.
[[nodiscard]] std::vector<OrphanScript> orphan_scripts(const Overlay& image,
                                                       const std::vector<LayerFacts>& layers);

}  // namespace weir::builder
