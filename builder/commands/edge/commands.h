#pragma once

#include <string>
#include <vector>

/// The subcommands of weir-builder, each in a file of its own (lock.cpp, ...). `args` are what
/// follows the subcommand's name. Each returns the process's exit code: 0 done, 1 failed, 2 wrong
/// usage. Results go to stdout, everything else to stderr.
namespace weir::builder {

using Arguments = std::vector<std::string>;

int run_lock(const Arguments& args);
int run_build(const Arguments& args);
int run_verify(const Arguments& args);
int run_export_digest(const Arguments& args);
int run_attach_signature(const Arguments& args);
int run_list(const Arguments& args);
int run_show(const Arguments& args);
int run_rebuild(const Arguments& args);
int run_boot_check(const Arguments& args);
int run_export(const Arguments& args);
int run_diff(const Arguments& args);
int run_sbom(const Arguments& args);
int run_attest(const Arguments& args);
int run_provenance(const Arguments& args);
int run_validate(const Arguments& args);

}  // namespace weir::builder
