#pragma once

#include <curl/curl.h>

#include "manifests/base/result.h"

namespace weir::builder {

/// What Weir uses of libcurl. It is loaded at the first transfer: with all that it needs in turn,
/// it would be a third of what every start of the program has to link, and most builds fetch
/// nothing. Members are libcurl's functions without `curl_`.
struct CurlLibrary {
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_multi_init) multi_init;
  decltype(&curl_multi_cleanup) multi_cleanup;
  decltype(&curl_multi_setopt) multi_setopt;
  decltype(&curl_multi_add_handle) multi_add_handle;
  decltype(&curl_multi_remove_handle) multi_remove_handle;
  decltype(&curl_multi_perform) multi_perform;
  decltype(&curl_multi_info_read) multi_info_read;
  decltype(&curl_multi_poll) multi_poll;

  /// Loads it, once; it stays. errors: not_found: no libcurl here, or one without such a function
  static Result<const CurlLibrary*> load();
};

}  // namespace weir::builder
