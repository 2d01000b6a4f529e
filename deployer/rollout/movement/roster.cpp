#include "deployer/rollout/movement/roster.h"

#include <utility>

namespace weir::deployer {
namespace {

bool stays_and_counts(const Client& client) {
  return is<stage::Stayed>(client) && client.counted;
}

bool is_revoked(const Client& client) {
  return client.why && client.why->code == Code::revoked;
}

}  // namespace

std::uint32_t Roster::number(const NodeId& node) {
  const auto [it, fresh] = numbers_.try_emplace(node, static_cast<std::uint32_t>(numbers_.size()));
  if (fresh) {
    for (std::size_t stage = 0; stage < kStages; ++stage) {
      lists_[stage].resize(numbers_.size());
      to_[stage].resize(numbers_.size());
      from_[stage].resize(numbers_.size());
    }
  }
  return it->second;
}

std::optional<std::uint32_t> Roster::number_of(const NodeId& node) const {
  const auto found = numbers_.find(node);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

Roster::Id Roster::put(Client client) {
  const auto [it, fresh] = by_key_.try_emplace(client.key, static_cast<Id>(clients_.size()));
  const Id id = it->second;
  if (fresh) {
    clients_.push_back(std::move(client));
    links_.emplace_back();
  } else {
    remove(id);
    clients_[id] = std::move(client);
  }
  links_[id].from = number(clients_[id].from);
  links_[id].to = number(clients_[id].to);
  add(id);
  return id;
}

const Client* Roster::find(const PublicKey& key) const {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &clients_[found->second];
}

void Roster::add(Id id) {
  const Client& client = clients_[id];
  const std::size_t stage = client.stage.index();
  ++counts_[stage];
  ++to_[stage][links_[id].to];
  ++from_[stage][links_[id].from];
  failed_ += stays_and_counts(client) ? 1 : 0;
  revoked_ += is_revoked(client) ? 1 : 0;
  link(id);
}

void Roster::remove(Id id) {
  unlink(id);
  const Client& client = clients_[id];
  const std::size_t stage = client.stage.index();
  --counts_[stage];
  --to_[stage][links_[id].to];
  --from_[stage][links_[id].from];
  failed_ -= stays_and_counts(client) ? 1 : 0;
  revoked_ -= is_revoked(client) ? 1 : 0;
}

void Roster::enter(Id id, Stage stage, Instant now) {
  remove(id);
  clients_[id].stage = stage;
  clients_[id].since = now;
  add(id);
}

void Roster::set_counted(Id id, bool counted) {
  failed_ -= stays_and_counts(clients_[id]) ? 1 : 0;
  clients_[id].counted = counted;
  failed_ += stays_and_counts(clients_[id]) ? 1 : 0;
}

void Roster::wait(Id id, CommandId command) {
  if (Asking* it = asking(clients_[id].stage)) {
    unlink(id);
    it->waits = command;
    waiting_[command].push_back(id);
  }
}

std::vector<Roster::Id> Roster::answered(CommandId command, Instant not_before) {
  const auto found = waiting_.find(command);
  if (found == waiting_.end()) return {};
  std::vector<Id> out;
  for (const Id id : found->second) {
    // Who went on meanwhile waits for something else, or for nothing.
    const Asking* it = asking(clients_[id].stage);
    if (it == nullptr || it->waits != command) continue;
    ask_again(id, not_before);
    out.push_back(id);
  }
  waiting_.erase(found);
  return out;
}

void Roster::ask_again(Id id, Instant not_before) {
  Asking* it = asking(clients_[id].stage);
  if (it == nullptr) return;
  it->waits = 0;
  it->not_before = not_before;
  if (!links_[id].listed) link(id);
}

Roster::List& Roster::list_of(Id id) {
  const Client& client = clients_[id];
  const bool old = is<stage::Prepared>(client) || is<stage::Recalling>(client);
  return lists_[client.stage.index()][old ? links_[id].from : links_[id].to];
}

void Roster::link(Id id) {
  const Asking* it = asking(clients_[id].stage);
  if (it != nullptr && it->waits != 0) return;
  List& list = list_of(id);
  Link& here = links_[id];
  here.listed = true;
  here.before = list.last;
  here.next = kNone;
  (list.last == kNone ? list.first : links_[list.last].next) = id;
  list.last = id;
}

void Roster::unlink(Id id) {
  Link& here = links_[id];
  if (!here.listed) return;
  List& list = list_of(id);
  (here.before == kNone ? list.first : links_[here.before].next) = here.next;
  (here.next == kNone ? list.last : links_[here.next].before) = here.before;
  here.before = here.next = kNone;
  here.listed = false;
}

std::vector<Roster::Id> Roster::ids_at(std::size_t stage) const {
  std::vector<Id> out;
  for (const List& list : lists_[stage]) {
    for (Id id = list.first; id != kNone; id = links_[id].next) out.push_back(id);
  }
  return out;
}

std::vector<Roster::Id> Roster::ids_at(std::size_t stage, const NodeId& node) const {
  std::vector<Id> out;
  for (auto id = first_at(stage, node); id; id = after(*id)) out.push_back(*id);
  return out;
}

std::optional<Roster::Id> Roster::first_at(std::size_t stage, const NodeId& node) const {
  const auto number = number_of(node);
  if (!number || lists_[stage][*number].first == kNone) return std::nullopt;
  return lists_[stage][*number].first;
}

std::optional<Roster::Id> Roster::after(Id id) const {
  if (links_[id].next == kNone) return std::nullopt;
  return links_[id].next;
}

}  // namespace weir::deployer
