#pragma once

// libsolv's headers are C: `struct s_Solvable` has a member called `requires`, a keyword since
// C++20. The member gets another name here; the layout stays. Included by .cpp files only.
// clang-format off
#include <sys/types.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#ifdef __clang__
#pragma clang diagnostic ignored "-Wkeyword-macro"
#endif
#define requires solv_requires
extern "C" {
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/evr.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/solver.h>
}
#undef requires
// clang-format on
