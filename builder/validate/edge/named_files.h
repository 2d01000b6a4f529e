#pragma once

#include <string>

#include "manifests/base/result.h"

namespace weir::builder {

/// Judges what a valid document names and what has to fit it: a fleet's clients, once they are
/// there; its identity, its clients and whom it trusts, once its identity or its store is there;
/// and the preshared keys of clients. Documents of other kinds name nothing.
///
/// kind     as DocumentVerdict tells it
/// file     where the document lies
/// errors   of the files, with file and line
[[nodiscard]] Status check_named_files(const std::string& kind, const std::string& text,
                                       const std::string& file);

}  // namespace weir::builder
