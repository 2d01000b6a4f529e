#pragma once

#include <utility>

namespace weir {

/// Called first in every program's `main`, but for PID 1, which holds no secret: from then on
/// nothing of this process's memory gets out by itself. No core dumps, other processes of the same
/// user may neither trace nor read it (prctl(2), PR_SET_DUMPABLE), and no library writes the keys
/// of TLS sessions (SSLKEYLOGFILE). Children inherit the first and the last, not what lies between.
void harden_process();

/// A variable that is taken out of the environment: children do not inherit it, and when the object
/// goes, its bytes, which /proc/self/environ shows, are overwritten.
class TakenVariable {
 public:
  static TakenVariable take(const char* name);
  TakenVariable(TakenVariable&& other) noexcept
      : name_(other.name_), value_(std::exchange(other.value_, nullptr)) {}
  TakenVariable& operator=(TakenVariable&&) = delete;
  ~TakenVariable();

  /// Null: it was not set.
  [[nodiscard]] const char* value() const { return value_; }

 private:
  TakenVariable(const char* name, char* value) : name_(name), value_(value) {}
  const char* name_;
  char* value_;
};

}  // namespace weir
