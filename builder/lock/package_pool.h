#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "builder/lock/libsolv.h"
#include "builder/mirror/package_index.h"
#include "manifests/base/result.h"
#include "manifests/documents/image_manifest.h"

namespace weir::builder {

class SolvQueue {
 public:
  SolvQueue() { queue_init(&queue_); }
  ~SolvQueue() { queue_free(&queue_); }
  SolvQueue(const SolvQueue&) = delete;
  SolvQueue& operator=(const SolvQueue&) = delete;
  Queue* get() { return &queue_; }
  [[nodiscard]] std::vector<Id> ids() const {
    return {queue_.elements, queue_.elements + queue_.count};
  }

 private:
  Queue queue_;
};

/// The packages of all indices as libsolv has them, each by its id, and what Weir stands in for as
/// one package that is installed. Included by the solver's own sources only, as libsolv's headers.
class PackagePool {
 public:
  /// manifest  its architecture and `provides` count
  /// indices   in the manifest's order; must outlive the pool
  /// errors    invalid_input: libsolv cannot read an index
  static Result<PackagePool> load(const manifests::ImageManifest& manifest,
                                  const std::vector<PackageIndex>& indices);

  [[nodiscard]] Pool* get() const { return pool_.get(); }
  [[nodiscard]] Solvable* solvable(Id id) const { return pool_id2solvable(get(), id); }
  [[nodiscard]] std::string_view name(Id id) const { return text(solvable(id)->name); }
  [[nodiscard]] std::string_view version(Id id) const { return text(solvable(id)->evr); }
  /// The package of all that Weir stands in for.
  [[nodiscard]] bool is_stand_in(Id id) const { return solvable(id)->repo == pool_->installed; }
  [[nodiscard]] const PackageIndex& index_of(Id id) const {
    return *static_cast<const PackageIndex*>(solvable(id)->repo->appdata);
  }
  [[nodiscard]] const IndexedPackage* entry_of(Id id, const PackageIndex& index) const;

  /// All versions of one package, in the order of the indices.
  [[nodiscard]] const std::vector<Id>& named(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !named(name).empty(); }
  [[nodiscard]] std::vector<std::string_view> names() const;
  [[nodiscard]] const std::map<std::string, std::vector<Id>, std::less<>>& by_name() const {
    return by_name_;
  }

  /// Whether `a` is of a newer version; of two packages of one version the newer name counts.
  [[nodiscard]] bool newer(Id a, Id b) const;
  /// The version of a package that is taken where nothing says otherwise: of a suite that is
  /// automatic before one that is not, the newest, of the earliest index. 0: none may be chosen.
  [[nodiscard]] Id candidate(Id name) const;
  /// "6.1.37-1, 6.1.20-1": distinct, the newest first, five at most.
  [[nodiscard]] std::string versions_of(const std::vector<Id>& ids) const;

  /// What must not be chosen.
  void exclude(Id id) { MAPCLR(considered_.get(), id); }
  [[nodiscard]] bool may_be_chosen(Id id) const { return MAPTST(considered_.get(), id) != 0; }

  /// From here on relations can be looked up, and nothing be excluded.
  void prepare() { pool_createwhatprovides(get()); }
  /// Who satisfies a relation, in any version that may be chosen.
  [[nodiscard]] std::vector<Id> satisfying(Id relation) const;
  /// Pre-Depends, then Depends, each in the order of the control file.
  [[nodiscard]] std::vector<Id> requirements(Id id) const;
  /// Conflicts and Breaks.
  [[nodiscard]] std::vector<Id> conflicts(Id id) const;
  /// "a (>= 1)" and "b" of "a (>= 1) | b".
  [[nodiscard]] std::vector<Id> alternatives(Id relation) const;
  /// The name that a relation is about.
  [[nodiscard]] Id name_in(Id relation) const;
  /// A relation as a control file has it: "a (>= 1) | b".
  [[nodiscard]] std::string print(Id relation) const;

 private:
  struct FreePool {
    void operator()(Pool* pool) const { pool_free(pool); }
  };
  struct FreeMap {
    void operator()(Map* map) const {
      map_free(map);
      delete map;
    }
  };
  PackagePool() = default;
  [[nodiscard]] std::string_view text(Id id) const { return pool_id2str(get(), id); }
  Status add(const PackageIndex& index, int number);
  void drop_own_architecture(const std::string& architecture);
  void stand_in(const std::vector<std::string>& provided);

  // Destroyed after the pool, which points to it.
  std::unique_ptr<Map, FreeMap> considered_;
  std::unique_ptr<Pool, FreePool> pool_{pool_create()};
  std::map<std::string, std::vector<Id>, std::less<>> by_name_;
};

}  // namespace weir::builder
