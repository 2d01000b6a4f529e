#include "builder/export/edge/export.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "builder/export/edge/efi_program.h"
#include "builder/export/edge/qcow2.h"
#include "images/boot/boot_disk.h"
#include "images/boot/oci.h"
#include "images/boot/pxe.h"
#include "images/boot/rootfs_image.h"
#include "images/boot/uki.h"
#include "images/formats/cpio_reader.h"
#include "images/formats/decompress.h"
#include "images/formats/tar.h"
#include "images/store/edge/output.h"
#include "images/tree/overlaid.h"
#include "keys/signing/edge/key_files.h"
#include "manifests/base/edge/file.h"
#include "manifests/base/edge/replacement.h"
#include "manifests/base/edge/unfinished.h"
#include "manifests/documents/architecture.h"

namespace weir::builder {
namespace {

constexpr ByteCount kLargestPem{1ULL << 20};

using Buffer = std::vector<std::uint8_t>;

constexpr std::pair<std::string_view, ExportFormat> kFormats[] = {
    {"kernel", ExportFormat::kernel}, {"uki", ExportFormat::uki}, {"disk", ExportFormat::disk},
    {"qcow2", ExportFormat::qcow2},   {"pxe", ExportFormat::pxe}, {"oci", ExportFormat::oci}};

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

manifests::Blob blob_of(Bytes bytes) {
  return {Digest::of(bytes), ByteCount{bytes.size()}};
}

/// A document that goes with an export, and what it is to OCI's tools.
struct Document {
  std::string_view file, artifact_type, media_type;
  const std::string* text;
};

std::vector<Document> list_of(const ReleaseDocuments& documents) {
  constexpr std::string_view kSpdx = "application/spdx+json";
  constexpr std::string_view kCycloneDx = "application/vnd.cyclonedx+json";
  std::vector<Document> out = {{kSpdxFile, kSpdx, kSpdx, &documents.spdx},
                               {kCycloneDxFile, kCycloneDx, kCycloneDx, &documents.cyclonedx}};
  if (documents.provenance) {
    out.push_back({kProvenanceFile, "application/vnd.in-toto+json",
                   "application/vnd.dsse.envelope.v1+json", &*documents.provenance});
  }
  return out;
}

bool is_folder(ExportFormat format) {
  return format == ExportFormat::kernel || format == ExportFormat::pxe ||
         format == ExportFormat::oci;
}

std::string beside(const ExportOptions& options, std::string_view document) {
  return options.out + "." + std::string(document);
}

std::vector<std::string> paths_of(const ExportOptions& options, const ReleaseDocuments& documents) {
  std::vector<std::string> names;
  if (options.format == ExportFormat::oci) {
    names = {"index.json", "oci-layout"};
  } else {
    for (const Document& each : list_of(documents)) names.emplace_back(each.file);
  }
  if (options.format == ExportFormat::kernel || options.format == ExportFormat::pxe) {
    const char* script = options.format == ExportFormat::pxe ? "boot.ipxe" : "cmdline";
    for (const std::string_view name : {std::string_view(script), images::kPxeKernel,
                                        images::kPxeInitrd, std::string_view("SHA256SUMS")}) {
      names.emplace_back(name);
    }
  }
  std::vector<std::string> out;
  if (!is_folder(options.format)) out.push_back(options.out);
  const char* between = is_folder(options.format) ? "/" : ".";
  for (const std::string& name : names) out.push_back(options.out + between + name);
  std::sort(out.begin(), out.end());
  return out;
}

// Looked at and not read: a key is sbsign's alone.
Status check_pem(const std::string& path) {
  TRY_ASSIGN(const Fd file, open_file(path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail_errno(Errc::io, errno, path);
  if (static_cast<std::uint64_t>(info.st_size) <= kLargestPem.value) return {};
  return fail(Errc::exhausted, path + ": larger than " + print(kLargestPem));
}

/// Files below a folder, noted as they are written.
class Writer {
 public:
  explicit Writer(std::string folder) : folder_(std::move(folder)) {}

  Status write(const std::string& name, std::string_view content) {
    if (const auto slash = name.rfind('/'); slash != std::string::npos) {
      TRY(make_folders(folder_ + "/" + name.substr(0, slash)));
    }
    TRY(write_file(folder_ + "/" + name, content));
    files_.push_back({name, blob_of(as_bytes(content))});
    return {};
  }
  // For `sha256sum -c`.
  Status write_sums() {
    std::string sums;
    for (const auto& file : by_path()) sums += file.blob.digest.hex() + "  " + file.path + "\n";
    return write("SHA256SUMS", sums);
  }
  std::vector<ExportedFile> by_path() {
    std::sort(files_.begin(), files_.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return files_;
  }

 private:
  std::string folder_;
  std::vector<ExportedFile> files_;
};

class Exporter {
 public:
  Exporter(const images::Store& store, const keys::Verified<manifests::Release>& release,
           const ReleaseDocuments& documents, const ExportPlan& plan)
      : store_(store),
        release_(release),
        documents_(list_of(documents)),
        plan_(plan),
        options_(plan.options) {}

  Result<ExportOutcome> run() {
    switch (options_.format) {
      case ExportFormat::kernel:
        return folder([this](Writer& out) { return write_kernel(out); });
      case ExportFormat::pxe:
        return folder([this](Writer& out) { return write_pxe(out); });
      case ExportFormat::oci:
        return folder([this](Writer& out) { return write_oci(out); });
      case ExportFormat::uki:
        return write_uki();
      case ExportFormat::disk:
      case ExportFormat::qcow2:
        return write_disk();
    }
    return fail(Errc::bug, "an export format without a writer");
  }

 private:
  Result<ExportOutcome> folder(const auto& fill) {
    TRY_ASSIGN(auto folder, images::OutputFolder::begin(options_.out));
    Writer writer(folder.aside());
    TRY(fill(writer));
    TRY(folder.finish());
    ExportOutcome out{writer.by_path(), std::nullopt};
    for (ExportedFile& file : out.files) file.path = options_.out + "/" + file.path;
    return out;
  }

  // For those who look into the folder.
  Status write_documents(Writer& out) const {
    for (const Document& each : documents_) TRY(out.write(std::string(each.file), *each.text));
    return {};
  }

  // Beside a file of their own name each: the folder may hold more than one export.
  Status write_documents_beside(Replacement& files, ExportOutcome& out) const {
    for (const std::string& path : plan_.removed) TRY(files.remove(path));
    for (const Document& each : documents_) {
      const std::string path = beside(options_, each.file);
      TRY(files.write(path, *each.text));
      out.files.push_back({path, blob_of(as_bytes(*each.text))});
    }
    return {};
  }

  Result<Buffer> blob(const manifests::Blob& blob, const std::string& what) const {
    Buffer out;
    TRY_IN(store_.read_blob(blob,
                            [&out](Bytes bytes) -> Status {
                              out.insert(out.end(), bytes.begin(), bytes.end());
                              return {};
                            }),
           what);
    return out;
  }
  Result<Buffer> kernel() const { return blob(release_->kernel.image, "kernel"); }
  Result<Buffer> layer(const manifests::ReleaseLayer& layer) const {
    return blob(layer.blob, "layer " + layer.name);
  }
  Result<Buffer> initrd() const {
    Buffer out;
    for (const auto& segment : release_->layers) {
      TRY_ASSIGN(const Buffer bytes, layer(segment));
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
  }

  Status write_kernel(Writer& out) const {
    TRY_ASSIGN(const Buffer image, kernel());
    TRY(out.write(std::string(images::kPxeKernel), text_of(image)));
    TRY_ASSIGN(const Buffer segments, initrd());
    TRY(out.write(std::string(images::kPxeInitrd), text_of(segments)));
    TRY(out.write("cmdline", release_->command_line + "\n"));
    TRY(write_documents(out));
    return out.write_sums();
  }

  Status write_pxe(Writer& out) const {
    TRY_ASSIGN(const std::string script,
               images::print_ipxe_script(
                   "Weir release " + release_->name.string() + ", " + release_.digest().string(),
                   release_->command_line));
    TRY(out.write("boot.ipxe", script));
    TRY_ASSIGN(const Buffer image, kernel());
    TRY(out.write(std::string(images::kPxeKernel), text_of(image)));
    TRY_ASSIGN(const Buffer segments, initrd());
    TRY(out.write(std::string(images::kPxeInitrd), text_of(segments)));
    TRY(write_documents(out));
    return out.write_sums();
  }

  // A layer's tree, as the release states it.
  Result<images::FileTree> tree_of(const manifests::ReleaseLayer& given) const {
    TRY_ASSIGN(const Buffer packed, layer(given));
    const std::string where = "layer " + given.name;
    TRY_ASSIGN_IN(const Buffer content, images::decompress_exactly(packed, given.content_size),
                  where);
    if (Digest::of(content) != given.content_digest) {
      return fail(Errc::integrity, where + ": unpacks to other bytes than the release states");
    }
    TRY_ASSIGN_IN(images::FileTree tree, images::decode_cpio(content), where);
    return tree;
  }

  Status write_oci(Writer& out) const {
    std::vector<images::RootfsLayer> layers;
    const auto put = [&out](std::string_view bytes) {
      return out.write("blobs/sha256/" + Digest::of(as_bytes(bytes)).hex(), bytes);
    };
    std::vector<ByteCount> sizes;
    for (const auto& given : release_->layers) sizes.push_back(given.content_size);
    auto given = release_->layers.begin();
    for (const std::size_t count : images::group_rootfs_layers(sizes)) {
      std::vector<images::FileTree> trees;
      std::string name;
      for (std::size_t i = 0; i < count; ++i, ++given) {
        TRY_ASSIGN(images::FileTree tree, tree_of(*given));
        trees.push_back(std::move(tree));
        name += (name.empty() ? "" : ", ") + given->name;
      }
      Buffer tar;
      TRY_ASSIGN_IN(const images::FileTree tree, images::overlaid(trees), "layer " + name);
      TRY_IN(images::encode_tar(tree,
                                [&tar](Bytes bytes) -> Status {
                                  tar.insert(tar.end(), bytes.begin(), bytes.end());
                                  return {};
                                }),
             "layer " + name);
      TRY_ASSIGN(const Buffer packed, images::compress_rootfs_layer(tar));
      layers.push_back({std::move(name), blob_of(packed), Digest::of(tar)});
      TRY(put(text_of(packed)));
    }
    std::vector<images::RootfsDocument> documents;
    for (const Document& each : documents_) {
      TRY(put(*each.text));
      documents.push_back({std::string(each.file), std::string(each.artifact_type),
                           std::string(each.media_type), blob_of(as_bytes(*each.text))});
    }
    const auto image = images::print_rootfs_image(*release_, release_.digest(), layers, documents);
    TRY(put(images::kEmptyOciConfig));
    TRY(put(image.config));
    TRY(put(image.manifest));
    for (const std::string& referrer : image.referrers) TRY(put(referrer));
    TRY(out.write("oci-layout", images::kOciLayout));
    return out.write("index.json", image.index);
  }

  // The image's own os-release, and which image this is; the last layer that has one counts.
  Result<std::string> os_release() const {
    std::string out;
    for (auto given = release_->layers.rbegin(); given != release_->layers.rend(); ++given) {
      TRY_ASSIGN(const images::FileTree tree, tree_of(*given));
      for (const char* path : {"etc/os-release", "usr/lib/os-release"}) {
        TRY_ASSIGN(const auto place, images::ImagePath::parse(path));
        const images::Node* node = tree.find(place);
        if (node == nullptr || node->file() == nullptr) continue;
        out = text_of(*node->file()->content);
        break;
      }
      if (!out.empty()) break;
    }
    if (!out.empty() && !out.ends_with('\n')) out += '\n';
    return out + "IMAGE_ID=weir\nIMAGE_VERSION=" + release_->name.string() + "\n";
  }

  Result<Buffer> uki(ExportOutcome& outcome) const {
    if (!plan_.stub) return fail(Errc::bug, "an export without the stub that it was planned with");
    const Stub& stub = *plan_.stub;
    outcome.stub_digest = stub.digest;
    TRY_ASSIGN(const std::string text, os_release());
    TRY_ASSIGN(const Buffer segments, initrd());
    TRY_ASSIGN(const Buffer image, kernel());
    TRY_ASSIGN(Buffer out, images::encode_uki(as_bytes(stub.program),
                                              {text, release_->command_line,
                                               release_->kernel.release, segments, image}));
    if (options_.secure_boot_key.empty()) return out;
    return sign_efi_program(
        out, {options_.secure_boot_key, options_.secure_boot_certificate, options_.out});
  }

  Result<ExportOutcome> write_uki() const {
    ExportOutcome out;
    TRY_ASSIGN(const Buffer program, uki(out));
    Replacement files;
    TRY(write_documents_beside(files, out));
    TRY(files.write(options_.out, text_of(program)));
    out.files.insert(out.files.begin(), {options_.out, blob_of(program)});
    TRY(files.finish());
    return out;
  }

  Result<ExportOutcome> write_disk() const {
    ExportOutcome out;
    TRY_ASSIGN(Buffer program, uki(out));
    TRY_ASSIGN_IN(const auto architecture, manifests::parse_architecture(release_->architecture),
                  "architecture");
    TRY_ASSIGN(images::SparseFile disk,
               images::make_boot_disk(std::make_shared<const Buffer>(std::move(program)),
                                      architecture.efi_program, release_.digest(),
                                      release_->source_epoch));
    std::string qcow2;
    if (options_.format == ExportFormat::qcow2) {
      TRY_ASSIGN(qcow2, convert_to_qcow2(disk, options_.out));
    }
    Replacement files;
    TRY(write_documents_beside(files, out));
    if (options_.format == ExportFormat::qcow2) {
      TRY(files.write(options_.out, qcow2));
      out.files.insert(out.files.begin(), {options_.out, blob_of(as_bytes(qcow2))});
    } else {
      TRY_ASSIGN(Unfinished made, images::write_unfinished_sparse_file(options_.out, disk));
      files.add(std::move(made), options_.out);
      out.files.insert(out.files.begin(), {options_.out, {images::digest_of(disk), disk.size}});
    }
    TRY(files.finish());
    return out;
  }

  const images::Store& store_;
  const keys::Verified<manifests::Release>& release_;
  std::vector<Document> documents_;
  const ExportPlan& plan_;
  const ExportOptions& options_;
};

}  // namespace

Result<ExportFormat> parse_export_format(std::string_view text) {
  std::string known;
  for (const auto& [name, format] : kFormats) {
    if (name == text) return format;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return fail(Errc::invalid_input,
              "'" + std::string(text) + "' is not a format (there are " + known + ")");
}

Result<ExportPlan> plan_export(const images::Store& store,
                               const keys::Verified<manifests::Release>& release,
                               const ReleaseDocuments& documents, const ExportOptions& options) {
  ExportPlan out{options, paths_of(options, documents), {}, std::nullopt};
  if (is_folder(options.format)) {
    TRY(images::OutputFolder::check(options.out));
    return out;
  }
  for (const std::string& path : out.paths) TRY(keys::check_output(path));
  if (!documents.provenance) {
    const std::string older = beside(options, kProvenanceFile);
    TRY(keys::check_output(older));
    struct stat info {};
    if (::lstat(older.c_str(), &info) == 0) out.removed.push_back(older);
  }
  if (options.format == ExportFormat::qcow2) TRY(find_qemu_img());
  for (const std::string* path : {&options.secure_boot_key, &options.secure_boot_certificate}) {
    if (!path->empty()) TRY_IN(check_pem(*path), "secure boot");
  }
  TRY_ASSIGN_IN(out.stub, read_release_stub(store, *release, options.stub, options.stub_digest),
                "release " + release->name.string());
  return out;
}

Result<ExportOutcome> export_release(const images::Store& store,
                                     const keys::Verified<manifests::Release>& release,
                                     const ReleaseDocuments& documents, const ExportPlan& plan) {
  // What killed exports left there may be as large as disks are.
  const auto slash = plan.options.out.rfind('/');
  sweep_unfinished(slash == std::string::npos ? "." : plan.options.out.substr(0, slash + 1));
  auto out = Exporter(store, release, documents, plan).run();
  TRY_IN(out, "release " + release->name.string());
  std::set<std::string> written;
  for (const ExportedFile& file : out->files) written.insert(file.path);
  for (const std::string& path : plan.paths) {
    if (!written.contains(path)) return fail(Errc::bug, path + ": was planned and is not there");
  }
  return out;
}

}  // namespace weir::builder
