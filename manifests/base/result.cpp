#include "manifests/base/result.h"

#include <cstring>

namespace weir {

std::string_view name_of(Errc code) {
  switch (code) {
    case Errc::invalid_input:
      return "invalid input";
    case Errc::not_found:
      return "not found";
    case Errc::integrity:
      return "integrity";
    case Errc::unauthorized:
      return "unauthorized";
    case Errc::exhausted:
      return "exhausted";
    case Errc::busy:
      return "busy";
    case Errc::timeout:
      return "timeout";
    case Errc::io:
      return "i/o";
    case Errc::kernel:
      return "kernel";
    case Errc::bug:
      return "bug";
  }
  return "unknown";
}

Error Error::in(std::string_view where) && {
  message.insert(0, std::string(where) + ": ");
  return std::move(*this);
}

Error Error::then(std::string_view way_on) && {
  message.append("; ").append(way_on);
  return std::move(*this);
}

tl::unexpected<Error> fail(Errc code, std::string message) {
  return tl::unexpected(Error{code, 0, std::move(message)});
}

tl::unexpected<Error> fail_errno(Errc code, int sys, std::string_view message) {
  return tl::unexpected(Error{code, sys, std::string(message) + ": " + std::strerror(sys)});
}

}  // namespace weir
