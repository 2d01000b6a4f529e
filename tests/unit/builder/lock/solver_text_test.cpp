#include "builder/lock/solver_text.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE(
    "the solver is given names, versions, sizes and relations, and nothing else of an index") {
  CHECK(solver_text("Package: a\nversion : 1\nSize: 3\nInstalled-Size: 4\nDescription: x\n y\n "
                    ".\nDEPENDS: b,\n c\n"
                    "SHA256: 00\n\n\nPackage: d\nTag: t,\n\tu\nVersion: 2\nPre-Depends: e") ==
        "Package: a\nversion : 1\nInstalled-Size: 4\nDEPENDS: b,\n c\n\n\nPackage: d\nVersion: "
        "2\nPre-Depends: e\n");
  CHECK(solver_text("").empty());
}

}  // namespace weir::builder
