#include "keys/trust/trust_changes.h"

#include <algorithm>
#include <array>
#include <map>

#include "keys/signing/minisign.h"

namespace weir::keys {
namespace {

using manifests::Trust;
using manifests::TrustRole;

/// Who may sign what, by the names that a person gives it: "root", "release", "release@lab".
std::map<std::string, TrustRole> roles_of(const Trust& trust) {
  std::map<std::string, TrustRole> out;
  for (const auto& [role, value] : trust.roles) {
    out.emplace(std::string(manifests::name_of(role)), value);
  }
  for (const auto& channel : trust.channels) {
    if (channel.release) out.emplace("release@" + channel.name.string(), *channel.release);
  }
  return out;
}

std::string called(const Trust& before, const Trust& after, const std::string& id) {
  for (const Trust* trust : {&after, &before}) {
    for (const auto& key : trust->keys) {
      if (manifests::key_id_of(key.public_key) == id) return id + " (" + key.name + ")";
    }
    for (const auto& each : trust->revoked) {
      if (manifests::key_id_of(each.key.public_key) == id) return id + " (" + each.key.name + ")";
    }
  }
  return id;
}

bool contains(const std::vector<std::string>& ids, const std::string& id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

template <class Items, class Same>
bool has(const Items& items, const Same& same) {
  return std::any_of(items.begin(), items.end(), same);
}

// "1a2b 3c4d ...", as people read it to each other.
std::string in_groups(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 4) {
    out += (i == 0 ? "" : " ") + hex.substr(i, 4);
  }
  return out;
}

// The whole key, which is what is trusted; many keys can be made for one id of 64 bits.
std::string whole(const std::string& public_key) {
  const auto key = parse_public_key(public_key);
  if (!key) return public_key;
  std::array<std::uint8_t, 2 + sizeof key->id + sizeof key->key> bytes{'E', 'd'};
  std::copy(key->id.begin(), key->id.end(), bytes.begin() + 2);
  std::copy(key->key.begin(), key->key.end(), bytes.begin() + 2 + sizeof key->id);
  return public_key + " (SHA-256 " + in_groups(Digest::of(bytes).hex()) + ")";
}

class Changes {
 public:
  Changes(const Trust& before, const Trust& after) : before_(before), after_(after) {}

  std::vector<std::string> list() && {
    roles();
    keys();
    channels();
    revocations();
    if (before_.expires != after_.expires) {
      const bool first = before_.version == 0;
      out_.push_back("expires " + after_.expires.string() +
                     (first ? "" : ", before " + before_.expires.string()));
    }
    if (out_.empty()) out_.emplace_back("nothing but its number");
    return std::move(out_);
  }

 private:
  void roles() {
    const auto old = roles_of(before_), now = roles_of(after_);
    for (const auto& [name, role] : now) {
      const auto found = old.find(name);
      const TrustRole none{{}, 0};
      const TrustRole& was = found == old.end() ? none : found->second;
      for (const std::string& id : role.keys) {
        if (!contains(was.keys, id)) out_.push_back("role " + name + " gets key " + call(id));
      }
      for (const std::string& id : was.keys) {
        if (!contains(role.keys, id)) out_.push_back("role " + name + " loses key " + call(id));
      }
      if (role.threshold == was.threshold && role.keys.size() == was.keys.size()) continue;
      out_.push_back("role " + name + " takes " + print(role) + " keys" +
                     (was.threshold == 0 ? "" : ", before " + print(was)));
    }
    for (const auto& [name, _] : old) {
      if (!now.contains(name)) out_.push_back("role " + name + " ends");
    }
  }

  static std::string print(const TrustRole& role) {
    return std::to_string(role.threshold) + " of " + std::to_string(role.keys.size());
  }

  // Under one id there may be another key than before, or another name for it.
  void keys() {
    for (const auto& key : after_.keys) {
      const std::string id = manifests::key_id_of(key.public_key);
      const std::string named = "key " + id + " (" + key.name + ")";
      bool known = false;
      for (const auto& old : before_.keys) {
        if (manifests::key_id_of(old.public_key) != id) continue;
        known = true;
        if (old.public_key != key.public_key) {
          out_.push_back(named + " is ANOTHER KEY of the same id: " + whole(key.public_key) +
                         ", before " + whole(old.public_key));
        } else if (old != key) {
          out_.push_back("key " + id + " is called " + key.name + ", before " + old.name);
        }
      }
      if (!known) out_.push_back(named + " is new: " + whole(key.public_key));
    }
  }

  void channels() {
    for (const auto& channel : after_.channels) {
      const auto same = [&](const auto& it) { return it.name == channel.name; };
      if (!has(before_.channels, same))
        out_.push_back("channel " + channel.name.string() + " begins");
    }
    for (const auto& channel : before_.channels) {
      const auto same = [&](const auto& it) { return it.name == channel.name; };
      if (!has(after_.channels, same)) out_.push_back("channel " + channel.name.string() + " ends");
    }
  }

  void revocations() {
    for (const auto& each : after_.revoked) {
      if (has(before_.revoked, [&](const auto& it) { return it == each; })) continue;
      out_.push_back("key " + call(manifests::key_id_of(each.key.public_key)) +
                     " is revoked: " + each.why);
    }
    for (const auto& each : before_.revoked) {
      if (has(after_.revoked, [&](const auto& it) { return it.key == each.key; })) continue;
      out_.push_back("the revocation of key " + call(manifests::key_id_of(each.key.public_key)) +
                     " is FORGOTTEN");
    }
  }

  [[nodiscard]] std::string call(const std::string& id) const {
    return called(before_, after_, id);
  }

  const Trust& before_;
  const Trust& after_;
  std::vector<std::string> out_;
};

}  // namespace

std::vector<std::string> describe_changes(const std::optional<Trust>& before, const Trust& after) {
  Trust nothing;
  nothing.version = 0;
  return Changes(before ? *before : nothing, after).list();
}

}  // namespace weir::keys
