#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/layers/layer_facts.h"
#include "manifests/base/result.h"
#include "manifests/documents/lock.h"

namespace weir::builder {

/// All layers of an image laid over one another: which path is whose.
class Overlay {
 public:
  struct Place {
    std::string layer;
    ListedEntry entry;
  };

  /// Puts a layer on top. `replaces`: paths of lower layers that it may take the place of.
  /// errors: invalid_input: two layers have the same path (folders excepted, where owner and mode
  /// agree), or one has a file where another needs a folder; it names path and layers
  Status add(const LayerFacts& layer, const std::set<std::string>& replaces = {});

  /// The path that `path` ("/usr/bin/x", or without the first slash) leads to, all links followed,
  /// as the kernel would. Empty where there is nothing or links go round.
  [[nodiscard]] std::optional<std::string> resolve(std::string_view path) const;
  [[nodiscard]] const Place* find(const std::string& path) const;

 private:
  std::map<std::string, Place> places_;
};

/// Whether everything that can be run or loaded finds its interpreter and its libraries inside the
/// image, where the C library looks without a cache: run path, then the default folders; and
/// whether the libraries define the versions of symbols that are asked of them. errors: not_found,
/// naming each file and what it misses (up to ten) source: ld.so(8); Debian's default folders
[[nodiscard]] Status check_libraries(const Overlay& image, const std::vector<LayerFacts>& layers);

/// Whether a person has accounted for every script that would have run at installation.
/// errors: unauthorized, naming each package, script and digest that the manifest does not accept
[[nodiscard]] Status check_scripts(const std::vector<LayerFacts>& layers,
                                   const std::vector<manifests::AcceptedScript>& accepted);

}  // namespace weir::builder
