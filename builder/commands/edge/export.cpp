#include "builder/export/edge/export.h"

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/json_output.h"
#include "builder/commands/edge/trust_options.h"
#include "builder/mirror/edge/progress.h"
#include "images/store/folder/edge/folder_store.h"
#include "manifests/base/edge/program_log.h"

namespace weir::builder {
namespace {

struct ExportArguments {
  std::string name, store, format, stub_digest;
  TrustOptions trust;
  ExportOptions options;
  bool json = false, plan = false;
};

void print_json(const ExportArguments& given, const keys::Verified<manifests::Release>& release,
                const ExportPlan& plan, const ExportOutcome& outcome) {
  nlohmann::ordered_json files = nlohmann::ordered_json::array();
  if (given.plan) {
    for (const std::string& path : plan.paths) files.push_back({{"path", path}});
  }
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
                                {"files", files},
                                {"removed", plan.removed}};
  if (plan.stub) out["stub_digest"] = plan.stub->digest.string();
  print_result(out);
}

void print_text(const ExportArguments& given, const keys::Verified<manifests::Release>& release,
                const ExportPlan& plan, const ExportOutcome& outcome) {
  std::printf("exported release %s as %s: %s\n", release->name.string().c_str(),
              given.format.c_str(), given.options.out.c_str());
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
  for (const std::string& path : plan.removed) {
    std::printf("  %s is gone: this release has none\n", path.c_str());
  }
  if (outcome.stub_digest) {
    std::printf("  %-12s %10s  %s\n", "(EFI stub)", "", outcome.stub_digest->string().c_str());
  }
}

void print_plan(const ExportArguments& given, const keys::Verified<manifests::Release>& release,
                const ExportPlan& plan) {
  std::printf("would export release %s as %s: %s\n", release->name.string().c_str(),
              given.format.c_str(), given.options.out.c_str());
  for (const std::string& path : plan.paths) std::printf("  %s\n", path.c_str());
  for (const std::string& path : plan.removed) {
    std::printf("  %s would go: this release has none\n", path.c_str());
  }
  if (given.options.format == ExportFormat::oci) std::printf("  its blobs, by digest\n");
  if (plan.stub) std::printf("  EFI stub %s\n", plan.stub->digest.string().c_str());
}

Status run(ExportArguments& given) {
  TRY_ASSIGN(const ReleaseName name, ReleaseName::parse(given.name));
  if (!given.stub_digest.empty()) {
    TRY_ASSIGN_IN(given.options.stub_digest, Digest::parse(given.stub_digest), "--stub-digest");
  }
  TRY_ASSIGN(auto basis, read_basis(given.trust, {}, given.plan));
  TRY_ASSIGN(const images::FolderStore store, images::FolderStore::open(given.store));
  std::optional<Progress> progress(std::in_place);
  progress->step("checking release " + given.name);
  TRY_ASSIGN(const auto trusted, verify_stored(store, name, std::move(basis)));
  const auto& release = trusted.release;
  TRY_ASSIGN(const auto documents, read_release_documents(store, release, trusted.signers));
  for (const std::string& note : documents.notes) log_line(note);
  TRY_ASSIGN(const ExportPlan plan, plan_export(store, release, documents, given.options));
  ExportOutcome outcome;
  if (!given.plan) {
    progress->step("writing " + given.options.out);
    TRY_ASSIGN(outcome, export_release(store, release, documents, plan));
    TRY(remember_accepted(trusted));
  }
  progress.reset();
  if (given.json) {
    print_json(given, release, plan, outcome);
  } else if (given.plan) {
    print_plan(given, release, plan);
  } else {
    print_text(given, release, plan, outcome);
  }
  return {};
}

Status check(ExportArguments& given) {
  TRY(says_who_is_trusted(given.trust));
  TRY_ASSIGN(given.options.format, parse_export_format(given.format));
  if (given.options.secure_boot_key.empty() != given.options.secure_boot_certificate.empty()) {
    return fail(Errc::invalid_input, "--secure-boot-key and --secure-boot-cert belong together");
  }
  const bool efi = given.options.format == ExportFormat::uki ||
                   given.options.format == ExportFormat::disk ||
                   given.options.format == ExportFormat::qcow2;
  if (!efi && !given.options.secure_boot_key.empty()) {
    return fail(Errc::invalid_input,
                "--secure-boot-key signs uki, disk and qcow2, not " + given.format);
  }
  return {};
}

}  // namespace

Command export_command() {
  auto given = std::make_shared<ExportArguments>();
  return {
      .name = "export",
      .summary = "writes a release as UKI, disk, PXE folder or container image",
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
          "  skopeo inspect oci:image:gateway-6.12\n",
      .takes = Positional{"RELEASE", &given->name},
      .options = with_trust(
          {{"format",
            "FORMAT",
            &given->format,
            "kernel, uki, disk, qcow2, pxe or oci",
            Need::required,
            {"kernel", "uki", "disk", "qcow2", "pxe", "oci"}},
           {"out", "PATH", &given->options.out,
            "the file to write, or for kernel, pxe and oci the folder to make", Need::required},
           {"store", "DIR", &given->store, "where the release is", Need::required},
           {"stub", "FILE", &given->options.stub,
            "takes systemd's EFI stub, which uki, disk and qcow2 begin with, from here; default: "
            "the "
            "store, where build put the one that the lock pins"},
           {"stub-digest", "SHA256", &given->stub_digest,
            "refuses a stub with another digest; for releases whose lock pins none"},
           {"secure-boot-key", "FILE", &given->options.secure_boot_key,
            "signs the UKI with sbsign: PEM private key"},
           {"secure-boot-cert", "FILE", &given->options.secure_boot_certificate,
            "the key's certificate, PEM"},
           {"plan", "", &given->plan, "checks all that would be refused and writes nothing"},
           {"json", "", &given->json, "prints the result as JSON"}},
          3, given->trust),
      .check = [given] { return check(*given); },
      .run = [given]() -> Result<Exit> {
        TRY(run(*given));
        return Exit::done;
      }};
}

}  // namespace weir::builder
