#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "keys/trust/judge.h"
#include "keys/trust/trust.h"
#include "manifests/base/edge/lock_wait.h"
#include "manifests/base/result.h"

namespace weir::keys {

/// The machine's clock. errors: unauthorized: it stands before 2020, so nothing could be said about
/// expiry
[[nodiscard]] Result<UtcTime> read_clock();

/// Whether a state file may be missing although there was one (PATH.lock says so): then whatever
/// was seen is forgotten, and an old trust or release is believed.
enum class Loss : std::uint8_t { refused, accepted };

/// Reads a state file; one that is not there, and never was, is empty.
/// errors: unauthorized: it is lost, or others than root and whoever runs this may write it; io,
///         invalid_input; naming the file, and what to do
[[nodiscard]] Result<manifests::TrustState> read_trust_state(const std::string& path,
                                                             Loss loss = Loss::refused);

/// What a verifier makes of what was seen: what will have been seen, or a refusal.
using JudgeBySeen = std::function<Result<manifests::TrustState>(manifests::TrustState seen)>;

/// Reads a state file, judges by it and writes what comes of that, whole or not at all (mode 0600).
/// Whoever does the same to the file meanwhile waits, so that the older of two versions that are
/// accepted at once never takes the newer one's place. The lock is PATH.lock, which stays and says
/// from then on that there is a state.
///
/// judge    may read files; where it refuses, the state stays as it is
/// waiting  for whoever has the lock
/// errors   as `judge` and `read_trust_state`; busy: interrupted; io, exhausted; naming the file
[[nodiscard]] Status update_trust_state(const std::string& path, const JudgeBySeen& judge,
                                        Loss loss = Loss::refused, const Waiting& waiting = {});

/// Reads the text of a trust file. errors: not_found, exhausted, io; naming it
[[nodiscard]] Result<std::string> read_trust_text(const std::string& path);

/// The same, and what of it is wanted.
[[nodiscard]] Result<TrustedFile> read_trusted_file(const std::string& path,
                                                    manifests::ChannelName channel,
                                                    const std::optional<Digest>& pin = {});

/// What a person is told where no trust was accepted before: what cannot be noticed, and which
/// digest of version 1 is believed unless one was pinned.
[[nodiscard]] std::string first_use_of(const std::string& path, const TrustedFile& trust);

/// Where a verifier keeps what it has seen.
struct TrustMemory {
  std::string path;           ///< of the state file; empty: nothing is remembered
  Loss loss = Loss::refused;  ///< of the state file
  bool writes = true;         ///< a plan does not
  Waiting waiting{};          ///< for whoever else writes it
};

/// Whether a state could be kept at `path`, without doing it: for plans. errors: what
/// `update_trust_state` would say of the place
[[nodiscard]] Status check_trust_state_place(const std::string& path);

/// Who is believed, and what was seen before any release is looked for. Only `believe` makes one.
class Believed {
 public:
  [[nodiscard]] const Authority& authority() const { return authority_; }
  [[nodiscard]] const TrustMemory& memory() const { return memory_; }
  [[nodiscard]] const manifests::TrustState& seen() const { return seen_; }
  /// For the person who waits: this was the first use; empty: it was not.
  [[nodiscard]] const std::string& note() const { return note_; }

 private:
  friend Result<Believed> believe(Authority, TrustMemory);
  Authority authority_;
  TrustMemory memory_;
  manifests::TrustState seen_;
  std::string note_;
};

/// Judges a trust by what was seen before. A newer version of it that is good is stored before the
/// release is looked for, and stays where that is refused or is not there (TUF specification 1.0,
/// section 5.3.8): otherwise whoever withholds good releases keeps a revoked signer in power.
/// Keys are believed as they are.
/// errors: of the memory; of the trust file, where it is not to be believed
[[nodiscard]] Result<Believed> believe(Authority authority, TrustMemory memory = {});

/// Stores that a release was accepted, once nothing else can refuse it any more. What others have
/// stored there meanwhile can: it is judged again by that. Nothing is done where keys are believed
/// in place of a trust.
///
/// circumstances  its `seen` is read from the memory instead
/// errors         of the memory, and the verdict's
[[nodiscard]] Status remember_accepted(const manifests::ReleaseEvidence& evidence,
                                       const Believed& believed, const TrustDemands& demands,
                                       const Circumstances& circumstances);

}  // namespace weir::keys
