#include "deployer/orders/control.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "deployer/serve/edge/control_socket.h"
#include "tests/patience.h"

namespace weir::deployer {

TEST_CASE("replies survive the wire") {
  ControlReply reply{{}, "a\nb \"c\"\n", R"({"order":"deploy"})", "wrong", "busy", 3};
  CHECK(*parse_control_reply(print(reply)) == reply);
  reply = {};
  reply.progress = "half";
  CHECK(*parse_control_reply(print(reply)) == reply);
}

TEST_CASE("what is no reply is refused") {
  for (const char* bad : {"", "[]", "{", "{}"}) CHECK_FALSE(parse_control_reply(bad).has_value());
}

TEST_CASE("lines pass a socket that only its owner may use, however long its path") {
  std::string folder = (std::filesystem::temp_directory_path() / "weir-control-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string deep = folder + "/" + std::string(120, 'd');
  std::filesystem::create_directory(deep);
  const std::string path = deep + "/control.sock";
  CHECK(connect_control(path).error().code == Errc::not_found);
  {
    auto listener = ControlListener::open(path);
    REQUIRE(listener.has_value());
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    std::thread client([&] {
      auto connection = connect_control(path);
      REQUIRE(connection.has_value());
      CHECK(connection->send("one").has_value());
      CHECK(connection->send(std::string(200000, 'x')).has_value());
    });
    auto connection = listener->accept(test::kPatience);
    REQUIRE(connection.has_value());
    REQUIRE(connection->has_value());
    CHECK(**(*connection)->receive(test::kPatience) == "one");
    CHECK((**(*connection)->receive(test::kPatience)).size() == 200000);
    client.join();
    CHECK_FALSE((*connection)->receive(test::kPatience).has_value());
  }
  CHECK(connect_control(path).error().code == Errc::not_found);
  std::filesystem::remove_all(folder);
}

}  // namespace weir::deployer
