#include "images/store/release_services.h"

#include <doctest/doctest.h>

#include "images/formats/layer.h"
#include "tests/unit/images/store/memory_store.h"

namespace weir::images {
namespace {

// A release of one layer with one file.
manifests::Release release_with(Store& store, const std::string& layer, const char* path,
                                const std::string& text) {
  FileTree tree;
  for (const char* folder : {"usr", "usr/lib", "usr/lib/weir"}) {
    REQUIRE(tree.put(*ImagePath::parse(folder), {0755, 0, 0, 0, Folder{}}).has_value());
  }
  REQUIRE(tree.put(*ImagePath::parse(path), {0644, 0, 0, 0, File{content_of(text)}}).has_value());
  const auto encoded = encode_layer(tree, 0);
  REQUIRE(encoded.has_value());
  REQUIRE(store.write_blob(encoded->blob.digest, encoded->bytes).has_value());
  return {.name = *ReleaseName::parse("demo"),
          .architecture = "amd64",
          .source_epoch = 1,
          .lock_digest = Digest::of({}),
          .kernel = {"linux-image", "1-1", "1", std::string(40, 'a'), {Digest::of({}), {}}},
          .modules = {},
          .tools = {},
          .packages = {},
          .provides = {},
          .layers = {{layer, encoded->blob, encoded->content_digest, encoded->content_size}},
          .command_line = "quiet",
          .sources = {},
          .builder_version = "1"};
}

const std::string kText = print(std::vector<manifests::ServiceSettings>{
    {.name = "unbound", .command = {"/usr/sbin/unbound"}, .files = {{"zone-key"}}}});

}  // namespace

TEST_CASE("the services of a release are those that its settings layer names") {
  test::MemoryStore store;
  const auto found =
      read_services(store, release_with(store, "weir-settings", "usr/lib/weir/services", kText));
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  REQUIRE(found->size() == 1);
  CHECK(found->front().name == "unbound");
  CHECK(found->front().files.front().name == "zone-key");

  // A package's file is none of Weir's, and most images have no services.
  const auto none =
      read_services(store, release_with(store, "a-package", "usr/lib/weir/services", kText));
  CHECK(none == std::vector<manifests::ServiceSettings>());
  CHECK(read_services(store, release_with(store, "weir-settings", "usr/lib/weir/tools", "")) ==
        std::vector<manifests::ServiceSettings>());
}

TEST_CASE("a list of services that cannot be read, or is not there, is an error that names it") {
  test::MemoryStore store;
  const auto damaged =
      read_services(store, release_with(store, "weir-settings", "usr/lib/weir/services", "what\n"));
  REQUIRE_FALSE(damaged.has_value());
  CHECK(damaged.error().code == Errc::integrity);
  CHECK(damaged.error().message.starts_with("layer weir-settings: services: "));
  test::MemoryStore other;
  const auto missing =
      read_services(other, release_with(store, "weir-settings", "usr/lib/weir/services", kText));
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == Errc::not_found);
}

}  // namespace weir::images
