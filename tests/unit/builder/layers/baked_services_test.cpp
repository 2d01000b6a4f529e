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
      {"usr/sbin/unbound", {EntryKind::file, mode, 0, 0, ""}}};
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
  const auto refusal_of = [](const manifests::ImageService& service) {
    const auto fine = check_service_users({service}, {{"node", 990}}, {});
    return fine ? std::string() : fine.error().message;
  };
  CHECK(refusal_of(unbound()).starts_with(
      "services.unbound.user: nobody makes the user 'unbound': name it under `users`"));
  manifests::ImageService ours = unbound();
  ours.user = "node";
  CHECK(refusal_of(ours).starts_with("services.unbound.files./lib/unbound.conf.owner: nobody"));
  ours.files[1].owner = "root";
  CHECK(refusal_of(ours).empty());
}

TEST_CASE("a program that is not there, or that nobody may execute, is named") {
  const std::vector<manifests::ImageService> services{unbound()};
  Overlay image;
  CHECK(missing_programs(services, image) ==
        std::vector<std::string>{
            "services.unbound.command[0]: /usr/sbin/unbound is not in the image"});
  CHECK(image.add(program_of(0644)).empty());
  CHECK(missing_programs(services, image) ==
        std::vector<std::string>{
            "services.unbound.command[0]: /usr/sbin/unbound is no program: nobody may execute it"});
  Overlay good;
  CHECK(good.add(program_of(0755)).empty());
  CHECK(missing_programs(services, good).empty());
}

}  // namespace weir::builder
