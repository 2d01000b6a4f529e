#include "deployer/director/netlink.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <memory>

namespace weir::director {
namespace {

constexpr const char* kTable = "weir";

struct FreeSet {
  void operator()(nftnl_set* set) const { nftnl_set_free(set); }
};
struct FreeObject {
  void operator()(nftnl_obj* object) const { nftnl_obj_free(object); }
};
struct FreeGeneration {
  void operator()(nftnl_gen* generation) const { nftnl_gen_free(generation); }
};
struct FreeElements {
  void operator()(nftnl_set_elems_iter* at) const { nftnl_set_elems_iter_destroy(at); }
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

/// Calls `each` with every message of `type`; any other message is an error.
Status messages(Bytes reply, std::uint16_t type,
                const std::function<Status(const nlmsghdr*)>& each) {
  // A copy, because the kernel's macros need alignment that a span does not promise.
  std::vector<std::uint32_t> aligned((reply.size() + 3) / 4);
  std::memcpy(aligned.data(), reply.data(), reply.size());
  const auto* message = reinterpret_cast<const nlmsghdr*>(aligned.data());
  int left = static_cast<int>(reply.size());
  while (left > 0) {
    if (!mnl_nlmsg_ok(message, left)) {
      return fail(Errc::integrity, "a netlink message is longer than its datagram");
    }
    if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | type) ||
        mnl_nlmsg_get_payload_len(message) < sizeof(nfgenmsg)) {
      return fail(Errc::integrity,
                  "unexpected netlink message of type " + std::to_string(message->nlmsg_type));
    }
    TRY(each(message));
    message = mnl_nlmsg_next(message, &left);
  }
  return {};
}

tl::unexpected<Error> unreadable(const char* what) {
  return fail(Errc::integrity, std::string("libnftnl cannot read ") + what);
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
  TRY(messages(reply, NFT_MSG_NEWGEN, [&](const nlmsghdr* message) -> Status {
    const std::unique_ptr<nftnl_gen, FreeGeneration> generation(nftnl_gen_alloc());
    if (nftnl_gen_nlmsg_parse(message, generation.get()) < 0 ||
        !nftnl_gen_is_set(generation.get(), NFTNL_GEN_ID)) {
      return unreadable("the ruleset's generation");
    }
    out = nftnl_gen_get_u32(generation.get(), NFTNL_GEN_ID);
    return {};
  }));
  if (!out) return unreadable("the ruleset's generation");
  return *out;
}

Result<std::vector<std::string>> parse_sets(Bytes reply) {
  std::vector<std::string> out;
  TRY(messages(reply, NFT_MSG_NEWSET, [&](const nlmsghdr* message) -> Status {
    const Set set(nftnl_set_alloc());
    const bool read = nftnl_set_nlmsg_parse(message, set.get()) >= 0;
    const char* name = read ? nftnl_set_get_str(set.get(), NFTNL_SET_NAME) : nullptr;
    if (name == nullptr) return unreadable("a set");
    out.emplace_back(name);
    return {};
  }));
  return out;
}

Result<std::vector<Element>> parse_elements(Bytes reply) {
  std::vector<Element> out;
  TRY(messages(reply, NFT_MSG_NEWSETELEM, [&](const nlmsghdr* message) -> Status {
    const Set set(nftnl_set_alloc());
    if (nftnl_set_elems_nlmsg_parse(message, set.get()) < 0) return unreadable("elements");
    const std::unique_ptr<nftnl_set_elems_iter, FreeElements> at(
        nftnl_set_elems_iter_create(set.get()));
    while (nftnl_set_elem* raw = nftnl_set_elems_iter_next(at.get())) {
      Element element;
      std::uint32_t size = 0;
      const void* key = nftnl_set_elem_get(raw, NFTNL_SET_ELEM_KEY, &size);
      if (key == nullptr) return unreadable("an element's key");
      element.key.assign(static_cast<const char*>(key), size);
      if (nftnl_set_elem_is_set(raw, NFTNL_SET_ELEM_DATA)) {
        const void* value = nftnl_set_elem_get(raw, NFTNL_SET_ELEM_DATA, &size);
        std::uint32_t mark = 0;
        if (value == nullptr || size != sizeof mark) return unreadable("an element's mark");
        std::memcpy(&mark, value, sizeof mark);
        element.mark = mark;
      }
      out.push_back(std::move(element));
    }
    return {};
  }));
  return out;
}

Result<std::map<std::string, std::uint64_t>> parse_counters(Bytes reply) {
  std::map<std::string, std::uint64_t> out;
  TRY(messages(reply, NFT_MSG_NEWOBJ, [&](const nlmsghdr* message) -> Status {
    const std::unique_ptr<nftnl_obj, FreeObject> object(nftnl_obj_alloc());
    const bool read = nftnl_obj_nlmsg_parse(message, object.get()) >= 0;
    const char* name = read ? nftnl_obj_get_str(object.get(), NFTNL_OBJ_NAME) : nullptr;
    if (name == nullptr || !nftnl_obj_is_set(object.get(), NFTNL_OBJ_CTR_PKTS)) {
      return unreadable("a counter");
    }
    out[name] = nftnl_obj_get_u64(object.get(), NFTNL_OBJ_CTR_PKTS);
    return {};
  }));
  return out;
}

Result<std::map<std::string, std::string>> parse_rules(Bytes reply) {
  struct Rule {
    std::string chain, expressions;
  };
  std::map<std::string, std::string> out;
  TRY(messages(reply, NFT_MSG_NEWRULE, [&](const nlmsghdr* message) -> Status {
    Rule rule;
    const int parsed = mnl_attr_parse(
        message, sizeof(nfgenmsg),
        [](const nlattr* attribute, void* into) -> int {
          auto* one = static_cast<Rule*>(into);
          const auto type = mnl_attr_get_type(attribute);
          if (type != NFTA_RULE_CHAIN && type != NFTA_RULE_EXPRESSIONS) return MNL_CB_OK;
          std::string payload(static_cast<const char*>(mnl_attr_get_payload(attribute)),
                              mnl_attr_get_payload_len(attribute));
          (type == NFTA_RULE_CHAIN ? one->chain : one->expressions) = std::move(payload);
          return MNL_CB_OK;
        },
        &rule);
    if (parsed < 0 || rule.chain.empty() || rule.chain.back() != '\0') return unreadable("a rule");
    rule.chain.pop_back();
    out[rule.chain] += rule.expressions;
    return {};
  }));
  return out;
}

}  // namespace weir::director
