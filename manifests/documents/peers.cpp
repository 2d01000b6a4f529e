#include "manifests/documents/peers.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "manifests/base/paths.h"
#include "manifests/base/printable.h"

namespace weir::manifests {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestLine = 64U << 10;
constexpr std::size_t kLongestText = 255;
constexpr std::size_t kMostPeers = 1'000'000;

/// A line as JSON has it, before anything in it is understood.
struct Line {
  std::set<std::string> given;
  std::string name;
  std::string public_key;
  std::vector<std::string> allowed_ips;
  std::string preshared_key_file;
  std::map<std::string, std::string> labels;
};

std::string item(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]: ";
}

/// Takes a line's events one by one: a hundred thousand lines are read without building a tree for
/// each, and keys given twice are seen, which a tree would hide. Each callback returns false to
/// stop.
class LineReader : public nlohmann::json_sax<Json> {
 public:
  Line line;
  std::string error;

  bool null() override { return odd("null"); }
  bool boolean(bool) override { return odd("true or false"); }
  bool number_integer(number_integer_t) override { return odd("a number"); }
  bool number_unsigned(number_unsigned_t) override { return odd("a number"); }
  bool number_float(number_float_t, const string_t&) override { return odd("a number"); }
  bool binary(binary_t&) override { return odd("binary"); }

  bool string(string_t& text) override {
    if (place_ == Place::outside) return stop("a line must be one JSON object");
    if (text.size() > kLongestText) return stop(where() + "longer than 255 bytes");
    if (!is_printable(text)) {
      return stop(where() +
                  "has control characters, or others that cannot be seen: " + quotation(text));
    }
    if (place_ == Place::allowed_ips) {
      line.allowed_ips.push_back(std::move(text));
    } else if (place_ == Place::labels) {
      if (text.empty()) return stop(where() + "must not be empty");
      line.labels[label_] = std::move(text);
    } else if (key_ == "name") {
      line.name = std::move(text);
    } else if (key_ == "public_key") {
      line.public_key = std::move(text);
    } else if (key_ == "preshared_key_file") {
      if (text.empty()) return stop(where() + "must not be empty");
      line.preshared_key_file = std::move(text);
    } else {
      return odd("text");
    }
    return true;
  }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) {
      place_ = Place::line;
    } else if (place_ == Place::line && key_ == "labels") {
      place_ = Place::labels;
    } else {
      return odd("an object");
    }
    return true;
  }
  bool end_object() override {
    place_ = place_ == Place::labels ? Place::line : Place::outside;
    return true;
  }
  bool start_array(std::size_t) override {
    if (place_ != Place::line || key_ != "allowed_ips") return odd("a list");
    place_ = Place::allowed_ips;
    return true;
  }
  bool end_array() override {
    place_ = Place::line;
    return true;
  }

  bool key(string_t& text) override {
    if (place_ == Place::labels) {
      if (const Status good = check_name(text); !good)
        return stop("labels: " + good.error().message);
      label_ = text;
      return line.labels.emplace(text, "").second || stop("labels." + text + ": given twice");
    }
    key_ = text;
    if (text != "name" && text != "public_key" && text != "allowed_ips" &&
        text != "preshared_key_file" && text != "labels") {
      return stop(excerpt(text, 40) +
                  ": unknown field; known here: name, public_key, allowed_ips, "
                  "preshared_key_file, labels");
    }
    return line.given.insert(text).second || stop(text + ": given twice");
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    return stop("column " + std::to_string(position) + ": not JSON");
  }

 private:
  enum class Place : std::uint8_t { outside, line, allowed_ips, labels } place_ = Place::outside;
  std::string key_, label_;

  [[nodiscard]] std::string where() const {
    if (place_ == Place::allowed_ips) return item(key_, line.allowed_ips.size());
    if (place_ == Place::labels) return "labels." + label_ + ": ";
    return key_.empty() ? "" : key_ + ": ";
  }
  bool stop(std::string what) {
    error = std::move(what);
    return false;
  }
  bool odd(const char* what) {
    if (place_ == Place::outside) return stop("a line must be one JSON object");
    const bool list = place_ == Place::line && key_ == "allowed_ips";
    const bool object = place_ == Place::line && key_ == "labels";
    return stop(where() + "must be " +
                (list     ? "a list"
                 : object ? "an object"
                          : "text") +
                ", not " + what);
  }
};

Result<Peer> peer_of(Line line) {
  for (const char* field : {"public_key", "allowed_ips"}) {
    if (!line.given.contains(field)) {
      return fail(Errc::invalid_input, std::string(field) + " is missing");
    }
  }
  TRY_ASSIGN_IN(const PublicKey key, PublicKey::parse(line.public_key), "public_key");
  if (key.is_zero()) return fail(Errc::invalid_input, "public_key: is all zeros, which is no key");
  Peer out{.name = std::move(line.name),
           .public_key = key,
           .allowed_ips = {},
           .preshared_key_file = {},
           .labels = std::move(line.labels)};
  if (line.allowed_ips.empty()) {
    return fail(Errc::invalid_input, "allowed_ips: needs at least one inner address");
  }
  for (std::size_t i = 0; i < line.allowed_ips.size(); ++i) {
    auto prefix = Prefix::parse(line.allowed_ips[i]);
    if (!prefix) {
      return fail(Errc::invalid_input, item("allowed_ips", i) + prefix.error().message);
    }
    out.allowed_ips.push_back(*prefix);
  }
  if (line.given.contains("preshared_key_file")) {
    TRY_ASSIGN_IN(out.preshared_key_file, parse_path(line.preshared_key_file),
                  "preshared_key_file");
  }
  return out;
}

tl::unexpected<Error> wrong(std::string_view file, int line, const std::string& what) {
  return fail(Errc::invalid_input, std::string(file) + ":" + std::to_string(line) + ": " + what);
}

/// Sorts `order` by `less` and keeps the earliest pair of neighbours for which `same` holds.
template <class Item, class Less, class Same>
std::optional<std::pair<Item, Item>> first_clash(std::vector<Item> order, Less less, Same same,
                                                 std::size_t Item::*peer) {
  std::sort(order.begin(), order.end(), less);
  std::optional<std::pair<Item, Item>> found;
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (!same(order[i - 1], order[i])) continue;
    Item first = order[i - 1];
    Item second = order[i];
    if (second.*peer < first.*peer) std::swap(first, second);
    if (!found || second.*peer < found->second.*peer) found = {first, second};
  }
  return found;
}

Status check_unique(const std::vector<Peer>& peers, std::string_view file) {
  struct Claim {
    std::size_t peer;
    const Prefix* prefix;
  };
  std::vector<Claim> everyone(peers.size());
  for (std::size_t i = 0; i < peers.size(); ++i) everyone[i] = {i, nullptr};
  const auto report = [&](const auto& clash, const std::string& what) {
    return wrong(file, peers[clash->second.peer].line,
                 what + " line " + std::to_string(peers[clash->first.peer].line));
  };

  const auto key = [&](const Claim& claim) -> const PublicKey& {
    return peers[claim.peer].public_key;
  };
  if (const auto clash = first_clash(
          everyone, [&](const Claim& a, const Claim& b) { return key(a) < key(b); },
          [&](const Claim& a, const Claim& b) { return key(a) == key(b); }, &Claim::peer)) {
    return report(clash, "public_key: " + key(clash->first).string() + " is already on");
  }

  std::vector<Claim> named;
  for (const Claim& claim : everyone) {
    if (!peers[claim.peer].name.empty()) named.push_back(claim);
  }
  const auto name = [&](const Claim& claim) -> const std::string& {
    return peers[claim.peer].name;
  };
  if (const auto clash = first_clash(
          named, [&](const Claim& a, const Claim& b) { return name(a) < name(b); },
          [&](const Claim& a, const Claim& b) { return name(a) == name(b); }, &Claim::peer)) {
    return report(clash, "name: '" + name(clash->first) + "' is already on");
  }

  // A block inside another is a client's own, apart from the rest: the longest prefix wins
  // (docs/peers.md). Only of the very same block WireGuard would forget the first.
  std::vector<Claim> blocks;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    for (const Prefix& prefix : peers[i].allowed_ips) blocks.push_back({i, &prefix});
  }
  if (const auto clash = first_clash(
          blocks, [](const Claim& a, const Claim& b) { return *a.prefix < *b.prefix; },
          [](const Claim& a, const Claim& b) { return *a.prefix == *b.prefix; }, &Claim::peer)) {
    return report(clash, "allowed_ips: " + clash->second.prefix->string() + " is already on");
  }
  return {};
}

}  // namespace

Result<std::vector<Peer>> parse_peers(std::string_view jsonl, std::string_view file) {
  std::vector<Peer> out;
  int number = 0;
  while (!jsonl.empty()) {
    ++number;
    const auto end = std::min(jsonl.find('\n'), jsonl.size());
    const std::string_view text = jsonl.substr(0, end);
    jsonl.remove_prefix(std::min(end + 1, jsonl.size()));
    if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (text.size() > kLongestLine) return wrong(file, number, "longer than 64 KiB");
    if (out.size() == kMostPeers) return wrong(file, number, "more than a million peers");
    // The library skips it.
    if (text.starts_with("\xef\xbb\xbf")) {
      return wrong(file, number, "begins with a byte order mark (EF BB BF): remove these 3 bytes");
    }
    // The library takes it for the end of the line, whatever follows.
    if (text.find('\0') != std::string_view::npos) return wrong(file, number, "has a NUL byte");
    LineReader reader;
    if (!Json::sax_parse(text, &reader)) return wrong(file, number, reader.error);
    auto peer = peer_of(std::move(reader.line));
    if (!peer) return wrong(file, number, peer.error().message);
    peer->line = number;
    out.push_back(std::move(*peer));
  }
  TRY(check_unique(out, file));
  return out;
}

bool operator==(const Peer& a, const Peer& b) {
  const auto said = [](const Peer& it) {
    return std::tie(it.name, it.public_key, it.allowed_ips, it.preshared_key_file, it.labels);
  };
  return said(a) == said(b);
}

std::string print(const Peer& peer) {
  nlohmann::ordered_json out;
  if (!peer.name.empty()) out["name"] = peer.name;
  out["public_key"] = peer.public_key.string();
  auto& prefixes = out["allowed_ips"] = nlohmann::ordered_json::array();
  for (const Prefix& prefix : peer.allowed_ips) prefixes.push_back(prefix.string());
  if (peer.preshared_key_file) out["preshared_key_file"] = *peer.preshared_key_file;
  if (!peer.labels.empty()) out["labels"] = peer.labels;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace weir::manifests
