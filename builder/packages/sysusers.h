#pragma once

#include <string_view>

#include "builder/packages/script_actions.h"

namespace weir::builder {

/// The users and groups that a file of sysusers.d names, put into `out`.
/// source   sysusers.d(5)
void add_sysusers(std::string_view file, ScriptActions& out);

}  // namespace weir::builder
