// libcurl brings twenty libraries along, which take a twentieth of a build that fetches nothing.
// Its functions stand here under their own names and load it when the first of them is called.
#include "builder/mirror/edge/curl_on_demand.h"

#include <curl/curl.h>
#include <dlfcn.h>

#include <cstdarg>

// As macros they would change the definitions below.
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

namespace weir::builder {
namespace {

// All that stand below.
constexpr const char* kFunctions[] = {
    "curl_easy_init",     "curl_easy_cleanup",  "curl_easy_perform",     "curl_easy_strerror",
    "curl_easy_setopt",   "curl_easy_getinfo",  "curl_slist_append",     "curl_slist_free_all",
    "curl_multi_init",    "curl_multi_cleanup", "curl_multi_add_handle", "curl_multi_remove_handle",
    "curl_multi_perform", "curl_multi_poll",    "curl_multi_info_read",  "curl_multi_setopt"};

struct Library {
  void* handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  std::string problem;
  Library() {
    if (handle == nullptr) {
      problem = dlerror();  // NOLINT(concurrency-mt-unsafe): glibc's is a thread's own
      return;
    }
    for (const char* name : kFunctions) {
      if (dlsym(handle, name) == nullptr) problem = "libcurl.so.4 has no " + std::string(name);
    }
  }
};

// Never unloaded: libcurl and OpenSSL leave handlers behind.
const Library& library() {
  static const Library it;
  return it;
}

// libcurl's function of this name; null without libcurl.
template <class Function>
Function* find(Function* /*own*/, const char* name) {
  void* handle = library().handle;
  return handle == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(handle, name));
}

// An option's number says what type its value has (curl.h: CURLOPTTYPE_*).
template <class Set, class Handle, class Option>
auto set_option(Set* set, Handle handle, Option option, va_list values) {
  const int kind = static_cast<int>(option) / 10000 * 10000;
  if (kind == CURLOPTTYPE_LONG) return set(handle, option, va_arg(values, long));
  if (kind == CURLOPTTYPE_OFF_T) return set(handle, option, va_arg(values, curl_off_t));
  return set(handle, option, va_arg(values, void*));
}

}  // namespace

Status require_curl() {
  if (library().problem.empty()) return {};
  return fail(Errc::not_found, "nothing can be fetched: " + library().problem);
}

}  // namespace weir::builder

// NAME(PARAMETERS) of libcurl; ARGUMENTS are the parameters' names.
#define WEIR_CURL(RESULT, NAME, PARAMETERS, ARGUMENTS)               \
  RESULT NAME PARAMETERS {                                           \
    static auto* const function = weir::builder::find(&NAME, #NAME); \
    return function ARGUMENTS;                                       \
  }

extern "C" {

WEIR_CURL(CURL*, curl_easy_init, (), ())
WEIR_CURL(void, curl_easy_cleanup, (CURL * easy), (easy))
WEIR_CURL(CURLcode, curl_easy_perform, (CURL * easy), (easy))
WEIR_CURL(const char*, curl_easy_strerror, (CURLcode code), (code))
WEIR_CURL(curl_slist*, curl_slist_append, (curl_slist * list, const char* text), (list, text))
WEIR_CURL(void, curl_slist_free_all, (curl_slist * list), (list))
WEIR_CURL(CURLM*, curl_multi_init, (), ())
WEIR_CURL(CURLMcode, curl_multi_cleanup, (CURLM * multi), (multi))
WEIR_CURL(CURLMcode, curl_multi_add_handle, (CURLM * multi, CURL* easy), (multi, easy))
WEIR_CURL(CURLMcode, curl_multi_remove_handle, (CURLM * multi, CURL* easy), (multi, easy))
WEIR_CURL(CURLMcode, curl_multi_perform, (CURLM * multi, int* running), (multi, running))
WEIR_CURL(CURLMcode, curl_multi_poll,
          (CURLM * multi, curl_waitfd* more, unsigned count, int milliseconds, int* ready),
          (multi, more, count, milliseconds, ready))
WEIR_CURL(CURLMsg*, curl_multi_info_read, (CURLM * multi, int* left), (multi, left))

// Lists that begin after an enumeration, as in libcurl itself: it has the size of an int, so that
// nothing is promoted.
#pragma GCC diagnostic ignored "-Wvarargs"

CURLcode curl_easy_setopt(CURL* easy, CURLoption option, ...) {
  static auto* const function = weir::builder::find(&curl_easy_setopt, "curl_easy_setopt");
  va_list values;
  va_start(values, option);
  const CURLcode out = weir::builder::set_option(function, easy, option, values);
  va_end(values);
  return out;
}

CURLMcode curl_multi_setopt(CURLM* multi, CURLMoption option, ...) {
  static auto* const function = weir::builder::find(&curl_multi_setopt, "curl_multi_setopt");
  va_list values;
  va_start(values, option);
  const CURLMcode out = weir::builder::set_option(function, multi, option, values);
  va_end(values);
  return out;
}

// What it answers with goes through a pointer, whatever its type.
CURLcode curl_easy_getinfo(CURL* easy, CURLINFO info, ...) {
  static auto* const function = weir::builder::find(&curl_easy_getinfo, "curl_easy_getinfo");
  va_list values;
  va_start(values, info);
  const CURLcode out = function(easy, info, va_arg(values, void*));
  va_end(values);
  return out;
}

}  // extern "C"
