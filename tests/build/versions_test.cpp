// Both example images in one channel, as a fleet gets them: nobody counts versions.
#include "example.h"
#include "tests/folders.h"

namespace weir::test {
namespace {

struct Channel {
  Example old_line{"gateway-6.1"}, new_line{"gateway-6.12"};

  Channel() {
    new_line.run("cp " + old_line.folder.path + "/k.key " + old_line.folder.path + "/k.pub .");
    (void)old_line.build();
    add(new_line);
    old_line.run(test::build_folder() +
                 "/bin/weir-keys trust init --out trust.json --add root=k.pub --sign k.key");
  }
  void add(const Example& example) const {
    (void)example.build("true", old_line.folder.path + "/store");
  }
  [[nodiscard]] std::string verify(const std::string& name) const {
    return old_line.run(test::build_folder() + "/bin/weir-builder verify " + name +
                        " --store store --trust trust.json --state state 2>&1 || true");
  }
  [[nodiscard]] json version(const std::string& name) const {
    return json::parse(bytes_of(old_line.folder.path + "/store/releases/" + name + "/release.json"))
        .at("version");
  }
};

}  // namespace

TEST_CASE("a channel moves between both examples, and back only while neither is newer") {
  const Channel channel;
  CHECK(channel.version("gateway-6.1") == channel.version("gateway-6.12"));
  for (const char* name : {"gateway-6.1", "gateway-6.12", "gateway-6.1"}) {
    CHECK(channel.verify(name).find(std::string(name) + " is whole") != std::string::npos);
  }
  channel.new_line.run("sed -i 's/^command_line: /command_line: quiet /' image.yaml");
  channel.new_line.lock();
  channel.add(channel.new_line);
  CHECK(channel.version("gateway-6.12") == channel.version("gateway-6.1").get<std::uint64_t>() + 1);
  CHECK(channel.verify("gateway-6.12").find("is whole") != std::string::npos);
  CHECK(channel.verify("gateway-6.1").find("(release gateway-6.12) was accepted here before") !=
        std::string::npos);
}

}  // namespace weir::test
