#include "builder/bill/sbom_spdx.h"

#include <map>
#include <nlohmann/json.hpp>

#include "builder/packages/copyright_file.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

constexpr const char* kDocument = "SPDXRef-DOCUMENT";
constexpr const char* kImage = "SPDXRef-Image";
constexpr const char* kSpdxSystem = "SPDXRef-OperatingSystem-debian";
constexpr const char* kKernel = "SPDXRef-KernelImage";
constexpr const char* kUnknown = "NOASSERTION";

// Letters, digits, '.' and '-' (clause 7.2). Names of Debian packages have no capital letters and
// those of modules no full stop, so that no two names become one.
std::string spdx_id(std::string_view kind, std::string_view name) {
  std::string out = "SPDXRef-" + std::string(kind) + "-";
  for (const char c : name) {
    if (c == '+') {
      out += "PLUS";
    } else if (c == '_') {
      out += '.';
    } else {
      out += c;
    }
  }
  return out;
}

ordered_json element(const std::string& id, const std::string& name, const std::string& version,
                     const Digest& digest, const char* purpose, const std::string& supplier) {
  return {{"SPDXID", id},
          {"name", name},
          {"versionInfo", version},
          {"supplier", supplier},
          {"downloadLocation", kUnknown},
          {"filesAnalyzed", false},
          {"checksums",
           ordered_json::array({{{"algorithm", "SHA256"}, {"checksumValue", digest.hex()}}})},
          {"licenseConcluded", kUnknown},
          {"licenseDeclared", kUnknown},
          {"copyrightText", kUnknown},
          {"primaryPackagePurpose", purpose}};
}

ordered_json spdx_package(const MaterialPackage& package) {
  ordered_json out = element(spdx_id("Package", package.name), package.name, package.version,
                             package.digest, "INSTALL", "Organization: " + supplier_of(package));
  out["packageFileName"] = package.path;
  out["externalRefs"] = ordered_json::array({{{"referenceCategory", "PACKAGE-MANAGER"},
                                              {"referenceType", "purl"},
                                              {"referenceLocator", package.package_url}}});
  if (!package.licenses.empty()) out["licenseDeclared"] = package.licenses;
  if (!package.source.empty()) {
    out["sourceInfo"] = "built package from: " + package.source;  // as Trivy reads it
  }
  out["comment"] = package.why;
  return out;
}

class Relationships {
 public:
  void add(const std::string& from, const char* type, const std::string& to) {
    list_.push_back(
        {{"spdxElementId", from}, {"relationshipType", type}, {"relatedSpdxElement", to}});
  }
  ordered_json take() { return std::move(list_); }

 private:
  ordered_json list_ = ordered_json::array();
};

// Where the words of the licences are that SPDX has no name for (clause 10): one name may stand for
// other words in another package, so it says in which.
ordered_json extracted_licenses(const std::vector<MaterialPackage>& packages) {
  std::map<std::string, std::string> users;
  for (const MaterialPackage& package : packages) {
    for (const std::string& id : license_references(package.licenses)) {
      users[id] += (users[id].empty() ? "" : ", ") + package.name;
    }
  }
  ordered_json out = ordered_json::array();
  for (const auto& [id, names] : users) {
    out.push_back(
        {{"licenseId", id},
         {"name", id.substr(id.find('-') + 1)},
         {"extractedText",
          "Its words are in /usr/share/doc/PACKAGE/copyright in the image, of: " + names}});
  }
  return out;
}

ordered_json image_of(const BillOfMaterials& bill) {
  ordered_json out =
      element(kImage, bill.name.string(), bill.version, bill.release_digest, "CONTAINER", kUnknown);
  out["packageFileName"] = "releases/" + bill.name.string() + "/release.json";
  std::string provides;
  for (const std::string& name : bill.provides) provides += (provides.empty() ? "" : ", ") + name;
  if (!provides.empty()) out["comment"] = "stands in for the packages " + provides;
  return out;
}

std::string supplier_of_kernel(const BillOfMaterials& bill) {
  for (const MaterialPackage& package : bill.packages) {
    if (package.name == bill.kernel.package) return supplier_of(package);
  }
  return "Debian";
}

// The Debian that the packages are of. No file of the image is it.
ordered_json system_of(const BillOfMaterials& bill) {
  return {{"SPDXID", kSpdxSystem},        {"name", "debian"},
          {"versionInfo", bill.debian},   {"supplier", "Organization: Debian"},
          {"downloadLocation", kUnknown}, {"filesAnalyzed", false},
          {"licenseConcluded", kUnknown}, {"licenseDeclared", kUnknown},
          {"copyrightText", kUnknown},    {"primaryPackagePurpose", "OPERATING_SYSTEM"}};
}

}  // namespace

std::string print_spdx(const BillOfMaterials& bill) {
  ordered_json packages = ordered_json::array();
  Relationships relations;
  packages.push_back(image_of(bill));
  relations.add(kDocument, "DESCRIBES", kImage);
  if (!bill.debian.empty()) {
    packages.push_back(system_of(bill));
    relations.add(kImage, "CONTAINS", kSpdxSystem);
  }
  for (const MaterialPackage& package : bill.packages) {
    packages.push_back(spdx_package(package));
    const std::string id = spdx_id("Package", package.name);
    relations.add(bill.debian.empty() || !is_debians(package) ? kImage : kSpdxSystem, "CONTAINS",
                  id);
    for (const std::string& name : package.needs) {
      relations.add(id, "DEPENDS_ON", spdx_id("Package", name));
    }
  }
  for (const MaterialPackage& package : bill.sources) {
    packages.push_back(spdx_package(package));
    if (bill.debian.empty() || !is_debians(package)) continue;
    relations.add(kSpdxSystem, "CONTAINS", spdx_id("Package", package.name));
  }
  packages.push_back(element(kKernel, bill.kernel.name, bill.kernel.version, bill.kernel.digest,
                             "FILE", "Organization: " + supplier_of_kernel(bill)));
  relations.add(kImage, "CONTAINS", kKernel);
  relations.add(spdx_id("Package", bill.kernel.package), "CONTAINS", kKernel);
  for (const MaterialFile& module : bill.modules) {
    const std::string id = spdx_id("Module", module.name);
    packages.push_back(element(id, module.name, module.version, module.digest, "FILE", kUnknown));
    relations.add(module.package.empty() ? kImage : spdx_id("Package", module.package), "CONTAINS",
                  id);
    if (!module.source.empty()) {
      relations.add(id, "GENERATED_FROM", spdx_id("Package", module.source));
    }
  }
  for (const MaterialFile& program : bill.programs) {
    const std::string id = spdx_id("Program", program.name);
    packages.push_back(element(id, program.name, program.version, program.digest, "APPLICATION",
                               "Organization: Weir"));
    relations.add(kImage, "CONTAINS", id);
  }
  // Part of the exports that firmware starts, not of the release's own files.
  if (bill.stub) {
    const std::string id = spdx_id("Program", bill.stub->name);
    packages.push_back(element(id, bill.stub->name, bill.stub->version, bill.stub->digest,
                               "APPLICATION", "Organization: Debian"));
    relations.add(id, "OPTIONAL_COMPONENT_OF", kImage);
  }
  for (const MaterialFile& layer : bill.layers) {
    const std::string id = spdx_id("Layer", layer.name);
    packages.push_back(
        element(id, layer.name, layer.version, layer.digest, "ARCHIVE", "Organization: Weir"));
    relations.add(kImage, "CONTAINS", id);
  }
  const ordered_json licenses = extracted_licenses(bill.packages);
  const std::string name_space =
      "urn:weir:spdx:" + bill.name.string() + ":" + bill.release_digest.hex();
  ordered_json out = {
      {"spdxVersion", "SPDX-2.3"},
      {"dataLicense", "CC0-1.0"},
      {"SPDXID", kDocument},
      {"name", bill.name.string()},
      {"documentNamespace", name_space},
      {"creationInfo",
       {{"created", bill.created},
        {"creators", ordered_json::array({"Tool: weir-builder-" + bill.builder_version})},
        {"comment", "The date is that of the newest signed index behind the release."}}},
      {"packages", std::move(packages)},
      {"relationships", relations.take()}};
  if (!licenses.empty()) out["hasExtractedLicensingInfos"] = licenses;
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weir::builder
