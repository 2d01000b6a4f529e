#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "manifests/base/edge/file.h"
#include "manifests/base/result.h"

namespace weir::deployer {

/// A stream of lines over a unix socket.
class ControlConnection {
 public:
  explicit ControlConnection(Fd fd) : fd_(std::move(fd)) {}

  /// Sends `line` and a line's end. errors: io: the other side is gone; timeout: it does not take
  /// them within `patience`, and what it got is half a line
  Status send(std::string_view line, std::chrono::milliseconds patience = kSendPatience);
  /// The next line, without its end; nullopt: none was whole within `patience`, however many pieces
  /// of one came.
  /// errors: io: the other side is gone; exhausted: a line of more than 16 MiB
  Result<std::optional<std::string>> receive(std::chrono::milliseconds patience);

 private:
  static constexpr std::chrono::milliseconds kSendPatience{2000};
  Fd fd_;
  std::string buffer_;
  bool broken_ = false;  ///< half a line went out
};

/// `path` may be longer than a socket's address holds. errors: not_found: nobody listens
Result<ControlConnection> connect_control(const std::string& path);

/// The listening side; only the owner may connect (mode 0600). A socket left behind is replaced:
/// the fleet's lock says that nobody else listens.
class ControlListener {
 public:
  static Result<ControlListener> open(const std::string& path);
  ControlListener(ControlListener&&) noexcept = default;
  ControlListener& operator=(ControlListener&&) noexcept = default;
  ~ControlListener();
  /// nullopt: nobody came within `patience`.
  Result<std::optional<ControlConnection>> accept(std::chrono::milliseconds patience);

 private:
  ControlListener(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Fd fd_;
  std::string path_;
};

}  // namespace weir::deployer
