#include "deployer/director/nft/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace weir::director {
namespace {

constexpr const char* kTable = "weir";

struct FreeSet {
  void operator()(nftnl_set* set) const { nftnl_set_free(set); }
};
using Set = std::unique_ptr<nftnl_set, FreeSet>;

Set our_set(const std::string& name) {
  Set set(nftnl_set_alloc());
  nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, kTable);
  if (!name.empty()) nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
  return set;
}

void add_key(nftnl_set* set, const std::string& key) {
  nftnl_set_elem* element = nftnl_set_elem_alloc();
  nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key.data(),
                     static_cast<std::uint32_t>(key.size()));
  nftnl_set_elem_add(set, element);
}

// Large enough for the longest request, a deletion of 256 keys of 28 bytes.
using Buffer = std::array<char, 65536>;

std::string finished(const Buffer& buffer, const nlmsghdr* message) {
  return {buffer.data(), message->nlmsg_len};
}

std::string request(std::uint16_t type, std::uint16_t flags, std::uint32_t sequence,
                    const std::function<void(nlmsghdr*)>& payload,
                    std::uint8_t family = NFPROTO_INET) {
  auto buffer = std::make_unique<Buffer>();
  nlmsghdr* message = nftnl_nlmsg_build_hdr(buffer->data(), type, family, flags, sequence);
  payload(message);
  return finished(*buffer, message);
}

/// Attributes by type; the last one of a type counts, as in the kernel.
using Attributes = std::map<std::uint16_t, std::string_view>;

/// Calls `each` for every attribute in `raw`. False: the last one is longer than what is there.
template <class Each>
bool each_attribute(std::string_view raw, Each each) {
  while (!raw.empty()) {
    nlattr header;
    if (raw.size() < sizeof header) return false;
    std::memcpy(&header, raw.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > raw.size()) return false;
    each(static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
         raw.substr(sizeof header, header.nla_len - sizeof header));
    raw.remove_prefix(std::min<std::size_t>(NLA_ALIGN(header.nla_len), raw.size()));
  }
  return true;
}

std::optional<Attributes> attributes_of(std::string_view raw) {
  Attributes out;
  const bool whole = each_attribute(
      raw, [&](std::uint16_t type, std::string_view payload) { out[type] = payload; });
  if (!whole) return std::nullopt;
  return out;
}

std::optional<std::string> text(const Attributes& attributes, std::uint16_t type) {
  const auto found = attributes.find(type);
  if (found == attributes.end() || found->second.empty() || found->second.back() != '\0') {
    return std::nullopt;
  }
  return std::string(found->second.substr(0, found->second.find('\0')));
}

/// In network order, as everything in nf_tables.
template <class Number>
std::optional<Number> number(const Attributes& attributes, std::uint16_t type) {
  const auto found = attributes.find(type);
  Number out{};
  if (found == attributes.end() || found->second.size() != sizeof out) return std::nullopt;
  std::memcpy(&out, found->second.data(), sizeof out);
  return out;
}

/// The bytes inside NFTA_DATA_VALUE, in an attribute that holds data (and not a verdict).
std::optional<std::string_view> value(const Attributes& attributes, std::uint16_t type) {
  const auto found = attributes.find(type);
  if (found == attributes.end()) return std::nullopt;
  const auto inside = attributes_of(found->second);
  if (!inside) return std::nullopt;
  const auto bytes = inside->find(NFTA_DATA_VALUE);
  return bytes == inside->end() ? std::nullopt : std::optional(bytes->second);
}

tl::unexpected<Error> unreadable(const char* what) {
  return fail(Errc::integrity, std::string("netlink: cannot read ") + what);
}

/// Calls `each` with the attributes of every message of `type`; any other message is an error.
Status messages(Bytes reply, std::uint16_t type,
                const std::function<Status(const Attributes&)>& each) {
  std::string_view rest(reinterpret_cast<const char*>(reply.data()), reply.size());
  constexpr std::size_t kBefore = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  while (!rest.empty()) {
    nlmsghdr header;
    if (rest.size() < kBefore) return unreadable("a message that is cut off");
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.nlmsg_len < kBefore || header.nlmsg_len > rest.size()) {
      return unreadable("a message longer than its datagram");
    }
    if (header.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | type)) {
      return fail(Errc::integrity,
                  "netlink: unexpected message of type " + std::to_string(header.nlmsg_type));
    }
    const auto attributes = attributes_of(rest.substr(kBefore, header.nlmsg_len - kBefore));
    if (!attributes) return unreadable("an attribute");
    TRY(each(*attributes));
    rest.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), rest.size()));
  }
  return {};
}

}  // namespace

std::string request_generation(std::uint32_t sequence) {
  return request(NFT_MSG_GETGEN, NLM_F_ACK, sequence, [](nlmsghdr*) {});
}

std::string request_sets(std::uint32_t sequence) {
  return request(NFT_MSG_GETSET, NLM_F_DUMP, sequence, [](nlmsghdr* message) {
    nftnl_set_nlmsg_build_payload(message, our_set({}).get());
  });
}

std::string request_elements(const std::string& set, std::uint32_t sequence) {
  return request(NFT_MSG_GETSETELEM, NLM_F_DUMP, sequence, [&](nlmsghdr* message) {
    nftnl_set_elems_nlmsg_build_payload(message, our_set(set).get());
  });
}

std::string request_counters(std::uint32_t sequence) {
  return request(NFT_MSG_GETOBJ, NLM_F_DUMP, sequence, [](nlmsghdr* message) {
    mnl_attr_put_strz(message, NFTA_OBJ_TABLE, kTable);
    mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
  });
}

std::string request_rules(std::uint8_t family, std::uint32_t sequence) {
  return request(
      NFT_MSG_GETRULE, NLM_F_DUMP, sequence,
      [](nlmsghdr* message) { mnl_attr_put_strz(message, NFTA_RULE_TABLE, kTable); }, family);
}

std::string request_element(const std::string& set, const std::string& key,
                            std::uint32_t sequence) {
  const Set one = our_set(set);
  add_key(one.get(), key);
  return request(NFT_MSG_GETSETELEM, NLM_F_ACK, sequence, [&](nlmsghdr* message) {
    nftnl_set_elems_nlmsg_build_payload(message, one.get());
  });
}

Deletion request_deletion(const Keys& keys, std::uint32_t sequence) {
  auto buffer = std::make_unique<Buffer>();
  Deletion out;
  out.messages = finished(*buffer, nftnl_batch_begin(buffer->data(), sequence));
  out.last = sequence;
  // A list of elements is one attribute, and an attribute is at most 64 KiB long.
  constexpr std::size_t kMost = 256;
  std::size_t left = 0;
  for (const auto& [_, all] : keys) left += all.size();
  for (const auto& [set, all] : keys) {
    for (std::size_t i = 0; i < all.size(); i += kMost) {
      const std::size_t count = std::min(kMost, all.size() - i);
      left -= count;
      const Set some = our_set(set);
      for (std::size_t j = i; j < i + count; ++j) add_key(some.get(), all[j]);
      const std::uint16_t flags = left == 0 ? NLM_F_ACK : 0;
      nlmsghdr* message = nftnl_nlmsg_build_hdr(buffer->data(), NFT_MSG_DELSETELEM, NFPROTO_INET,
                                                flags, ++out.last);
      nftnl_set_elems_nlmsg_build_payload(message, some.get());
      out.messages += finished(*buffer, message);
    }
  }
  out.messages += finished(*buffer, nftnl_batch_end(buffer->data(), out.last + 1));
  return out;
}

Result<std::uint32_t> parse_generation(Bytes reply) {
  std::optional<std::uint32_t> out;
  TRY(messages(reply, NFT_MSG_NEWGEN, [&](const Attributes& generation) -> Status {
    out = number<std::uint32_t>(generation, NFTA_GEN_ID);
    return out ? Status{} : unreadable("the ruleset's generation");
  }));
  if (!out) return unreadable("the ruleset's generation");
  return ntohl(*out);
}

Result<std::vector<std::string>> parse_sets(Bytes reply) {
  std::vector<std::string> out;
  TRY(messages(reply, NFT_MSG_NEWSET, [&](const Attributes& set) -> Status {
    auto name = text(set, NFTA_SET_NAME);
    const auto table = text(set, NFTA_SET_TABLE);
    if (!name || !table) return unreadable("a set");
    if (table == kTable) out.push_back(std::move(*name));
    return {};
  }));
  return out;
}

Result<std::vector<Element>> parse_elements(Bytes reply) {
  std::vector<Element> out;
  TRY(messages(reply, NFT_MSG_NEWSETELEM, [&](const Attributes& list) -> Status {
    const auto all = list.find(NFTA_SET_ELEM_LIST_ELEMENTS);
    if (all == list.end()) return {};  // an empty set
    bool sound = true;
    const bool whole = each_attribute(all->second, [&](std::uint16_t, std::string_view raw) {
      const auto attributes = attributes_of(raw);
      const auto key = attributes ? value(*attributes, NFTA_SET_ELEM_KEY) : std::nullopt;
      sound = sound && key;
      if (!sound) return;
      Element element{std::string(*key), std::nullopt};
      if (attributes->contains(NFTA_SET_ELEM_DATA)) {
        const auto data = value(*attributes, NFTA_SET_ELEM_DATA);
        std::uint32_t mark = 0;
        sound = data && data->size() == sizeof mark;
        if (!sound) return;
        std::memcpy(&mark, data->data(), sizeof mark);
        element.mark = mark;
      }
      out.push_back(std::move(element));
    });
    return whole && sound ? Status{} : unreadable("an element");
  }));
  return out;
}

Result<std::map<std::string, std::uint64_t>> parse_counters(Bytes reply) {
  std::map<std::string, std::uint64_t> out;
  TRY(messages(reply, NFT_MSG_NEWOBJ, [&](const Attributes& object) -> Status {
    const auto name = text(object, NFTA_OBJ_NAME);
    const auto data = object.find(NFTA_OBJ_DATA);
    const auto inside = data == object.end() ? std::nullopt : attributes_of(data->second);
    const auto packets =
        inside ? number<std::uint64_t>(*inside, NFTA_COUNTER_PACKETS) : std::nullopt;
    if (!name || !packets) return unreadable("a counter");
    out[*name] = be64toh(*packets);
    return {};
  }));
  return out;
}

Result<std::map<std::string, std::string>> parse_rules(Bytes reply) {
  std::map<std::string, std::string> out;
  TRY(messages(reply, NFT_MSG_NEWRULE, [&](const Attributes& rule) -> Status {
    const auto chain = text(rule, NFTA_RULE_CHAIN);
    if (!chain) return unreadable("a rule");
    const auto expressions = rule.find(NFTA_RULE_EXPRESSIONS);
    if (expressions != rule.end()) out[*chain] += expressions->second;
    return {};
  }));
  return out;
}

}  // namespace weir::director
