#include "manifests/documents/maintainer_script.h"

#include <doctest/doctest.h>

namespace weir::manifests {

TEST_CASE("comments, empty lines, versions and names do not change a script's digest") {
  const std::string old =
      "#!/bin/sh\nset -e\n\n# Automatically added by dh_x/13.11.4\n"
      "depmod 6.1.0-55-cloud-amd64  \n";
  const std::string bumped =
      "#!/bin/sh\nset -e\n# Automatically added by dh_x/13.24\n"
      "depmod 6.1.0-56-cloud-amd64\n\n";
  CHECK(normalize_script(old, {"linux-image-6.1.0-55-cloud-amd64", "6.1.190-1"}) ==
        "#!/bin/sh\nset -e\ndepmod @RELEASE@\n");
  CHECK(script_digest(old, {"linux-image-6.1.0-55-cloud-amd64", "6.1.190-1"}) ==
        script_digest(bumped, {"linux-image-6.1.0-56-cloud-amd64", "6.1.192-2"}));
  CHECK(normalize_script("echo libc6 2.36-9+deb12u13\n", {"libc6", "2.36-9+deb12u13"}) ==
        "echo @PACKAGE@ @VERSION@\n");
}

TEST_CASE("the release in a script of any of a split kernel's packages does not count") {
  for (const std::string part : {"image", "binary", "modules", "base"}) {
    CAPTURE(part);
    CHECK(normalize_script("#!/bin/sh -e\nversion=7.3.4+deb13-amd64\ndepmod \"$version\"\n",
                           {"linux-" + part + "-7.3.4+deb13-amd64", "7.3.4-1~bpo13+1"}) ==
          "#!/bin/sh -e\nversion=@RELEASE@\ndepmod \"$version\"\n");
  }
}

TEST_CASE("any change of code changes the digest") {
  const ScriptOwner owner{"demo-tool", "1.0-1"};
  const std::string script = "#!/bin/sh\nset -e\nrm -f /tmp/x\n";
  for (const char* other :
       {"#!/bin/bash\nset -e\nrm -f /tmp/x\n", "#!/bin/sh\nrm -f /tmp/x\n",
        "#!/bin/sh\nset -e\nrm -f /tmp/x y\n", "#!/bin/sh\nset -e\nrm -f /tmp/x\nx\n"}) {
    CHECK(script_digest(script, owner) != script_digest(other, owner));
  }
  // What follows a backslash belongs to the line before it.
  CHECK(script_digest("a \\\n#x\nb\n", owner) != script_digest("a \\\nb\n", owner));
  CHECK(script_digest("a \\\n\nb\n", owner) != script_digest("a \\\nb\n", owner));
}

TEST_CASE("normalising once is enough") {
  const ScriptOwner owner{"demo-tool", "1.0-1"};
  const std::string once =
      normalize_script("#!/bin/sh\n\n a \\\n# b\n#c\ndemo-tool 1.0-1 \n", owner);
  CHECK(normalize_script(once, owner) == once);
}

}  // namespace weir::manifests
