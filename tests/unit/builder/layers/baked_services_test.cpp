#include "builder/layers/baked_services.h"

#include <doctest/doctest.h>

namespace weir::builder {
namespace {

manifests::ImageService unbound() {
  manifests::ImageService out{.name = "unbound", .command = {"/usr/sbin/unbound", "-d"}};
  out.user = "unbound";
  out.capabilities = {"CAP_NET_BIND_SERVICE", "CAP_SETUID"};
  out.files = {
      {.path = "/etc/unbound/key", .node = "unbound-key", .mode = 0400},
      {.path = "/lib/unbound.conf", .text = "server:\n", .owner = "unbound", .mode = 0640}};
  return out;
}

Settings settings() {
  Settings out{Digest::of(as_bytes("lock")), {}, {}, {{"node", 990}}, {}, "trixie", true};
  out.system_users = {{"unbound", 104, 105, "/var/lib/unbound", "/usr/sbin/nologin"}};
  out.system_groups = {{"keys", 300, {"unbound"}}, {"unbound", 105}};
  out.services = {unbound()};
  return out;
}

LayerFacts program_of(std::uint32_t mode) {
  const Digest none = Digest::of(as_bytes(""));
  const ListedEntry folder{EntryKind::folder, 0755, 0, 0, ""};
  std::map<std::string, ListedEntry> entries{
      {"usr", folder},
      {"usr/sbin", folder},
      {"usr/sbin/unbound", {EntryKind::file, mode, 0, 0, ""}},
      {"etc", folder},
      {"etc/init.d", folder},
      {"etc/init.d/unbound", {EntryKind::file, mode, 0, 0, ""}},
      {"etc/init.d/other", {EntryKind::file, mode, 0, 0, ""}}};
  return {{"unbound", {none, {}}, none, {}}, 0, std::move(entries), {}, {}, {}, {}};
}

}  // namespace

TEST_CASE("services are baked with the numbers of their users, groups and capabilities") {
  const auto tree = make_settings_tree(settings(), 7);
  REQUIRE_MESSAGE(tree.has_value(), tree.error().message);
  const auto at = [&](const char* path) {
    return tree->find(images::ImagePath::parse(path).value());
  };
  const images::Node* list = at("usr/lib/weir/services");
  REQUIRE(list != nullptr);
  const auto& bytes = *list->file()->content;
  const auto baked = manifests::parse_service_settings(std::string(bytes.begin(), bytes.end()));
  REQUIRE_MESSAGE(baked.has_value(), baked.error().message);
  const manifests::ServiceSettings& one = baked->at(0);
  CHECK(one.user_id == 104);
  CHECK(one.group_id == 105);
  CHECK(one.groups == std::vector<std::uint32_t>{300});
  // capabilities(7): CAP_SETUID is 7, CAP_NET_BIND_SERVICE 10.
  CHECK(one.capabilities == 0x480);
  CHECK(one.files == std::vector<manifests::NodeFilePlace>{{"unbound-key", 104, 105, 0400}});
  const images::Node* link = at("etc/unbound/key");
  REQUIRE(link != nullptr);
  REQUIRE(link->symlink() != nullptr);
  CHECK(link->symlink()->target == "/run/weir-files/unbound/unbound-key");
  const images::Node* text = at("usr/lib/unbound.conf");
  REQUIRE(text != nullptr);
  CHECK(text->uid == 104);
  CHECK(text->gid == 105);
  CHECK(text->mode == 0640);
}

TEST_CASE("an image without services has no file about them") {
  Settings none = settings();
  none.services.clear();
  const auto tree = make_settings_tree(none, 7);
  REQUIRE(tree.has_value());
  CHECK(tree->find(images::ImagePath::parse("usr/lib/weir/services").value()) == nullptr);
}

TEST_CASE("whom nobody makes is named with the field that names them") {
  const auto refusal_of = [](const std::string& user, const std::string& owner) {
    const auto document = manifests::parse_yaml(
        "services:\n  unbound:\n    command: [/usr/sbin/unbound]\n    user: " + user +
            "\n    files:\n      /lib/unbound.conf:\n        text: a\n        owner: " + owner +
            "\n",
        "m.yaml");
    REQUIRE(document.has_value());
    const auto field = manifests::YamlField::root(*document, "m.yaml").at("services");
    const auto services = manifests::parse_image_services(*field);
    REQUIRE_MESSAGE(services.has_value(), services.error().message);
    const auto fine = check_service_users(*field, *services, {{"node", 990}}, {});
    return fine ? std::string() : fine.error().message;
  };
  CHECK(refusal_of("unbound", "root")
            .starts_with("m.yaml:4: services.unbound.user: nobody makes the user 'unbound': name "
                         "it under `users`"));
  CHECK(refusal_of("node", "unbound")
            .starts_with("m.yaml:8: services.unbound.files./lib/unbound.conf.owner: nobody"));
  CHECK(refusal_of("node", "root").empty());
}

TEST_CASE("a program that is not there, or that nobody may execute, is named") {
  const std::vector<manifests::ImageService> services{unbound()};
  Overlay image;
  CHECK(missing_programs(services, image, {}) ==
        std::vector<std::string>{
            "services.unbound.command[0]: /usr/sbin/unbound is not in the image"});
  CHECK(image.add(program_of(0644)).empty());
  CHECK(missing_programs(services, image, {}) ==
        std::vector<std::string>{
            "services.unbound.command[0]: /usr/sbin/unbound is no program: nobody may execute it"});
  Overlay good;
  CHECK(good.add(program_of(0755)).empty());
  CHECK(missing_programs(services, good, {}).empty());

  SUBCASE("with where a program of its name is") {
    manifests::ImageService elsewhere = unbound();
    elsewhere.command.front() = "/usr/bin/unbound";
    CHECK(missing_programs({elsewhere}, good, {}) ==
          std::vector<std::string>{"services.unbound.command[0]: /usr/bin/unbound is not in the "
                                   "image, but /usr/sbin/unbound is"});
    elsewhere.command.front() = "/usr/bin/other";
    CHECK(missing_programs({elsewhere}, good, {}) ==
          std::vector<std::string>{"services.unbound.command[0]: /usr/bin/other is not in the "
                                   "image, but /etc/init.d/other is"});
  }
  SUBCASE("with the interpreter that is not there, whatever leads to the script") {
    manifests::ImageService script = unbound();
    script.command.front() = "/usr/sbin/../sbin/unbound";
    script.ready.command = {"/usr/sbin/unbound"};
    const std::vector<OrphanScript> orphans{{"/usr/sbin/unbound", "unbound", "/bin/bash"}};
    CHECK(missing_programs({script}, good, orphans) ==
          std::vector<std::string>{
              "services.unbound.command[0]: /usr/sbin/../sbin/unbound is a script of /bin/bash, "
              "which is not in the image",
              "services.unbound.ready.command[0]: /usr/sbin/unbound is a script of /bin/bash, "
              "which is not in the image"});
  }
}

TEST_CASE("node programs that were made before there were services are told from those since") {
  const auto known = [](std::string_view bytes) { return knows_services(as_bytes(bytes)); };
  CHECK_FALSE(known(""));
  CHECK_FALSE(known(std::string_view("/usr/lib/weir/weir-node\0/usr/lib/weir/modules\0", 46)));
  CHECK(known(std::string_view("\177ELF\0\0/usr/lib/weir/services\0", 31)));
  // As gcc 12 made it of the first programs that read it.
  CHECK(known("/run/weir/networ/usr/lib/weir/se/run/weir/servic"));
}

}  // namespace weir::builder
