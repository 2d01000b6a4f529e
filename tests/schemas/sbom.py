"""Holds a SPDX and a CycloneDX document to what their specifications demand, without any code of Weir.

usage: sbom.py SPDX CYCLONEDX [SCHEMAS]

The facts below are transcribed from SPDX 2.3 (clauses in parentheses) and from CycloneDX 1.5; licence
expressions are judged by python3-license-expression, which has SPDX's list. With SCHEMAS, a folder with the official spdx-schema.json (SPDX 2.3) and bom-1.5.schema.json,
spdx.schema.json, jsf-0.82.schema.json (CycloneDX), python3-jsonschema judges by those too. Prints what
is wrong, a line each, and exits 1.
"""

import json
import pathlib
import re
import sys

from license_expression import ExpressionError, get_spdx_licensing

wrong = []


def check(good, text):
    if not good:
        wrong.append(text)


def matches(pattern, value, text):
    check(isinstance(value, str) and re.fullmatch(pattern, value), f"{text}: {value!r}")


def check_purl(value, text):
    # package-url/purl-spec: no character but these stands unencoded.
    matches(r"pkg:deb/[a-z0-9.-]+/(?:[a-z0-9.\-_~:]|%[0-9A-F]{2})+@(?:[A-Za-z0-9.\-_~:]|%[0-9A-F]{2})+"
            r"\?arch=[a-z0-9-]+(?:&distro=[a-z0-9.\-_]+)?", value, text)


def check_license(expression, text):
    """An SPDX expression (annex D); returns its LicenseRefs."""
    licensing = get_spdx_licensing()
    try:
        parsed = licensing.parse(expression)
    except ExpressionError as error:
        check(False, f"{text}: {expression!r}: {error}")
        return set()
    own = set(re.findall(r"LicenseRef-[A-Za-z0-9.-]+", expression))  # the library takes some for others
    unknown = set(licensing.unknown_license_keys(parsed)) - own
    check(not unknown, f"{text}: SPDX does not know {sorted(unknown)}")
    return own


SPDX_ALGORITHMS = {  # (7.10)
    "SHA1": 40, "SHA224": 56, "SHA256": 64, "SHA384": 96, "SHA512": 128, "MD5": 32}
SPDX_PURPOSES = {"APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING_SYSTEM", "DEVICE",
                 "FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"}  # (7.24)
SPDX_SOURCE = re.compile(r"built package from: ([a-z0-9][a-z0-9.+-]+)")
SPDX_RELATIONS = {"DESCRIBES", "CONTAINS", "DEPENDS_ON",  # those of (11.1) that fit an image
                  "OPTIONAL_COMPONENT_OF", "GENERATED_FROM"}
UNKNOWN = {"NOASSERTION", "NONE"}


def check_spdx(doc):
    check(doc.get("spdxVersion") == "SPDX-2.3", "spdxVersion (6.1)")
    check(doc.get("dataLicense") == "CC0-1.0", "dataLicense (6.2)")
    check(doc.get("SPDXID") == "SPDXRef-DOCUMENT", "SPDXID (6.3)")
    check(doc.get("name"), "name (6.4)")
    matches(r"[a-z][a-z0-9+.-]*:[^#\s]+", doc.get("documentNamespace"), "documentNamespace (6.5)")
    info = doc.get("creationInfo", {})
    check(info.get("creators"), "creators (6.8)")
    for creator in info.get("creators", []):
        matches(r"(Tool|Person|Organization): \S.*", creator, "creator (6.8)")
    matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", info.get("created"), "created (6.9)")
    ids, used = {"SPDXRef-DOCUMENT"}, set()
    for package in doc.get("packages", []):
        name = package.get("name")
        check(name, "package name (7.1)")
        matches(r"SPDXRef-[A-Za-z0-9.-]+", package.get("SPDXID"), f"{name}: SPDXID (7.2)")
        check(package["SPDXID"] not in ids, f"{name}: SPDXID is there twice")
        ids.add(package["SPDXID"])
        matches(r"(Person|Organization): \S.*|NOASSERTION", package.get("supplier"), "supplier (7.5)")
        check(package.get("downloadLocation") in UNKNOWN, f"{name}: downloadLocation (7.7)")
        check(package.get("filesAnalyzed") is False, f"{name}: filesAnalyzed (7.8)")
        check("packageVerificationCode" not in package, f"{name}: verification code (7.9)")
        if package["SPDXID"] != "SPDXRef-OperatingSystem-debian":  # no file is the system
            check(package.get("checksums"), f"{name}: checksums (7.10)")
        for sum_ in package.get("checksums", []):
            length = SPDX_ALGORITHMS.get(sum_.get("algorithm"), 0)
            matches(f"[0-9a-f]{{{length}}}", sum_.get("checksumValue"), f"{name}: checksum (7.10)")
        for field in ("licenseConcluded", "copyrightText"):
            check(package.get(field) in UNKNOWN, f"{name}: {field} (7.13, 7.17)")
        if package.get("licenseDeclared") not in UNKNOWN:
            used |= check_license(package.get("licenseDeclared"), f"{name}: licenseDeclared (7.15)")
        check(package.get("primaryPackagePurpose") in SPDX_PURPOSES, f"{name}: purpose (7.24)")
        for ref in package.get("externalRefs", []):  # (7.21) and annex F
            check(ref.get("referenceCategory") == "PACKAGE-MANAGER", f"{name}: category (F.3)")
            check(ref.get("referenceType") == "purl", f"{name}: reference type (F.3.5)")
            check_purl(ref.get("referenceLocator"), f"{name}: purl")
    extracted = [info.get("licenseId") for info in doc.get("hasExtractedLicensingInfos", [])]
    check(sorted(used) == sorted(extracted), f"licences of their own (10.1): {sorted(used)}, {extracted}")
    for info in doc.get("hasExtractedLicensingInfos", []):
        check(info.get("extractedText") and info.get("name"), f"text and name (10.2, 10.3): {info}")
    described = 0
    for relation in doc.get("relationships", []):
        check(relation.get("relationshipType") in SPDX_RELATIONS, f"relation (11.1): {relation}")
        for end in ("spdxElementId", "relatedSpdxElement"):
            check(relation.get(end) in ids, f"{end} is not in the document: {relation}")
        described += relation.get("relationshipType") == "DESCRIBES"
    check(described == 1, "the document describes one thing (11.1)")


CDX_TYPES = {"application", "framework", "library", "container", "platform", "operating-system",
             "device", "device-driver", "firmware", "file", "machine-learning-model", "data"}
CDX_COMPONENT = {"type", "bom-ref", "supplier", "name", "version", "hashes", "licenses", "purl", "properties",
                 "scope"}


def check_component(component, refs):
    name = component.get("name")
    check(set(component) <= CDX_COMPONENT, f"{name}: fields {sorted(component)}")
    check(component.get("type") in CDX_TYPES, f"{name}: type")
    check(name and component.get("version"), f"{name}: name and version")
    check(component.get("bom-ref") and component["bom-ref"] not in refs, f"{name}: bom-ref is unique")
    check(not component["bom-ref"].startswith("urn:cdx:"), f"{name}: bom-ref is no BOM link")
    refs.append(component["bom-ref"])
    for hash_ in component.get("hashes", []):
        check(hash_.get("alg") == "SHA-256", f"{name}: hash algorithm")
        matches("[0-9a-f]{64}", hash_.get("content"), f"{name}: hash")
    check(component.get("scope", "required") in {"required", "optional", "excluded"}, f"{name}: scope")
    if "purl" in component:
        check_purl(component["purl"], f"{name}: purl")
    if "licenses" in component:
        check(len(component["licenses"]) == 1 and set(component["licenses"][0]) == {"expression"},
              f"{name}: one licence expression")
        check_license(component["licenses"][0].get("expression"), f"{name}: licence")
    for item in component.get("properties", []):
        check(set(item) == {"name", "value"}, f"{name}: property {item}")


def check_cyclonedx(doc):
    check(doc.get("bomFormat") == "CycloneDX" and doc.get("specVersion") == "1.5", "format")
    check(doc.get("$schema") == "http://cyclonedx.org/schema/bom-1.5.schema.json", "$schema")
    matches(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
            doc.get("serialNumber"), "serialNumber (RFC 4122, version 5)")
    check(isinstance(doc.get("version"), int) and doc["version"] >= 1, "version")
    check(set(doc) == {"$schema", "bomFormat", "specVersion", "serialNumber", "version", "metadata",
                       "components", "dependencies", "compositions"}, "fields")
    meta = doc.get("metadata", {})
    matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", meta.get("timestamp"), "timestamp")
    check(meta.get("lifecycles") == [{"phase": "build"}], "lifecycles")
    refs = []
    check_component(meta.get("component", {}), refs)
    for component in doc.get("components", []):
        check_component(component, refs)
    edges = doc.get("dependencies", [])
    check(sorted(edge["ref"] for edge in edges) == sorted(refs), "each component is in the graph once")
    for edge in edges:
        on = edge.get("dependsOn", [])
        check(len(on) == len(set(on)) and set(on) <= set(refs), f"dependsOn of {edge['ref']}")
    for part in doc.get("compositions", []):
        check(part.get("aggregate") in {"complete", "incomplete"}, "aggregate")
        check(set(part.get("assemblies", []) + part.get("dependencies", [])) <= set(refs), "composition")


# What version scanners know a Debian release by: its os-release's VERSION_ID.
DEBIAN = {"bookworm": "12", "trixie": "13", "forky": "14"}


def check_scanned(systems, packages, text):
    """systems: names and versions of operating systems; packages: purl and source, of those the system has."""
    suites = {purl.rpartition("distro=")[2] for purl, _ in packages}
    known = {DEBIAN[suite] for suite in suites if suite in DEBIAN}
    if known:
        check(systems == [("debian", sorted(known)[0])], f"{text}: the operating system: {systems}")
        # Debian's advisories are about source packages.
        check(all(source for purl, source in packages), f"{text}: each package has a source")


def check_trivy_cyclonedx(doc):
    """As Trivy reads a bill that is not its own (pkg/sbom/cyclonedx/unmarshal.go, pkg/sbom/io/decode.go): it
    refuses a described component of another type and a second operating system; of packages it takes those
    that the operating system depends on, and the name of their source from its own property."""
    root = doc["metadata"]["component"]
    check(root["type"] in {"container", "application", "library", "framework", "platform"},
          f"Trivy refuses a bill about a {root['type']}")
    systems = [part for part in doc["components"] if part["type"] == "operating-system"]
    check(len(systems) <= 1, "Trivy refuses two operating systems")
    edges = {edge["ref"]: edge["dependsOn"] for edge in doc["dependencies"]}
    held = {ref for system in systems for ref in edges[system["bom-ref"]]}
    packages = []
    for part in doc["components"]:
        if "purl" not in part:
            continue
        debians = part["purl"].startswith("pkg:deb/debian/")
        check(not systems or debians == (part["bom-ref"] in held), f"{part['name']} is of its operating system")
        if not debians:
            continue
        source = [item["value"] for item in part.get("properties", [])
                  if item["name"] == "aquasecurity:trivy:SrcName"]
        packages.append((part["purl"], source))
    check(not systems or systems[0]["bom-ref"] in edges[root["bom-ref"]], "the image has its system")
    check_scanned([(part["name"], part["version"]) for part in systems], packages, "CycloneDX")


def check_trivy_spdx(doc):
    """As Trivy reads it (pkg/sbom/spdx/unmarshal.go): by the identifiers' beginnings and sourceInfo."""
    systems = [part for part in doc["packages"] if part["SPDXID"].startswith("SPDXRef-OperatingSystem")]
    held = {relation["relatedSpdxElement"] for relation in doc["relationships"]
            if relation["relationshipType"] == "CONTAINS"
            and relation["spdxElementId"] in {part["SPDXID"] for part in systems}}
    packages = []
    for part in doc["packages"]:
        for ref in part.get("externalRefs", []):
            debians = ref["referenceLocator"].startswith("pkg:deb/debian/")
            check(not systems or debians == (part["SPDXID"] in held), f"{part['name']} is of its operating system")
            if not debians:
                continue
            packages.append((ref["referenceLocator"], SPDX_SOURCE.fullmatch(part.get("sourceInfo", ""))))
    check_scanned([(part["name"], part["versionInfo"]) for part in systems], packages, "SPDX")


def check_official(folder, spdx, cyclonedx):
    import jsonschema
    folder = pathlib.Path(folder)
    for name, doc in (("spdx-schema.json", spdx), ("bom-1.5.schema.json", cyclonedx)):
        schema = json.loads((folder / name).read_text())
        store = {f"http://cyclonedx.org/schema/{other}": json.loads((folder / other).read_text())
                 for other in ("spdx.schema.json", "jsf-0.82.schema.json")}
        resolver = jsonschema.RefResolver(schema.get("$id", ""), schema, store=store)
        for error in jsonschema.Draft7Validator(schema, resolver=resolver).iter_errors(doc):
            wrong.append(f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")


documents = [json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:3]]
check_spdx(documents[0])
check_cyclonedx(documents[1])
check_trivy_spdx(documents[0])
check_trivy_cyclonedx(documents[1])
if len(sys.argv) > 3:
    check_official(sys.argv[3], *documents)
print("\n".join(wrong))
sys.exit(bool(wrong))
