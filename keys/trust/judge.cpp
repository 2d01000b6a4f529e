#include "keys/trust/judge.h"

#include <algorithm>
#include <utility>

#include "manifests/documents/own_key_search.h"

namespace weir::keys {
namespace {

using manifests::ReleaseEvidence;

/// Signed by one of some keys. Signatures of others beside it do no harm; where there is none that
/// counts, the one beside the document is told of.
Result<Verified<manifests::Release>> by_keys(const ReleaseEvidence& evidence,
                                             const std::vector<SigningPublicKey>& keys,
                                             const Circumstances& at) {
  std::optional<Error> first;
  for (const std::string& signature : evidence.signatures) {
    auto release = verify_release(evidence.release, signature, keys, at.now, at.running);
    if (release) return release;
    if (!first) first = std::move(release).error();
  }
  if (first) return tl::unexpected(std::move(*first));
  return fail(Errc::unauthorized, "release signature: nobody signed it");
}

Result<Verified<manifests::Release>> by_trust(const ReleaseEvidence& evidence,
                                              const Verified<manifests::Trust>& trust,
                                              const manifests::ChannelName& channel,
                                              const Circumstances& at) {
  return verify_release(evidence.release, evidence.signatures, trust,
                        {channel, at.seen, at.now, at.running});
}

/// What a refusal of the signed document is about.
template <class Verify>
Ground ground_of(const ReleaseEvidence& evidence, Circumstances at, Verify verify) {
  at.running.insert(Digest::of(as_bytes(evidence.release)));
  return verify(at) ? Ground::terms : Ground::signatures;
}

Result<std::vector<StatementDemand>> all_demands(
    const TrustDemands& demands, const std::optional<Verified<manifests::Trust>>& by) {
  std::vector<StatementDemand> out;
  if (by && demands.roles) {
    for (const StatementKind kind : {StatementKind::boot_check, StatementKind::rebuild}) {
      TRY_ASSIGN(auto demand, demand_of(**by, kind));
      if (demand) out.push_back(std::move(*demand));
    }
  }
  out.insert(out.end(), demands.statements.begin(), demands.statements.end());
  return out;
}

void add_new(std::vector<std::string>& ids, const std::vector<SigningPublicKey>& keys) {
  for (const SigningPublicKey& key : keys) {
    std::string id = print(key.id);
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(std::move(id));
  }
}

}  // namespace

Result<Verified<manifests::Release>> Verdict::release() const {
  if (reasons_.empty()) return *release_;
  Error out = reasons_.front().error;
  for (std::size_t i = 1; i < reasons_.size(); ++i) {
    out.message += "; and: " + reasons_[i].error.message;
  }
  return tl::unexpected(std::move(out));
}

Result<Verified<manifests::Trust>> judge_trust(const TrustedFile& file,
                                               const manifests::TrustState& seen, UtcTime now) {
  TRY_ASSIGN_IN(auto trust, verify_trust(file.text, seen, now, file.pin), file.path);
  return trust;
}

Verdict judge(const ReleaseEvidence& evidence, const Authority& authority,
              const TrustDemands& demands, const Circumstances& circumstances) {
  Verdict out;
  const auto refuse = [&](Ground ground, Error error) {
    out.reasons_.push_back({ground, std::move(error).in(evidence.where)});
  };
  const auto with_unreadable = [&](Error error) {
    for (const std::string& each : evidence.unreadable) error.message += "; " + each;
    return error;
  };

  if (const auto* keys = std::get_if<std::vector<SigningPublicKey>>(&authority)) {
    out.signers_ = {*keys, 1};
    const auto verify = [&](const Circumstances& at) { return by_keys(evidence, *keys, at); };
    auto release = verify(circumstances);
    if (!release) {
      refuse(ground_of(evidence, circumstances, verify),
             with_unreadable(std::move(release).error()));
      return out;
    }
    out.release_ = std::move(*release);
  } else {
    const auto& file = std::get<TrustedFile>(authority);
    auto trust = judge_trust(file, circumstances.seen, circumstances.now);
    if (!trust) {
      out.reasons_.push_back({Ground::trust, std::move(trust).error()});
      return out;
    }
    out.trust_ = std::move(*trust);
    auto signers = release_signers(**out.trust_, file.channel);
    if (!signers) {
      out.reasons_.push_back({Ground::trust, std::move(signers).error()});
      return out;
    }
    out.signers_ = std::move(*signers);
    const auto verify = [&](const Circumstances& at) {
      return by_trust(evidence, *out.trust_, file.channel, at);
    };
    auto release = verify(circumstances);
    if (!release) {
      refuse(ground_of(evidence, circumstances, verify),
             with_unreadable(std::move(release).error()));
      return out;
    }
    out.release_ = std::move(*release);
  }

  const auto& release = *out.release_;
  if (release->name != evidence.name) {
    refuse(Ground::place,
           Error{Errc::integrity, 0,
                 "the signed document is of release '" + release->name.string() + "'"});
    return out;
  }
  const bool runs = circumstances.running.contains(release.digest());
  if (demands.own_key_search && !runs) {
    if (const Status searched = manifests::require_own_key_search(*release); !searched) {
      refuse(Ground::own_keys, searched.error());
    }
  }
  const auto demanded = all_demands(demands, out.trust_);
  if (!demanded) {
    refuse(Ground::statements, demanded.error());
    return out;
  }
  for (const StatementDemand& demand : *demanded) {
    if (runs) break;
    const auto found = evidence.statements.find(demand.kind);
    const auto stated = require_statements(
        found == evidence.statements.end() ? std::vector<manifests::SignedText>() : found->second,
        release, demand);
    if (stated) {
      add_new(out.stated_by_[demand.kind], *stated);
    } else {
      refuse(Ground::statements, with_unreadable(stated.error()));
    }
  }
  return out;
}

}  // namespace weir::keys
