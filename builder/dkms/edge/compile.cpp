#include "builder/dkms/edge/compile.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "builder/dkms/edge/build_root.h"
#include "builder/dkms/edge/compile_record.h"
#include "builder/dkms/recipe.h"
#include "builder/kernel/kernel_module.h"
#include "builder/mirror/edge/fetch.h"
#include "images/formats/deb.h"
#include "images/tree/documentation.h"
#include "images/tree/merged_usr.h"
#include "manifests/base/edge/process.h"
#include "manifests/base/edge/scratch_folder.h"

namespace weir::builder {
namespace {

using images::FileTree;
using manifests::LockedPackage;

constexpr std::chrono::hours kPatience{1};
constexpr ByteCount kMostOutput{512ULL << 20};
constexpr std::size_t kShownLines = 8;

const LockedPackage* find_package(const manifests::LockedModuleBuild& build,
                                  const std::string& name) {
  const auto found = std::find_if(build.packages.begin(), build.packages.end(),
                                  [&](const auto& package) { return package.name == name; });
  return found == build.packages.end() ? nullptr : &*found;
}

// A package's files as they lie in a machine with merged /usr, without what is for people.
Result<FileTree> files_of(const LockedPackage& package, const Cache& cache) {
  TRY_ASSIGN(const std::string deb, read_package(cache, package));
  const auto keep = [](const images::ImagePath& path) { return !images::is_documentation(path); };
  TRY_ASSIGN_IN(const images::Deb read, images::read_deb(as_bytes(deb), {}, keep),
                "package " + package.name + " " + package.version);
  return images::merge_usr(read.files);
}

// What modules are compiled in.
Result<std::string> find_sandbox() {
  auto path = find_program("bwrap");
  if (path) return path;
  return fail(Errc::not_found,
              path.error().message + ": modules are compiled in it (Debian's package bubblewrap)");
}

// One machine in which packages are compiled.
class Machine {
 public:
  Machine(const CompileInput& input, const Cache& cache, Progress& progress)
      : input_(input), cache_(cache), progress_(progress) {}

  Status fetch(const std::function<Result<Mirrors>()>& mirrors) {
    const auto missing = to_fetch(input_, cache_);
    if (missing.empty()) return {};
    progress_.step("fetching what modules are compiled with");
    TRY_ASSIGN(const Mirrors from, mirrors());
    return fetch_packages(missing, from, cache_, progress_.download_observer(), [](std::size_t) {});
  }

  // errors: those of packages and of the disk
  Status unpack(const std::string& folder) {
    progress_.step("unpacking what modules are compiled with");
    TRY_ASSIGN(const BuildRoot root, BuildRoot::open(folder));
    FileTree links;
    TRY(images::put_merged_links(links, 0));
    TRY_ASSIGN(const auto usr, merged_folders());
    TRY(root.write(usr));
    TRY(root.write(links));
    std::size_t done = 0;
    for (const LockedPackage& package : input_.build.packages) {
      TRY_ASSIGN(const FileTree files, files_of(package, cache_));
      TRY_IN(root.write(files), "package " + package.name);
      if (std::binary_search(input_.build.sources.begin(), input_.build.sources.end(),
                             package.name)) {
        TRY_ASSIGN_IN(DkmsSource source, find_dkms_source(files), "package " + package.name);
        sources_.emplace(package.name, std::move(source));
      }
      progress_.detail(std::to_string(++done) + " of " +
                       std::to_string(input_.build.packages.size()) + " packages");
    }
    TRY_ASSIGN(const FileTree settings, make_root_settings());
    root_ = folder;
    return root.write(settings);
  }

  // One DKMS package.
  Result<std::vector<CompiledModule>> compile(const std::string& name) {
    const LockedPackage* package = find_package(input_.build, name);
    const auto source = sources_.find(name);
    if (package == nullptr || source == sources_.end()) {
      return fail(Errc::bug, name + " is not among the packages that it is compiled with");
    }
    const std::string release = release_of(input_.build);
    progress_.step("compiling " + name + " for " + release);
    TRY_ASSIGN(const std::string output, run_sandbox(*package, source->second, release));
    TRY_ASSIGN_IN(const auto files, parse_sandbox_output(output), name);
    std::vector<CompiledModule> out;
    for (const auto& [file, bytes] : files) {
      TRY_ASSIGN_IN(CompiledModule module, module_of(*package, source->second, bytes),
                    name + ": " + file);
      out.push_back(std::move(module));
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    const Digest key = compile_key(input_.build, input_.architecture, name);
    TRY(write_compile_record(key, out, cache_));
    // Of an earlier failure.
    ::unlink(log_path(name).c_str());
    return out;
  }

 private:
  static Result<FileTree> merged_folders() {
    FileTree out;
    for (const std::string_view folder : images::kMergedFolders) {
      TRY_ASSIGN(const auto path, images::ImagePath::parse("usr/" + std::string(folder)));
      TRY(out.put(path, images::Node{0755, 0, 0, 0, images::Folder{}}));
    }
    return out;
  }

  static Result<CompiledModule> module_of(const LockedPackage& package, const DkmsSource& source,
                                          const std::string& bytes) {
    TRY_ASSIGN(const images::Content content, unpack_kernel_module(images::content_of(bytes)));
    TRY_ASSIGN(const KernelModule facts, parse_kernel_module(*content));
    return CompiledModule{facts.name,
                          package.name,
                          {package.version, package.digest, source.conf, Digest::of(*content)},
                          content};
  }

  [[nodiscard]] std::string log_path(const std::string& package) const {
    return cache_.path() + "/compiled/" + package + ".log";
  }

  // What the compiler said, where a person can read all of it.
  Result<std::string> keep_log(const LockedPackage& package, const std::string& log) const {
    const std::string path = log_path(package.name);
    TRY(make_folders(cache_.path() + "/compiled"));
    TRY(write_file(path, log, 0644, Durability::none));
    return path;
  }

  Result<std::string> run_sandbox(const LockedPackage& package, const DkmsSource& source,
                                  const std::string& release) {
    Program program;
    TRY_ASSIGN(program.path, find_sandbox());
    program.arguments =
        sandbox_arguments(root_, ::geteuid() == 0, source, release, input_.architecture);
    RunLimits limits{.time = kPatience, .output = kMostOutput};
    limits.interrupted = [this, began = std::chrono::steady_clock::now()] {
      const auto time = std::chrono::steady_clock::now() - began;
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
      progress_.detail(std::to_string(seconds) + " s");
      return false;
    };
    TRY_ASSIGN(const Ended ended, run(program, {}, limits));
    if (ended.status == 0) return ended.output;
    if (ended.error.starts_with("bwrap: ")) {
      return fail(Errc::kernel,
                  "modules are compiled in namespaces of their own, which cannot be made here: " +
                      ended.error.substr(0, ended.error.find('\n')) +
                      " (sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone; in "
                      "a container, its seccomp and AppArmor profiles)");
    }
    if (ended.error.find("BUILD_EXCLUSIVE") != std::string::npos) {
      return fail(Errc::invalid_input, package.name + " " + package.version +
                                           " says that it is not for kernel " + release +
                                           " (BUILD_EXCLUSIVE in its dkms.conf): take another "
                                           "version of it, or another kernel");
    }
    for (const std::string& line : telling_lines(ended.error, kShownLines)) progress_.note(line);
    TRY_ASSIGN(const std::string log, keep_log(package, ended.error));
    return fail(Errc::invalid_input, package.name + " " + package.version +
                                         " does not compile for " + release + ": its log is " +
                                         log);
  }

  const CompileInput& input_;
  const Cache& cache_;
  Progress& progress_;
  std::string root_;
  std::map<std::string, DkmsSource> sources_;
};

}  // namespace

Status check_is_dkms(const LockedPackage& package, const Cache& cache) {
  TRY_ASSIGN(const FileTree files, files_of(package, cache));
  TRY(find_dkms_source(files));
  return {};
}

CompileRecord find_compiled(const CompileInput& input, const std::string& package,
                            const Cache& cache) {
  const LockedPackage* locked = find_package(input.build, package);
  if (locked == nullptr) return {};
  return read_compile_record(compile_key(input.build, input.architecture, package), *locked,
                             release_of(input.build), cache);
}

// The locked compiler is of the image's architecture.
Status check_compiles_here(const std::string& architecture) {
  utsname here{};
  if (::uname(&here) == 0 && here.machine != machine_name(architecture)) {
    return fail(Errc::invalid_input,
                "modules for " + architecture +
                    " are compiled by a compiler for it, and this machine is " + here.machine +
                    ": run weir-builder module on one of those");
  }
  TRY(find_sandbox());
  return {};
}

std::vector<LockedPackage> to_fetch(const CompileInput& input, const Cache& cache) {
  std::vector<LockedPackage> out;
  for (const LockedPackage& package : input.build.packages) {
    if (!is_cached(cache, package)) out.push_back(package);
  }
  return out;
}

Result<std::vector<CompiledModule>> compile(const CompileInput& input,
                                            const std::vector<std::string>& packages,
                                            const Cache& cache,
                                            const std::function<Result<Mirrors>()>& mirrors,
                                            Progress& progress) {
  TRY(check_compiles_here(input.architecture));
  Machine machine(input, cache, progress);
  TRY(machine.fetch(mirrors));
  TRY_ASSIGN(const ScratchFolder root, ScratchFolder::make(cache.path() + "/compile"));
  TRY(machine.unpack(root.path()));
  std::vector<CompiledModule> out;
  for (const std::string& package : packages) {
    TRY_ASSIGN(auto modules, machine.compile(package));
    std::move(modules.begin(), modules.end(), std::back_inserter(out));
  }
  return out;
}

}  // namespace weir::builder
