#include "images/boot/rootfs_image.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "images/tree/overlaid.h"

namespace weir::images {
namespace {

ImagePath path(const char* text) {
  return *ImagePath::parse(text);
}

Node root_folder(std::uint32_t mode) {
  return {mode, 0, 0, 1, Folder{}};
}
Node root_file(const char* text) {
  return {0644, 0, 0, 1, File{content_of(text)}};
}

}  // namespace

TEST_CASE("layers stay as they are up to what old engines load, and then the smallest are joined") {
  std::vector<ByteCount> sizes(kMostRootfsLayers, ByteCount{7});
  CHECK(group_rootfs_layers(sizes) == std::vector<std::size_t>(kMostRootfsLayers, 1));
  CHECK(group_rootfs_layers({}).empty());
  // 3 and 1 are the first of the smallest neighbours, then 2 and 2.
  const std::vector<ByteCount> seven = {{100}, {3}, {1}, {50}, {2}, {2}, {100}};
  CHECK(group_rootfs_layers(seven, 6) == std::vector<std::size_t>{1, 2, 1, 1, 1, 1});
  CHECK(group_rootfs_layers(seven, 5) == std::vector<std::size_t>{1, 2, 1, 2, 1});
  CHECK(group_rootfs_layers(seven, 1) == std::vector<std::size_t>{7});
  // 140 did not load in Docker 20.10; its limit is 125.
  sizes.assign(140, ByteCount{1});
  const auto joined = group_rootfs_layers(sizes);
  CHECK(joined.size() < 120);
  CHECK(std::accumulate(joined.begin(), joined.end(), std::size_t{0}) == 140);
}

TEST_CASE("trees laid over one another are what unpacking them one after another leaves") {
  FileTree below, above;
  REQUIRE(below.put(path("etc"), root_folder(0700)).has_value());
  REQUIRE(below.put(path("etc/one"), root_file("below")).has_value());
  REQUIRE(below.put(path("etc/two"), root_file("below")).has_value());
  REQUIRE(above.put(path("etc"), root_folder(0755)).has_value());
  REQUIRE(above.put(path("etc/two"), root_file("above")).has_value());
  const auto out = overlaid({below, above});
  REQUIRE(out.has_value());
  CHECK(out->nodes().size() == 3);
  CHECK(out->find(path("etc"))->mode == 0755);
  CHECK(*out->find(path("etc/one"))->file()->content == *content_of("below"));
  CHECK(*out->find(path("etc/two"))->file()->content == *content_of("above"));
  FileTree clash;
  REQUIRE(clash.put(path("etc"), root_file("a file where a folder was")).has_value());
  CHECK(overlaid({below, clash}).error().code == Errc::invalid_input);
}

}  // namespace weir::images
