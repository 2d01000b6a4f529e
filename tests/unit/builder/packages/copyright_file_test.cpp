#include "builder/packages/copyright_file.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

const std::string kFormat =
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n";

std::string files(const std::string& license) {
  return "\nFiles: *\nCopyright: nobody\nLicense: " + license + "\n";
}

}  // namespace

// Names of DEP-5, chapter 7.1, beside the identifiers of SPDX's list.
TEST_CASE("names with one meaning become SPDX's, all others refer to the file") {
  const std::pair<const char*, const char*> cases[] = {
      {"Expat", "MIT"},
      {"GPL-2", "GPL-2.0-only"},
      {"GPL-2.0", "GPL-2.0-only"},
      {"gpl-2+", "GPL-2.0-or-later"},
      {"LGPL-2.1+", "LGPL-2.1-or-later"},
      {"GPL-3.0-or-later", "GPL-3.0-or-later"},
      {"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
      {"BSD-3-clause", "BSD-3-Clause"},
      {"Apache-2.0", "Apache-2.0"},
      {"ISC", "ISC"},
      {"zlib", "Zlib"},
      {"public-domain", "LicenseRef-public-domain"},
      {"MIT", "LicenseRef-MIT"},
      {"GPL", "LicenseRef-GPL"},
      {"GPL-4", "LicenseRef-GPL-4"},
      {"Artistic", "LicenseRef-Artistic"},
      {"GPL-2+-or-X11", "LicenseRef-GPL-2PLUS-or-X11"},
      {"__AUTO_PERMISSIVE__", "LicenseRef-AUTO-PERMISSIVE"},
  };
  for (const auto& [name, expected] : cases) {
    const auto& shown = name;
    CAPTURE(shown);
    CHECK(license_expression(name) == expected);
  }
}

TEST_CASE("lists of licences, exceptions and commas are read as DEP-5 says") {
  const std::pair<const char*, const char*> cases[] = {
      {"GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"},
      {"GPL-1+ or ISC and Zlib", "GPL-1.0-or-later OR ISC AND Zlib"},
      {"GPL-2+ or Artistic-2.0, and BSD-3-clause",
       "(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause"},
      {"ISC, and Zlib", "ISC AND Zlib"},
      {"ISC or X11, and Zlib or Expat, or curl", "((ISC OR X11) AND (Zlib OR MIT)) OR curl"},
      {"GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"},
      {"GPL-3+ with Bison exception", "LicenseRef-GPL-3PLUS-with-Bison-exception"},
      {"GPL-2 with OpenSSL exception or ISC", "LicenseRef-GPL-2-with-OpenSSL-exception OR ISC"},
      // Not a list: one name, whatever it means.
      {"BSD 3 clause", "LicenseRef-BSD-3-clause"},
      {"GPL-2 or", "LicenseRef-GPL-2-or"},
      {"GPL-2 with love", "LicenseRef-GPL-2-with-love"},
      {"ISC,", "LicenseRef-ISC"},
      {"", "LicenseRef-unnamed"},
  };
  for (const auto& [synopsis, expected] : cases) {
    const auto& shown = synopsis;
    CAPTURE(shown);
    CHECK(license_expression(synopsis) == expected);
  }
}

TEST_CASE("a copyright file declares the conjunction of what it says of files") {
  CHECK(declared_licenses(kFormat + files("ISC")) == "ISC");
  CHECK(declared_licenses(kFormat + files("ISC") + files("GPL-2 or Expat\n Text.") + files("ISC") +
                          "\nLicense: GPL-2\n Text.\n") == "(GPL-2.0-only OR MIT) AND ISC");
  CHECK(declared_licenses(kFormat + "License: X11\n" + files("ISC")) == "ISC AND X11");
  CHECK(declared_licenses(kFormat + files("ISC or X11")) == "ISC OR X11");
  CHECK(declared_licenses(kFormat + files("Zlib and ISC") + files("ISC")) == "ISC AND Zlib");
}

TEST_CASE("of a file that is not machine-readable, or leaves something out, nothing is known") {
  for (const std::string& text :
       {std::string(), std::string("This package is free.\n"), files("ISC"),
        "Format: mine\n" + files("ISC"), kFormat, kFormat + files(""),
        kFormat + files("ISC") + "\nFiles: x\nCopyright: y\n",
        kFormat + files("ISC") + "\nno field", kFormat + "\nLicense: ISC\n Text.\n"}) {
    CAPTURE(text);
    CHECK(declared_licenses(text).empty());
  }
}

TEST_CASE("what no person writes is not machine-readable, and takes no time to find out") {
  std::string list = "ISC";
  while (list.size() + 11 <= 4096) list += " or ISC, or";
  list.resize(list.size() - 4);
  CHECK_FALSE(declared_licenses(kFormat + files(list)).empty());
  CHECK(declared_licenses(kFormat + files(list + std::string(4097 - list.size(), 'x'))).empty());

  const std::string good = kFormat + files("ISC\n Text.");
  CHECK(declared_licenses(good + " " + std::string((4U << 20) - good.size() - 1, 'x')) == "ISC");
  CHECK(declared_licenses(good + " " + std::string((4U << 20) - good.size(), 'x')).empty());

  std::string fields;
  for (int i = 0; i < 300; ++i) fields += "F" + std::to_string(i) + ": x\n";
  CHECK(declared_licenses(kFormat + files("ISC") + "\n" + fields).empty());

  std::string expected = "ISC", commas = "ISC";
  for (int i = 0; i < 300000; ++i) {
    commas += ", or X11";
    expected += (i == 0 ? "" : ")") + std::string(" OR X11");
  }
  CHECK(license_expression(commas) == std::string(299999, '(') + expected);
}

TEST_CASE("an expression's own licences are listed once") {
  CHECK(license_references("(LicenseRef-b OR MIT) AND LicenseRef-a AND LicenseRef-b") ==
        std::vector<std::string>{"LicenseRef-a", "LicenseRef-b"});
  CHECK(license_references("MIT").empty());
}

}  // namespace weir::builder
