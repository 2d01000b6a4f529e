#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "deployer/rollout/movement/client.h"

namespace weir::deployer {

namespace detail {

template <class S, std::size_t I = 0>
constexpr std::size_t stage_index() {
  static_assert(I < std::variant_size_v<Stage>);
  if constexpr (std::is_same_v<S, std::variant_alternative_t<I, Stage>>) {
    return I;
  } else {
    return stage_index<S, I + 1>();
  }
}

/// Public keys are uniformly distributed as they are.
struct KeyHash {
  std::size_t operator()(const PublicKey& key) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < sizeof out; ++i) out = out << 8 | key.raw().at(i);
    return out;
  }
};

}  // namespace detail

/// All clients of a rollout, found by key, by stage and node, and by the command they wait for:
/// whatever a step asks for costs what it finds, not how many clients there are. A value.
class Roster {
 public:
  using Id = std::uint32_t;  ///< good until `clear`

  /// Adds a client, in its stage; one with the same key is replaced.
  Id put(Client client);
  void clear() { *this = Roster(); }

  [[nodiscard]] std::size_t size() const { return clients_.size(); }
  [[nodiscard]] bool empty() const { return clients_.empty(); }
  [[nodiscard]] auto begin() const { return clients_.begin(); }
  [[nodiscard]] auto end() const { return clients_.end(); }
  /// Null where there is none.
  [[nodiscard]] const Client* find(const PublicKey& key) const;
  [[nodiscard]] const Client& at(const PublicKey& key) const { return *find(key); }
  [[nodiscard]] const Client& operator[](Id id) const { return clients_[id]; }
  /// What is changed must not be key, nodes, stage, or `counted`.
  [[nodiscard]] Client& change(Id id) { return clients_[id]; }

  void enter(Id id, Stage stage, Instant now);
  void set_counted(Id id, bool counted);
  /// The client's stage waits for `command`; it is in no list of those that wait for none.
  void wait(Id id, CommandId command);
  /// Clients that wait for `command`; they do no longer, and may ask again from `not_before`.
  [[nodiscard]] std::vector<Id> answered(CommandId command, Instant not_before);
  /// A command that needs no repetition for this client; its stage asks anew, from `not_before`.
  void ask_again(Id id, Instant not_before);

  /// Clients in any of these stages.
  template <class... S>
  [[nodiscard]] std::size_t count() const {
    return (count_at(detail::stage_index<S>()) + ...);
  }
  template <class... S>
  [[nodiscard]] bool any() const {
    return count<S...>() != 0;
  }
  /// Clients whose stage is of this kind, by its `traits`.
  template <class Kind>
  [[nodiscard]] std::size_t count_where(const Kind& kind) const {
    return count_where(kind, std::make_index_sequence<kStages>());
  }
  [[nodiscard]] std::size_t count(Part part) const {
    return count_where([&](const Traits& it) { return it.part == part; });
  }
  [[nodiscard]] std::size_t count(Asked asked) const {
    return count_where([&](const Traits& it) { return it.asked == asked; });
  }
  /// The same, of those that move to, or from, `node`.
  template <class... S>
  [[nodiscard]] std::size_t count_to(const NodeId& node) const {
    const auto number = number_of(node);
    return number ? (count_at(to_, detail::stage_index<S>(), *number) + ...) : 0;
  }
  template <class... S>
  [[nodiscard]] std::size_t count_from(const NodeId& node) const {
    const auto number = number_of(node);
    return number ? (count_at(from_, detail::stage_index<S>(), *number) + ...) : 0;
  }
  /// Those that stay and count as failures.
  [[nodiscard]] std::size_t failed() const { return failed_; }
  /// Those whose key is in the registry no longer.
  [[nodiscard]] std::size_t revoked() const { return revoked_; }

  /// Clients of a stage that wait for no command, as they entered it, node after node.
  template <class S>
  [[nodiscard]] std::vector<Id> ids() const {
    return ids_at(detail::stage_index<S>());
  }
  /// The same of one node: `from` for those prepared or recalled, else `to`.
  template <class S>
  [[nodiscard]] std::vector<Id> ids(const NodeId& node) const {
    return ids_at(detail::stage_index<S>(), node);
  }
  /// The first of them, and the one after `id`; to walk as far as is needed.
  template <class S>
  [[nodiscard]] std::optional<Id> first(const NodeId& node) const {
    return first_at(detail::stage_index<S>(), node);
  }
  [[nodiscard]] std::optional<Id> after(Id id) const;

  bool operator==(const Roster&) const = default;

 private:
  static constexpr Id kNone = UINT32_MAX;
  static constexpr std::size_t kStages = std::variant_size_v<Stage>;
  struct Link {
    Id before = kNone, next = kNone;
    std::uint32_t from = 0, to = 0;  ///< numbers of the client's nodes
    bool listed = false;
    bool operator==(const Link&) const = default;
  };
  struct List {
    Id first = kNone, last = kNone;
    bool operator==(const List&) const = default;
  };
  using Counts = std::array<std::vector<std::size_t>, kStages>;

  template <class Kind, std::size_t... I>
  [[nodiscard]] std::size_t count_where(const Kind& kind,
                                        std::index_sequence<I...> /*stages*/) const {
    return ((kind(traits(Tag<std::variant_alternative_t<I, Stage>>())) ? count_at(I) : 0) + ...);
  }
  std::uint32_t number(const NodeId& node);
  [[nodiscard]] std::optional<std::uint32_t> number_of(const NodeId& node) const;
  [[nodiscard]] static std::size_t count_at(const Counts& counts, std::size_t stage,
                                            std::uint32_t node) {
    return counts[stage][node];
  }
  [[nodiscard]] std::size_t count_at(std::size_t stage) const { return counts_[stage]; }
  [[nodiscard]] std::vector<Id> ids_at(std::size_t stage) const;
  [[nodiscard]] std::vector<Id> ids_at(std::size_t stage, const NodeId& node) const;
  [[nodiscard]] std::optional<Id> first_at(std::size_t stage, const NodeId& node) const;
  List& list_of(Id id);
  void add(Id id);
  void remove(Id id);
  void link(Id id);
  void unlink(Id id);

  std::vector<Client> clients_;
  std::vector<Link> links_;
  std::unordered_map<PublicKey, Id, detail::KeyHash> by_key_;
  std::map<NodeId, std::uint32_t> numbers_;
  std::array<std::vector<List>, kStages> lists_;
  Counts to_, from_;
  std::array<std::size_t, kStages> counts_{};
  std::map<CommandId, std::vector<Id>> waiting_;
  std::size_t failed_ = 0, revoked_ = 0;
};

}  // namespace weir::deployer
