#pragma once

#include <optional>
#include <string>

#include "tests/faults/disturbance.h"
#include "tests/folders.h"
#include "tests/unit/builder/release/build_fixture.h"

namespace weir::builder {

inline const std::string kBuilder = test::build_folder() + "/bin/weir-builder ";
inline const std::string kKeys = test::build_folder() + "/bin/weir-keys ";

/// A store, which `prepare` puts back.
struct Stored : Fixture {
  test::Disturbed disturbed{path()};

  void keep() const { run("mv store store.kept"); }
  [[nodiscard]] auto prepare() const {
    return [this] { run("rm -rf store out* && cp -r store.kept store"); };
  }
  /// Blobs are what their names say.
  void check_blobs() const {
    run("cd store/blobs/sha256 && for f in *; do case $f in *.*) ;; *) echo \"$f  $f\" ;; esac; "
        "done > ../sums && sha256sum -c --quiet ../sums && rm ../sums");
  }
  void again(const std::string& command) const {
    int status = 0;
    const std::string out = test::output_of("cd " + path() + " && " + command, &status);
    CHECK_MESSAGE(status == 0, out);
  }
  [[nodiscard]] std::optional<std::string> content(const std::string& file) const {
    if (!fs::exists(path() + "/" + file)) return std::nullopt;
    return read(file);
  }

  enum class Repeats : std::uint8_t { always, until_done };

  /// Disturbs a command that writes one file: that is at every moment what it was after `prepare`,
  /// or what the undisturbed command makes of it.
  template <class Prepare>
  void replaces(Prepare prepare, const std::string& command, const std::string& file,
                Repeats repeats = Repeats::always) const {
    prepare();
    const auto older = content(file);
    again(command);
    const auto newer = content(file);
    REQUIRE((newer.has_value() && newer != older));
    disturbed.everywhere(prepare, command, [&](bool done) {
      const auto now = content(file);
      CHECK((now == newer || (!done && now == older)));
      if (repeats == Repeats::always || now == older) again(command);
      CHECK(content(file) == newer);
    });
  }
};

}  // namespace weir::builder
