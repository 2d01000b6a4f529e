#include "deployer/director/nft/edge/nftables.h"

#include <linux/netfilter.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "manifests/base/edge/file.h"

namespace weir::director {
namespace {

struct FreeContext {
  void operator()(nft_ctx* context) const { nft_ctx_free(context); }
};

/// The first lines of nft's report say which command was refused and why; the rest repeats it.
std::string first_line(std::string_view text) {
  const auto end = text.find('\n');
  return std::string(text.substr(0, end));
}

/// The errno in an NLMSG_ERROR, 0 for an acknowledgement.
int error_in(std::string_view message) {
  int error = 0;
  if (message.size() >= sizeof(nlmsghdr) + sizeof error) {
    std::memcpy(&error, message.data() + sizeof(nlmsghdr), sizeof error);
  }
  return -error;
}

/// One nfnetlink socket inside the namespace.
class Socket {
 public:
  static Result<Socket> open(const network::NetworkNamespace& where) {
    TRY_ASSIGN(Fd fd, where.socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
    // Netlink answers at once or never; this only bounds "never".
    const timeval patience{5, 0};
    if (::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
      return fail_errno(Errc::io, errno, "netlink socket");
    }
    // Forgetting a node can be one message of megabytes.
    const int room = 64 << 20;
    (void)::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return Socket(std::move(fd));
  }

  std::uint32_t next() { return ++sequence_; }
  void skip_to(std::uint32_t sequence) { sequence_ = sequence; }

  Status send(const std::string& request) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(fd_.get(), request.data(), request.size(), 0,
                 reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
      return fail_errno(Errc::io, errno, "send to netlink");
    }
    return {};
  }

  /// Calls `each` with every message that comes, until it returns true.
  Status each_message(const std::function<Result<bool>(const nlmsghdr&, std::string_view)>& each) {
    for (;;) {
      TRY_ASSIGN(const std::size_t got, receive());
      for (std::size_t at = 0; at + sizeof(nlmsghdr) <= got;) {
        nlmsghdr header;
        std::memcpy(&header, buffer_.data() + at, sizeof header);
        const std::size_t length = header.nlmsg_len;
        if (length < sizeof header || at + length > got) {
          return fail(Errc::integrity, "netlink: a message is longer than its datagram");
        }
        const std::size_t padded = std::min((length + 3) / 4 * 4, got - at);
        TRY_ASSIGN(const bool done, each(header, {buffer_.data() + at, padded}));
        if (done) return {};
        at += padded;
      }
    }
  }

  struct Reply {
    std::string messages;      ///< without the end mark
    bool interrupted = false;  ///< the ruleset changed during the dump
  };
  /// Sends, and reads up to the end mark or acknowledgement that carries `sequence`.
  Result<Reply> exchange(const std::string& request, std::uint32_t sequence) {
    TRY(send(request));
    Reply reply;
    TRY(each_message([&](const nlmsghdr& header, std::string_view message) -> Result<bool> {
      if (header.nlmsg_seq != sequence) return false;
      if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) reply.interrupted = true;
      if (header.nlmsg_type == NLMSG_DONE) return true;
      if (header.nlmsg_type != NLMSG_ERROR) {
        reply.messages += message;
        return false;
      }
      const int error = error_in(message);
      if (error == 0) return true;
      return fail_errno(error == ENOENT ? Errc::not_found : Errc::kernel, error, "netlink");
    }));
    return reply;
  }

 private:
  explicit Socket(Fd fd) : fd_(std::move(fd)), buffer_(1 << 16) {}

  Result<std::size_t> receive() {
    for (;;) {
      const ssize_t got = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR) continue;
      return fail_errno(errno == EAGAIN ? Errc::timeout : Errc::io, errno, "receive from netlink");
    }
  }

  Fd fd_;
  std::vector<char> buffer_;
  std::uint32_t sequence_ = 0;
};

Result<std::uint32_t> read_generation(Socket& socket) {
  const auto sequence = socket.next();
  TRY_ASSIGN(const auto reply, socket.exchange(request_generation(sequence), sequence));
  return parse_generation(as_bytes(reply.messages));
}

/// One attempt; absent where the ruleset changed meanwhile.
Result<std::optional<Ruleset>> try_read(Socket& socket,
                                        const std::function<bool(const std::string&)>& wanted) {
  TRY_ASSIGN(const auto before, read_generation(socket));
  Ruleset out;
  auto sequence = socket.next();
  TRY_ASSIGN(const auto sets, socket.exchange(request_sets(sequence), sequence));
  if (sets.interrupted) return std::nullopt;
  TRY_ASSIGN(const auto names, parse_sets(as_bytes(sets.messages)));
  if (names.empty()) return fail(Errc::not_found, "table inet weir is not there");
  for (const std::string& name : names) {
    if (!wanted(name)) continue;
    sequence = socket.next();
    const auto dump = socket.exchange(request_elements(name, sequence), sequence);
    if (!dump && dump.error().code == Errc::not_found) return std::nullopt;
    if (!dump) return tl::unexpected(dump.error());
    if (dump->interrupted) return std::nullopt;
    TRY_ASSIGN_IN(out.sets[name], parse_elements(as_bytes(dump->messages)), "set " + name);
  }
  sequence = socket.next();
  TRY_ASSIGN(const auto counters, socket.exchange(request_counters(sequence), sequence));
  if (counters.interrupted) return std::nullopt;
  TRY_ASSIGN(out.counters, parse_counters(as_bytes(counters.messages)));
  for (const auto& [family, name] : {std::pair<std::uint8_t, std::string>{NFPROTO_INET, ""},
                                     {NFPROTO_IPV4, "ip "},
                                     {NFPROTO_IPV6, "ip6 "}}) {
    sequence = socket.next();
    TRY_ASSIGN(const auto dump, socket.exchange(request_rules(family, sequence), sequence));
    if (dump.interrupted) return std::nullopt;
    TRY_ASSIGN(auto chains, parse_rules(as_bytes(dump.messages)));
    for (auto& [chain, rules] : chains) out.chains[name + chain] = std::move(rules);
  }
  TRY_ASSIGN(const auto after, read_generation(socket));
  if (after != before) return std::nullopt;
  return out;
}

Result<Keys> present(Socket& socket, const Keys& keys) {
  Keys out;
  for (const auto& [set, all] : keys) {
    for (const std::string& key : all) {
      const auto sequence = socket.next();
      const auto answer = socket.exchange(request_element(set, key, sequence), sequence);
      if (answer) out[set].push_back(key);
      if (!answer && answer.error().code != Errc::not_found) {
        return tl::unexpected(answer.error());
      }
    }
  }
  return out;
}

/// False: one of the keys was not there.
Result<bool> try_deletion(Socket& socket, const Keys& keys) {
  const auto sequence = socket.next();
  const Deletion request = request_deletion(keys, sequence);
  socket.skip_to(request.last + 1);
  TRY(socket.send(request.messages));
  bool missing = false;
  TRY(socket.each_message([&](const nlmsghdr& header, std::string_view message) -> Result<bool> {
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_seq < sequence) return false;
    const int error = error_in(message);
    if (error == ENOENT) missing = true;
    if (error != 0 && error != ENOENT) return fail_errno(Errc::kernel, error, "netlink");
    return header.nlmsg_seq == request.last;
  }));
  return !missing;
}

}  // namespace

Status apply_commands(const network::NetworkNamespace& where, const std::string& commands) {
  return where.run([&]() -> Status {
    const std::unique_ptr<nft_ctx, FreeContext> context(nft_ctx_new(NFT_CTX_DEFAULT));
    if (!context) return fail(Errc::exhausted, "nftables: no memory");
    if (nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) {
      return fail(Errc::exhausted, "nftables: no memory");
    }
    errno = 0;
    if (nft_run_cmd_from_buffer(context.get(), commands.c_str()) == 0) return {};
    const int sys = errno;
    const std::string said = first_line(nft_ctx_get_error_buffer(context.get()));
    return fail(sys == EPERM ? Errc::unauthorized : Errc::kernel, "nftables: " + said);
  });
}

Result<Ruleset> read_ruleset(const network::NetworkNamespace& where,
                             const std::function<bool(const std::string&)>& wanted) {
  TRY_ASSIGN(auto socket, Socket::open(where));
  constexpr int kAttempts = 20;
  for (int i = 0; i < kAttempts; ++i) {
    TRY_ASSIGN_IN(auto ruleset, try_read(socket, wanted), "read steering");
    if (ruleset) return std::move(*ruleset);
  }
  return fail(Errc::busy, "read steering: the ruleset kept changing");
}

Result<Keys> read_present(const network::NetworkNamespace& where, const Keys& keys) {
  TRY_ASSIGN(auto socket, Socket::open(where));
  return present(socket, keys);
}

Status delete_learned(const network::NetworkNamespace& where, Keys keys) {
  TRY_ASSIGN(auto socket, Socket::open(where));
  constexpr int kAttempts = 20;
  for (int i = 0; i < kAttempts && !keys.empty(); ++i) {
    TRY_ASSIGN_IN(const bool done, try_deletion(socket, keys), "forget");
    if (done) return {};
    // One of them expired, and the kernel refused them all.
    TRY_ASSIGN_IN(keys, present(socket, keys), "forget");
  }
  if (keys.empty()) return {};
  return fail(Errc::busy, "forget: elements kept expiring");
}

}  // namespace weir::director
