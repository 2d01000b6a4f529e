#include "builder/mirror/web_page.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE("a page for people is known by its beginning, and called by its title") {
  CHECK(web_page("<!DOCTYPE html><html><head><title>Log in</title>") == "a web page, 'Log in'");
  CHECK(web_page("\xef\xbb\xbf \r\n<HTML lang=en><TITLE class=x>\n a \n</TITLE>") ==
        "a web page, 'a'");
  CHECK(web_page("<?xml version=\"1.0\"?>\n<!DOCTYPE html>\n<html xmlns=\"x\">") == "a web page");
  CHECK(web_page("<!-- portal --><html>") == "a web page");
  CHECK(web_page("<html><title>never ends") == "a web page");
  CHECK(web_page("<html><title>\x1b[2Jx</title>") == "a web page, '\\x1b[2Jx'");
}

TEST_CASE("files of an archive are none") {
  for (const std::string_view file :
       {"-----BEGIN PGP SIGNED MESSAGE-----", "Package: a\nDescription: <html>", "!<arch>\n",
        ("\xfd"
         "7zXZ"),
        "", "<", "<?xml version=\"1.0\"?><rss>"}) {
    CHECK_FALSE(web_page(file).has_value());
  }
}

}  // namespace weir::builder
