#include "keys/trust/trust_edit.h"

#include <algorithm>
#include <set>

namespace weir::keys {
namespace {

using manifests::Role;
using manifests::Trust;
using manifests::TrustRole;

std::string print(const RoleName& name) {
  return std::string(name_of(name.role)) + (name.channel ? "@" + name.channel->string() : "");
}

std::vector<manifests::TrustChannel>::iterator find_channel(Trust& trust,
                                                            const manifests::ChannelName& name) {
  return std::find_if(trust.channels.begin(), trust.channels.end(),
                      [&](const auto& it) { return it.name == name; });
}

/// The role, made where it is missing.
Result<TrustRole*> role_of(Trust& trust, const RoleName& name) {
  if (!name.channel) return &trust.roles[name.role];
  const auto channel = find_channel(trust, *name.channel);
  if (channel == trust.channels.end()) {
    return fail(Errc::invalid_input, "there is no channel '" + name.channel->string() +
                                         "'; add it with --channel " + name.channel->string());
  }
  if (!channel->release) channel->release = TrustRole{};
  return &*channel->release;
}

bool drop(TrustRole& role, const std::string& id) {
  return std::erase(role.keys, id) > 0;
}

Status add(Trust& trust, const RoleName& name, const manifests::TrustKey& key) {
  const std::string id = manifests::key_id_of(key.public_key);
  for (const auto& revoked : trust.revoked) {
    if (revoked.key.public_key == key.public_key) {
      return fail(Errc::invalid_input, "key " + id + " was revoked (" + revoked.why +
                                           ") and cannot come back; make a new one");
    }
  }
  const auto known = std::find_if(trust.keys.begin(), trust.keys.end(),
                                  [&](const auto& it) { return it.public_key == key.public_key; });
  if (known == trust.keys.end()) trust.keys.push_back(key);
  TRY_ASSIGN(TrustRole * role, role_of(trust, name));
  if (std::find(role->keys.begin(), role->keys.end(), id) == role->keys.end()) {
    role->keys.push_back(id);
  }
  return {};
}

Status revoke(Trust& trust, const std::string& id, const std::string& why) {
  const auto known = std::find_if(trust.keys.begin(), trust.keys.end(), [&](const auto& it) {
    return manifests::key_id_of(it.public_key) == id;
  });
  if (known == trust.keys.end()) {
    return fail(Errc::invalid_input, "there is no key " + id + " to revoke");
  }
  trust.revoked.push_back({*known, why});
  trust.keys.erase(known);
  for (auto& [_, role] : trust.roles) drop(role, id);
  for (auto& channel : trust.channels) {
    if (channel.release) drop(*channel.release, id);
  }
  return {};
}

/// Roles nobody is left in go, and keys without a role.
void tidy(Trust& trust) {
  std::set<std::string> used;
  const auto use = [&](const TrustRole& role) { used.insert(role.keys.begin(), role.keys.end()); };
  for (auto it = trust.roles.begin(); it != trust.roles.end();) {
    const bool needed = it->first == Role::root || it->first == Role::release;
    it = it->second.keys.empty() && !needed ? trust.roles.erase(it) : std::next(it);
  }
  for (auto& channel : trust.channels) {
    if (channel.release && channel.release->keys.empty()) channel.release.reset();
  }
  for (const auto& [_, role] : trust.roles) use(role);
  for (const auto& channel : trust.channels) {
    if (channel.release) use(*channel.release);
  }
  std::erase_if(trust.keys, [&](const auto& key) {
    return !used.contains(manifests::key_id_of(key.public_key));
  });
}

/// A person who takes a key away is told what else to say; all other rules are the parser's.
Status check_thresholds(const Trust& next, const TrustChange& change) {
  const auto check = [&](const RoleName& name, const TrustRole& role) -> Status {
    const std::string text = print(name), left = std::to_string(role.keys.size());
    const bool stated =
        std::any_of(change.thresholds.begin(), change.thresholds.end(), [&](const auto& it) {
          return it.first.role == name.role && it.first.channel == name.channel;
        });
    if (role.threshold <= role.keys.size() || stated) return {};
    return fail(
        Errc::invalid_input,
        "role " + text + ": " + std::to_string(role.threshold) +
            " of its keys must sign, and only " + left +
            " would be left: give it another with --add " + text + "=FILE.pub" +
            (role.keys.empty() ? "" : ", or ask for fewer with --threshold " + text + "=" + left));
  };
  for (const auto& [role, value] : next.roles) TRY(check({role, std::nullopt}, value));
  for (const auto& channel : next.channels) {
    if (channel.release) TRY(check({Role::release, channel.name}, *channel.release));
  }
  return {};
}

}  // namespace

Result<RoleName> parse_role_name(std::string_view text) {
  const auto at = text.find('@');
  TRY_ASSIGN(const Role role, manifests::parse_role(text.substr(0, at)));
  RoleName out{role, std::nullopt};
  if (at == std::string_view::npos) return out;
  TRY_ASSIGN(out.channel, manifests::ChannelName::parse(text.substr(at + 1)));
  if (role != Role::release) {
    return fail(Errc::invalid_input,
                "only release can be bound to a channel: release@" + out.channel->string());
  }
  return out;
}

Result<Trust> next_trust(const std::optional<Trust>& before, const TrustChange& change,
                         UtcTime now) {
  Trust next = before.value_or(Trust());
  next.version = before ? before->version + 1 : 1;
  for (const auto& name : change.channels) {
    if (find_channel(next, name) == next.channels.end()) next.channels.push_back({name, {}});
  }
  for (const auto& name : change.without_channels) {
    const auto channel = find_channel(next, name);
    if (channel == next.channels.end()) {
      return fail(Errc::invalid_input, "there is no channel '" + name.string() + "' to remove");
    }
    next.channels.erase(channel);
  }
  for (const auto& [role, key] : change.add) TRY(add(next, role, key));
  for (const auto& [name, id] : change.remove) {
    TRY_ASSIGN(TrustRole * role, role_of(next, name));
    if (!drop(*role, id)) {
      return fail(Errc::invalid_input, "key " + id + " is not in the role " + print(name));
    }
  }
  for (const auto& [id, why] : change.revoke) TRY(revoke(next, id, why));
  if (!before && next.roles[Role::root].keys.empty()) {
    return fail(Errc::invalid_input,
                "nobody has the role root, which signs the trust itself: --add root=FILE.pub");
  }
  if (!before && next.roles[Role::release].keys.empty()) {
    next.roles[Role::release].keys = next.roles[Role::root].keys;
  }
  for (const auto& [name, threshold] : change.thresholds) {
    TRY_ASSIGN(TrustRole * role, role_of(next, name));
    role->threshold = threshold;
  }
  if (change.expires) next.expires = *change.expires;
  tidy(next);
  if (before) TRY(check_thresholds(next, change));
  // The parser has all the rules of a version on its own.
  TRY_ASSIGN(Trust checked, manifests::parse_trust(manifests::print(next)));
  if (checked.expires.seconds <= now.seconds) {
    return fail(Errc::invalid_input, "the new version would have expired at " +
                                         checked.expires.string() +
                                         ", and nobody would believe it: say --expires");
  }
  return checked;
}

}  // namespace weir::keys
