#include "builder/bill/sbom_cyclonedx.h"

#include <openssl/evp.h>

#include <array>
#include <map>
#include <nlohmann/json.hpp>

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSystem = "operating-system:debian";

// A name-based UUID, version 5 (RFC 9562, section 5.5), in the name space of URLs (section 6.6).
std::string uuid_of(std::string_view name) {
  constexpr std::array<std::uint8_t, 16> kUrl = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
                                                 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8};
  std::string input(kUrl.begin(), kUrl.end());
  input.append(name);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> sha1{};
  if (EVP_Digest(input.data(), input.size(), sha1.data(), nullptr, EVP_sha1(), nullptr) != 1) {
    std::abort();  // as in manifests/base/digest.cpp: only without memory
  }
  sha1[6] = static_cast<std::uint8_t>((sha1[6] & 0x0f) | 0x50);
  sha1[8] = static_cast<std::uint8_t>((sha1[8] & 0x3f) | 0x80);
  std::string out = hex_of(Bytes(sha1).first(16));
  for (const std::size_t at : {8U, 13U, 18U, 23U}) out.insert(at, "-");
  return out;
}

ordered_json hashes(const Digest& digest) {
  return ordered_json::array({{{"alg", "SHA-256"}, {"content", digest.hex()}}});
}

ordered_json component(const char* type, const std::string& ref, const MaterialFile& file) {
  return {{"type", type},
          {"bom-ref", ref},
          {"name", file.name},
          {"version", file.version},
          {"hashes", hashes(file.digest)}};
}

ordered_json to_json(const MaterialPackage& package) {
  ordered_json properties = ordered_json::array();
  const auto property = [&](const char* name, const std::string& value) {
    if (!value.empty()) properties.push_back({{"name", name}, {"value", value}});
  };
  // Trivy looks up Debian's advisories by it.
  property("aquasecurity:trivy:SrcName", package.source);
  property("weir:architecture", package.architecture);
  property("weir:pool-path", package.path);
  property("weir:source-package", package.source);
  property("weir:suite", package.suite);
  property("weir:why", package.why);
  ordered_json out = {{"type", "library"},
                      {"bom-ref", package.package_url},
                      {"supplier", {{"name", supplier_of(package)}}},
                      {"name", package.name},
                      {"version", package.version},
                      {"hashes", hashes(package.digest)}};
  if (!package.licenses.empty()) {
    out["licenses"] = ordered_json::array({{{"expression", package.licenses}}});
  }
  out["purl"] = package.package_url;
  out["properties"] = std::move(properties);
  return out;
}

/// Components in their order, and which depends on which.
class Graph {
 public:
  void add(ordered_json component) {
    edges_.push_back({component.at("bom-ref").get<std::string>(), ordered_json::array()});
    components_.push_back(std::move(component));
  }
  void depend(const std::string& on, const std::string& of) {
    for (auto& [ref, targets] : edges_) {
      if (ref == of) targets.push_back(on);
    }
  }
  ordered_json components() { return std::move(components_); }
  [[nodiscard]] ordered_json dependencies(const std::string& image) const {
    ordered_json out = ordered_json::array(), all = ordered_json::array();
    for (const auto& [ref, _] : edges_) all.push_back(ref);
    out.push_back({{"ref", image}, {"dependsOn", std::move(all)}});
    for (const auto& [ref, targets] : edges_) {
      out.push_back({{"ref", ref}, {"dependsOn", targets}});
    }
    return out;
  }
  [[nodiscard]] ordered_json refs() const {
    ordered_json out = ordered_json::array();
    for (const auto& [ref, _] : edges_) out.push_back(ref);
    return out;
  }

 private:
  ordered_json components_ = ordered_json::array();
  std::vector<std::pair<std::string, ordered_json>> edges_;
};

}  // namespace

std::string print_cyclonedx(const BillOfMaterials& bill) {
  const std::string image = "release:" + bill.name.string();
  Graph graph;
  // Scanners take the one component of this type for what the packages are of.
  if (!bill.debian.empty()) {
    graph.add({{"type", "operating-system"},
               {"bom-ref", kSystem},
               {"supplier", {{"name", "Debian"}}},
               {"name", "debian"},
               {"version", bill.debian}});
  }
  std::map<std::string, std::string> refs;
  for (const MaterialPackage& package : bill.packages) {
    refs[package.name] = package.package_url;
    graph.add(to_json(package));
    if (is_debians(package)) graph.depend(package.package_url, kSystem);
  }
  for (const MaterialPackage& package : bill.sources) {
    refs[package.name] = package.package_url;
    graph.add(to_json(package));
    if (is_debians(package)) graph.depend(package.package_url, kSystem);
  }
  graph.add(component("file", "kernel-image", bill.kernel));
  graph.depend("kernel-image", refs[bill.kernel.package]);
  for (const MaterialFile& module : bill.modules) {
    const std::string ref = "module:" + module.name;
    graph.add(component("file", ref, module));
    if (!module.package.empty()) graph.depend(ref, refs[module.package]);
    if (!module.source.empty()) graph.depend(refs[module.source], ref);
  }
  for (const MaterialFile& program : bill.programs) {
    ordered_json item = component("application", "program:" + program.name, program);
    item["supplier"] = {{"name", "Weir"}};
    graph.add(std::move(item));
  }
  if (bill.stub) {
    ordered_json item = component("application", "program:" + bill.stub->name, *bill.stub);
    item["scope"] = "optional";
    graph.add(std::move(item));
  }
  for (const MaterialFile& layer : bill.layers) {
    graph.add(component("file", "layer:" + layer.name, layer));
  }
  for (const MaterialPackage& package : bill.packages) {
    for (const std::string& name : package.needs) graph.depend(refs[name], package.package_url);
  }
  // As Trivy has images of machines: it refuses a bill about firmware, and about an operating
  // system beside the packages' own.
  ordered_json described =
      component("container", image, {bill.name.string(), bill.version, bill.release_digest, ""});
  ordered_json provides = ordered_json::array();
  for (const std::string& name : bill.provides) {
    provides.push_back({{"name", "weir:stands-in-for"}, {"value", name}});
  }
  if (!provides.empty()) described["properties"] = std::move(provides);
  const ordered_json compositions = {{{"aggregate", "complete"},
                                      {"assemblies", ordered_json::array({image})},
                                      {"dependencies", graph.refs()}}};
  const ordered_json dependencies = graph.dependencies(image);
  const ordered_json tool = {
      {"type", "application"}, {"name", "weir-builder"}, {"version", bill.builder_version}};
  const ordered_json out = {
      {"$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"},
      {"bomFormat", "CycloneDX"},
      {"specVersion", "1.5"},
      {"serialNumber", "urn:uuid:" + uuid_of("urn:weir:cyclonedx:" + bill.name.string() + ":" +
                                             bill.release_digest.hex())},
      {"version", 1},
      {"metadata",
       {{"timestamp", bill.created},
        {"lifecycles", ordered_json::array({{{"phase", "build"}}})},
        {"tools", {{"components", ordered_json::array({tool})}}},
        {"component", std::move(described)}}},
      {"components", graph.components()},
      {"dependencies", dependencies},
      {"compositions", compositions}};
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::builder
