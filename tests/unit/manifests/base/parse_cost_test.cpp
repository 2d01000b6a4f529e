// What a parser costs grows with its input, not with the square of it.
#include <doctest/doctest.h>
#include <time.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "manifests/base/json_reader.h"
#include "manifests/base/yaml_document.h"
#include "manifests/documents/image_manifest.h"
#include "manifests/documents/peers.h"
#include "manifests/messages/node_api.h"
#include "manifests/messages/peer_dump_reader.h"

namespace weir::manifests {
namespace {

// This thread's own processor time, whatever else the machine does; the least of three.
double cost_of(const std::function<void()>& work) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    timespec before{}, after{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    work();
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    least = std::min(least, static_cast<double>(after.tv_sec - before.tv_sec) +
                                static_cast<double>(after.tv_nsec - before.tv_nsec) * 1e-9);
  }
  return least;
}

constexpr std::size_t kFew = 2000, kTimes = 16;

// 16 times as much may cost 16 times as much, and twice that again for caches; the square is 256.
void check_linear(const std::function<std::string(std::size_t)>& make,
                  const std::function<bool(const std::string&)>& parse) {
  const std::string few = make(kFew), many = make(kFew * kTimes);
  REQUIRE(parse(few));
  REQUIRE(parse(many));
  const double one = cost_of([&] { (void)parse(few); });
  const double all = cost_of([&] { (void)parse(many); });
  CAPTURE(one);
  CAPTURE(all);
  CHECK(all < one * kTimes * 4);
}

std::string repeated(std::size_t n, const std::function<std::string(std::size_t)>& item,
                     const char* between) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += (i == 0 ? "" : between) + item(i);
  return out;
}

std::string key(std::size_t n) {
  std::array<std::uint8_t, 32> raw{};
  for (std::size_t i = 0; i < 4; ++i) raw[i] = static_cast<std::uint8_t>(n >> (8 * i));
  raw[31] = 1;
  return PublicKey::from_raw(raw).string();
}

std::string dump_of(std::size_t peers) {
  return R"({"clock_unix_ns":0,"device_key":")" + key(0) + R"(","peers":[)" +
         repeated(
             peers,
             [](auto i) {
               return R"({"public_key":")" + key(i) +
                      R"(","allowed_ips":["10.8.0.2/32"],"has_preshared_key":false,)"
                      R"("last_handshake_unix_ns":0,"rx_bytes":0,"tx_bytes":0,)"
                      R"("keepalive_seconds":0})";
             },
             ",") +
         "]}";
}

}  // namespace

TEST_CASE("ten times as many objects in a list cost ten times as much, not a hundred times") {
  check_linear(
      [](std::size_t n) {
        return "[" +
               repeated(
                   n, [](auto) { return "{}"; }, ",") +
               "]";
      },
      [](const std::string& text) { return parse_json(text).has_value(); });
}

TEST_CASE("an object's keys, of which none may stand twice, are not compared with each other") {
  check_linear(
      [](std::size_t n) {
        return "{" +
               repeated(
                   n, [](auto i) { return "\"k" + std::to_string(i) + "\":[]"; }, ",") +
               "}";
      },
      [](const std::string& text) { return parse_json(text).has_value(); });
}

TEST_CASE("a node's list of peers costs what it is long") {
  check_linear(dump_of, [](const std::string& text) { return parse_peer_dump(text).has_value(); });
}

TEST_CASE(
    "reading a node's list of peers ends with the first question whether it is wanted still") {
  // Of each peer: an object, a list, and seven values in them.
  const std::string text = dump_of(5000);
  std::size_t asked = 0;
  const auto until = [&](std::size_t last) {
    asked = 0;
    return parse_wanted_peer_dump(text, [&] { return ++asked < last; });
  };
  REQUIRE(until(SIZE_MAX).has_value());
  const std::size_t questions = asked;
  CHECK(questions >= std::size_t{5000} * 9 / kValuesAQuestion + 5000 / kValuesAQuestion);
  for (const std::size_t last :
       {std::size_t{1}, std::size_t{2}, questions / 2, questions - 4, questions}) {
    CAPTURE(last);
    CHECK(until(last).error().code == Errc::timeout);
    CHECK(asked == last);
  }
  // What follows is not looked at any more.
  const std::string broken = text + "}";
  CHECK(parse_peer_dump(broken).error().code == Errc::invalid_input);
  CHECK(parse_wanted_peer_dump(broken, [] { return false; }).error().code == Errc::timeout);
}

TEST_CASE("clients, their keys, names and blocks cost what they are many") {
  check_linear(
      [](std::size_t n) {
        return repeated(
            n,
            [](auto i) {
              return R"({"name":"p)" + std::to_string(i) + R"(","public_key":")" + key(i) +
                     R"(","allowed_ips":[")" +
                     IpAddress::v4({10, 0, 0, 0}).plus(static_cast<std::uint32_t>(i)).string() +
                     "\"]}";
            },
            "\n");
      },
      [](const std::string& text) { return parse_peers(text).has_value(); });
}

TEST_CASE("a mapping's keys and a list's values in YAML cost what they are many") {
  check_linear(
      [](std::size_t n) {
        return repeated(
            n, [](auto i) { return "k" + std::to_string(i) + ": v"; }, "\n");
      },
      [](const std::string& text) { return parse_yaml(text, "f").has_value(); });
  check_linear(
      [](std::size_t n) {
        return repeated(
            n, [](auto) { return "- v"; }, "\n");
      },
      [](const std::string& text) { return parse_yaml(text, "f").has_value(); });
}

TEST_CASE("an image manifest's packages and constraints cost what they are many") {
  const std::string head =
      "name: g\narchitecture: amd64\nsources: {suites: [bookworm]}\nkernel: {package: linux}\n";
  check_linear(
      [&](std::size_t n) {
        return head + "packages: [" +
               repeated(
                   n, [](auto i) { return "p" + std::to_string(i); }, ", ") +
               "]\n";
      },
      [](const std::string& text) { return parse_image_manifest(text).has_value(); });
  check_linear(
      [&](std::size_t n) {
        return head + "packages: [aa]\nconstraints:\n" +
               repeated(
                   n, [](auto i) { return "  p" + std::to_string(i) + ": '1'"; }, "\n") +
               "\n";
      },
      [](const std::string& text) { return parse_image_manifest(text).has_value(); });
}

TEST_CASE("a document of too many values, too deep or too large is refused as exhausted") {
  const JsonLimits limits{ByteCount{100}, 10, 3};
  CHECK(parse_json("[1,2,3,4,5,6,7,8,9]", limits).has_value());
  CHECK(parse_json("[1,2,3,4,5,6,7,8,9,10]", limits).error().code == Errc::exhausted);
  CHECK(parse_json("[[[]]]", limits).has_value());
  CHECK(parse_json("[[[[]]]]", limits).error().message == "nested deeper than 3");
  CHECK(parse_json("\"" + std::string(98, 'a') + "\"", limits).has_value());
  CHECK(parse_json("\"" + std::string(99, 'a') + "\"", limits).error().code == Errc::exhausted);
  CHECK(parse_yaml("[" +
                       repeated(
                           100'001, [](auto) { return "a"; }, ",") +
                       "]",
                   "f")
            .error()
            .code == Errc::exhausted);
}

TEST_CASE("a node that answers with a hundred thousand modules, or for ever deeper, is refused") {
  const std::string identity = R"({"node":"n","modules":[)" +
                               repeated(
                                   100'000, [](auto) { return "{}"; }, ",") +
                               "]}";
  CHECK(parse_node_identity(identity).error().code == Errc::exhausted);
  CHECK(parse_peer_dump(std::string(20, '[') + std::string(20, ']')).error().message ==
        "nested deeper than 8");
}

TEST_CASE("an error quotes a little of what it refuses, and nothing of it raw") {
  const std::string hostile = "\x1b[2J" + std::string(100'000, 'x');
  const std::string text = nlohmann::json(hostile).dump();
  for (const std::string& message :
       {parse_json("{" + text + ":1," + text + ":2}").error().message,
        parse_json("[" + text + " " + text + "]").error().message,
        parse_json(hostile).error().message,
        parse_yaml(
            "a: b\n'" + std::string(5000, 'k') + "': c\n'" + std::string(5000, 'k') + "': d\n", "f")
            .error()
            .message,
        parse_node_identity(R"({"node":)" + text + "}").error().message,
        parse_peers("{" + text + ": 1}").error().message}) {
    CAPTURE(message);
    CHECK(message.size() < 600);
    CHECK(std::none_of(message.begin(), message.end(), [](char c) { return c == '\x1b'; }));
  }
}

}  // namespace weir::manifests
