// weir-builder killed, or on a full disk, while it locks: the lock is the old or the new, and
// whole, and so is what the cache has.
#include <string>

#include "tests/faults/disturbance.h"
#include "tests/folders.h"
#include "tests/unit/builder/layers/archive_fixture.h"

namespace weir::builder {

TEST_CASE_FIXTURE(Archive, "a lock that is disturbed is the old one or the new one") {
  REQUIRE(lock().status == 0);
  const std::string older = text();
  republish(packages + paragraph("lib", "1.2"));
  test::must("cd " + folder.path + " && mv cache cache.kept && cp image.lock.json old");
  HttpServer server(HttpServer::files(files));
  const std::string command = test::build_folder() + "/bin/weir-builder lock image.yaml --mirror " +
                              server.url() + "/debian/ --cache cache";
  const auto again = [&] {
    test::must("cd " + folder.path + " && " + command + " 2> errors || { cat errors; exit 1; }; " +
               "rm errors");
  };
  const auto fresh = [&] {
    test::must("cd " + folder.path +
               " && rm -rf cache && cp -r cache.kept cache && cp old image.lock.json");
  };
  const auto check_cache = [&] {
    test::must("cd " + folder.path +
               "/cache/blobs/sha256 && for f in *; do case $f in *.*|'*') ;; *) "
               "echo \"$f  $f\" ;; esac; done > ../sums && { [ ! -s ../sums ] || sha256sum -c "
               "--quiet ../sums; } && rm ../sums");
  };
  fresh();
  again();
  const std::string newer = text();
  REQUIRE(newer != older);
  const auto after = [&] {
    again();
    CHECK(text() == newer);
    check_cache();
    CHECK(test::must("ls -A " + folder.path + "/cache/partial") == "");
  };
  const test::Disturbed disturbed{folder.path};
  disturbed.everywhere(fresh, command, [&](bool done) {
    const std::string now_there = text();
    CHECK((now_there == newer || (!done && now_there == older)));
    check_cache();
    after();
  });
  // The first of all, with nothing there: no cache and no lock.
  const auto nothing = [&] {
    test::must("cd " + folder.path + " && rm -rf cache image.lock.json");
  };
  disturbed.everywhere(nothing, command, [&](bool done) {
    CHECK((std::filesystem::exists(path()) ? text() == newer : !done));
    if (std::filesystem::exists(folder.path + "/cache/blobs/sha256")) check_cache();
    after();
  });
}

}  // namespace weir::builder
