#include "builder/mirror/snapshot.h"

#include <doctest/doctest.h>

namespace weir::builder {

TEST_CASE("a snapshot service is asked for hours after an index's date, and then for the date") {
  // date -u -d '2025-05-20 02:10:46' +%s
  const auto addresses = snapshot_addresses("https://snap.example/archive/{archive}/{time}",
                                            "debian-security", 1747707046);
  REQUIRE(addresses.has_value());
  CHECK(*addresses ==
        std::vector<std::string>{"https://snap.example/archive/debian-security/20250520T081046Z",
                                 "https://snap.example/archive/debian-security/20250521T081046Z",
                                 "https://snap.example/archive/debian-security/20250520T021046Z"});
}

TEST_CASE("a snapshot service is spoken to as mirrors are, and no other way") {
  for (const char* spoken :
       {"http://s/{time}", "HTTPS://s/{time}", "file:/s/{time}", "copy:/s/{time}"}) {
    CAPTURE(spoken);
    CHECK(check_snapshot(spoken).has_value());
  }
  for (const char* other : {"ftp://s/{time}", "rsync://s/{time}"}) {
    CAPTURE(other);
    const auto status = check_snapshot(other);
    REQUIRE_FALSE(status.has_value());
    CHECK(status.error().code == Errc::invalid_input);
    CHECK(status.error().message.ends_with(" is neither http, https, file nor copy"));
  }
}

TEST_CASE("a scheme needs a time, and an archive's name where it asks for one") {
  CHECK(check_snapshot("file:/srv/snap/{time}/debian").has_value());
  const auto timeless = check_snapshot("https://ann:secret@snap.example/debian");
  REQUIRE_FALSE(timeless.has_value());
  CHECK(timeless.error().message == "https://snap.example/debian has no {time} in it");
  CHECK_FALSE(check_snapshot("{time}").has_value());
  CHECK(snapshot_addresses("http://s/{archive}/{time}", "", 0).error().code == Errc::not_found);
  CHECK(snapshot_addresses("http://s/{time}", "", 0).has_value());
}

}  // namespace weir::builder
