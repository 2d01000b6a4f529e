#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifests/base/edge/unfinished.h"
#include "manifests/base/result.h"

namespace weir {

/// Files that belong together and take the place of older ones: each is written beside its place,
/// and once all are whole on the disk they get their names one right after the other. Who fails
/// before or in between leaves all that was there as it was, and nothing else. Only who is killed
/// between two of these renames, or fails there on a file system that cannot exchange two names,
/// leaves some of the new files beside some of the old; the order is that of the calls below.
class Replacement {
 public:
  Replacement() = default;
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement();  ///< removes what has got no name

  /// errors: as write_file
  Status write(const std::string& path, std::string_view content);
  /// One that the caller has made for `path`, filled and synced.
  void add(Unfinished made, const std::string& path);
  /// `path`, which is there, goes. errors: as make_unfinished_file
  Status remove(const std::string& path);

  /// errors: io, exhausted, naming the file
  Status finish();

 private:
  enum class Wanted { to_be_there, to_be_gone };
  enum class Done { nothing, made, exchanged, withdrawn, replaced };
  struct Step {
    Unfinished made;
    std::string path;
    Wanted wanted{};
    Done done{};
  };

  static int take(Step& step);
  [[nodiscard]] static bool put_back(const Step& step);
  tl::unexpected<Error> undone(Error why);

  std::vector<Step> steps_;
};

}  // namespace weir
