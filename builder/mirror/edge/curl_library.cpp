#include "builder/mirror/edge/curl_library.h"

#include <dlfcn.h>

#include <string>

namespace weir::builder {
namespace {

// The name of the interface that the headers describe, since 2006.
constexpr const char* kName = "libcurl.so.4";

std::string last_problem() {
  const char* text = ::dlerror();
  return std::string("libcurl cannot be loaded: ") + (text != nullptr ? text : kName);
}

template <class Function>
Status find(void* library, const char* name, Function& to) {
  to = reinterpret_cast<Function>(::dlsym(library, name));
  if (to == nullptr) return fail(Errc::not_found, last_problem());
  return {};
}

Result<CurlLibrary> open_library() {
  void* library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return fail(Errc::not_found, last_problem() + ": install libcurl4");
  CurlLibrary out{};
  TRY(find(library, "curl_easy_init", out.easy_init));
  TRY(find(library, "curl_easy_cleanup", out.easy_cleanup));
  TRY(find(library, "curl_easy_setopt", out.easy_setopt));
  TRY(find(library, "curl_easy_getinfo", out.easy_getinfo));
  TRY(find(library, "curl_easy_perform", out.easy_perform));
  TRY(find(library, "curl_easy_strerror", out.easy_strerror));
  TRY(find(library, "curl_multi_init", out.multi_init));
  TRY(find(library, "curl_multi_cleanup", out.multi_cleanup));
  TRY(find(library, "curl_multi_setopt", out.multi_setopt));
  TRY(find(library, "curl_multi_add_handle", out.multi_add_handle));
  TRY(find(library, "curl_multi_remove_handle", out.multi_remove_handle));
  TRY(find(library, "curl_multi_perform", out.multi_perform));
  TRY(find(library, "curl_multi_info_read", out.multi_info_read));
  TRY(find(library, "curl_multi_poll", out.multi_poll));
  return out;
}

}  // namespace

Result<const CurlLibrary*> CurlLibrary::load() {
  static const Result<CurlLibrary> library = open_library();
  if (!library) return tl::unexpected(library.error());
  return &*library;
}

}  // namespace weir::builder
