#include "builder/export/edge/export.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/trust_options.h"
#include "builder/mirror/edge/progress.h"

namespace weir::builder {
namespace {

namespace options = boost::program_options;

struct ExportArguments {
  std::string name, store, format, stub_digest;
  TrustOptions trust;
  ExportOptions options;
  bool json = false, plan = false;
};

void print_json(const ExportArguments& given, const keys::Verified<manifests::Release>& release,
                const ExportOutcome& outcome) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  for (const ExportedFile& file : outcome.files) {
    files.push_back({{"path", file.path},
                     {"digest", file.blob.digest.string()},
                     {"bytes", file.blob.size.value}});
  }
  nlohmann::ordered_json out = {{"release", release->name.string()},
                                {"release_digest", release.digest().string()},
                                {"signer", release.signer()},
                                {"format", given.format},
                                {"out", given.options.out},
                                {"written", !given.plan},
                                {"secure_boot", !given.options.secure_boot_key.empty()},
                                {"stub_digest", nullptr},
                                {"files", files}};
  if (outcome.stub_digest) out["stub_digest"] = outcome.stub_digest->string();
  std::puts(out.dump(2).c_str());
}

void print_text(const ExportArguments& given, const keys::Verified<manifests::Release>& release,
                const ExportOutcome& outcome) {
  std::printf("%s release %s as %s: %s\n", given.plan ? "would export" : "exported",
              release->name.string().c_str(), given.format.c_str(), given.options.out.c_str());
  if (outcome.files.size() > 8) {
    ByteCount bytes;
    for (const ExportedFile& file : outcome.files) bytes.value += file.blob.size.value;
    std::printf("  %zu files, %s\n", outcome.files.size(), print(bytes).c_str());
  } else {
    for (const ExportedFile& file : outcome.files) {
      std::printf("  %-12s %10s  %s\n", file.path.c_str(), print(file.blob.size).c_str(),
                  file.blob.digest.string().c_str());
    }
  }
  if (outcome.stub_digest) {
    std::printf("  %-12s %10s  %s\n", "(EFI stub)", "", outcome.stub_digest->string().c_str());
  }
}

Status run(ExportArguments& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  if (!given.stub_digest.empty()) {
    TRY_ASSIGN_IN(given.options.stub_digest, Digest::parse(given.stub_digest), "--stub-digest");
  }
  TRY_ASSIGN(const images::Store store, images::Store::open(given.store));
  std::optional<Progress> progress(std::in_place);
  progress->step("checking release " + given.name);
  TRY_ASSIGN(const auto trusted, verify_by(given.trust, store, name, Demands::kept));
  const auto& release = trusted.release;
  TRY_ASSIGN(const auto documents, read_release_documents(store, release, trusted.signers));
  ExportOutcome outcome;
  if (given.plan) {
    TRY_ASSIGN(outcome.stub_digest, check_export(store, release, given.options));
  } else {
    progress->step("writing " + given.options.out);
    TRY_ASSIGN(outcome, export_release(store, release, documents, given.options));
    TRY(remember(given.trust, trusted));
  }
  progress.reset();
  if (given.json) {
    print_json(given, release, outcome);
  } else {
    print_text(given, release, outcome);
  }
  return {};
}

int misused(const std::string& why) {
  std::fprintf(stderr, "weir-builder export: %s (--help explains)\n", why.c_str());
  return 2;
}

}  // namespace

int run_export(const Arguments& args) {
  ExportArguments given;
  CommandLine line{
      .name = "export",
      .positional = "RELEASE",
      .about =
          "Checks a release and writes it in a format that other machines boot:\n"
          "  kernel  a folder with vmlinuz, initrd.img and the command line\n"
          "  uki     a unified kernel image, one .efi file for UEFI\n"
          "  disk    a raw disk with a GPT and an EFI system partition that holds the UKI\n"
          "  qcow2   the same disk for QEMU\n"
          "  pxe     a folder with an iPXE script, kernel and initrd\n"
          "  oci     the root file system as a container image, in OCI layout\n"
          "SBOMs and the signed provenance go with each: in the folder, beside the file "
          "(OUT.sbom.spdx.json),\n"
          "or as referrers of the container image.",
      .examples =
          "  weir-builder export gateway-6.12 --format disk --out gateway.raw --store store \\\n"
          "    --key release.pub\n"
          "  weir-builder export gateway-6.12 --format uki --out gateway.efi --store store \\\n"
          "    --key release.pub --secure-boot-key db.key --secure-boot-cert db.crt\n"
          "  weir-builder export gateway-6.12 --format oci --out image --store store "
          "--key release.pub\n"
          "  weir-builder export gateway-6.12 --format pxe --out boot --store store \\\n"
          "    --trust trust.json --state trust.state\n"
          "  skopeo inspect oci:image:gateway-6.12\n"};
  line.options.add_options()("format",
                             options::value(&given.format)->value_name("FORMAT")->required(),
                             "kernel, uki, disk, qcow2, pxe or oci")(
      "out", options::value(&given.options.out)->value_name("PATH")->required(),
      "the file to write, or for kernel, pxe and oci the folder to make")(
      "store", options::value(&given.store)->value_name("DIR")->required(), "where the release is");
  add_trust_options(line, given.trust);
  line.options.add_options()(
      "stub", options::value(&given.options.stub)->value_name("FILE"),
      "takes systemd's EFI stub, which uki, disk and qcow2 begin with, from here; default: the "
      "store, where build put the one that the lock pins")(
      "stub-digest", options::value(&given.stub_digest)->value_name("SHA256"),
      "refuses a stub with another digest; for releases whose lock pins none")(
      "secure-boot-key", options::value(&given.options.secure_boot_key)->value_name("FILE"),
      "signs the UKI with sbsign: PEM private key")(
      "secure-boot-cert",
      options::value(&given.options.secure_boot_certificate)->value_name("FILE"),
      "the key's certificate, PEM")("plan", options::bool_switch(&given.plan),
                                    "checks all that would be refused and writes nothing")(
      "json", options::bool_switch(&given.json), "prints the result as JSON");
  if (const auto code = parse_command_line(line, args, &given.name)) return *code;
  if (!says_who_is_trusted(line, given.trust)) return 2;
  const auto format = parse_export_format(given.format);
  if (!format) return misused("--format: " + format.error().message);
  given.options.format = *format;
  if (given.options.secure_boot_key.empty() != given.options.secure_boot_certificate.empty()) {
    return misused("--secure-boot-key and --secure-boot-cert belong together");
  }
  const bool efi = *format == ExportFormat::uki || *format == ExportFormat::disk ||
                   *format == ExportFormat::qcow2;
  if (!efi && !given.options.secure_boot_key.empty()) {
    return misused("--secure-boot-key signs uki, disk and qcow2, not " + given.format);
  }
  const Status done = run(given);
  return done ? 0 : report(line, done.error());
}

}  // namespace weir::builder
