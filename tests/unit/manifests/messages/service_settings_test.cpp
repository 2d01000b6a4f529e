#include "manifests/messages/service_settings.h"

#include <doctest/doctest.h>
#include <linux/capability.h>

#include "manifests/messages/service_report.h"

namespace weir::manifests {
namespace {

ServiceSettings everything() {
  return {.name = "unbound",
          .command = {"/usr/sbin/unbound", "-c", "/etc/with blank", "-d"},
          .environment = {{"A", "b=c"}, {"EMPTY", " "}},
          .user_id = 104,
          .group_id = 105,
          .groups = {4, 44},
          .restart = Restart::on_failure,
          .ready = {ReadyBy::command, "", {"/usr/sbin/x", "show status"}, std::chrono::seconds(5)},
          .after = {"bird", "chrony"},
          .capabilities = 1ULL << CAP_NET_BIND_SERVICE,
          .files = {{"zone-key", 104, 105, 0440}},
          .runtime_folders = {"unbound"},
          .open = {{true, 53, false}, {false, 123, true}}};
}

}  // namespace

TEST_CASE("what weir-init reads is what the builder wrote") {
  ServiceSettings plain{.name = "plain", .command = {"/x"}};
  plain.ready = {ReadyBy::log, "says  this ", {}, std::chrono::minutes(1)};
  const std::vector<ServiceSettings> all{everything(), plain};
  const auto read = parse_service_settings(print(all));
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  CHECK(*read == all);
  CHECK(parse_service_settings("")->empty());
}

TEST_CASE("settings that are not understood are refused with their line") {
  for (const auto* text :
       {"word x\n", "service a\nuser 1\n", "service a\nrestart often\n", "service a\nuser 1 2x\n",
        "service a\nopen icmp 1\n", "service a\nready 5 soon\n", "service a\nshell /bin/sh\n"}) {
    const auto read = parse_service_settings(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message.starts_with(text[0] == 'w' ? "line 1 " : "line 2 "));
  }
}

TEST_CASE("capabilities have the kernel's numbers") {
  CHECK(place_of_name(kCapabilityNames, "CAP_CHOWN") == CAP_CHOWN);
  CHECK(place_of_name(kCapabilityNames, "CAP_NET_BIND_SERVICE") == CAP_NET_BIND_SERVICE);
  CHECK(place_of_name(kCapabilityNames, "CAP_SYS_TIME") == CAP_SYS_TIME);
  CHECK(place_of_name(kCapabilityNames, "CAP_CHECKPOINT_RESTORE") == CAP_CHECKPOINT_RESTORE);
  CHECK(kCapabilityNames.size() == CAP_LAST_CAP + 1);
}

TEST_CASE("what weir-init tells is what the agent reads") {
  ServiceRecord record{.name = "bird",
                       .state = ServiceState::backing_off,
                       .since = std::chrono::milliseconds(12345),
                       .restarts = 3,
                       .reason = "ended with status 1"};
  record.last_lines = {"one", "", "  three"};
  ServiceRecord waiting{.name = "chrony", .waits_for = "file key"};
  waiting.pid = 0;
  const std::vector<ServiceRecord> all{record, waiting};
  const auto read = parse_service_records(print(all));
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  CHECK(*read == all);
}

TEST_CASE(
    "a node's report of its services comes through, and fields of later versions are skipped") {
  const ServiceReport report{.name = "bird",
                             .state = ServiceState::ready,
                             .in_state = std::chrono::milliseconds(61000),
                             .restarts = 1,
                             .reason = "ended by signal 9",
                             .files = {"bgp-password"},
                             .last_lines = {"<INFO> Started"}};
  const auto read = parse_service_reports(print(std::vector{report}));
  REQUIRE_MESSAGE(read.has_value(), read.error().message);
  CHECK(read->at(0) == report);
  const auto later = parse_service_reports(
      R"({"services":[{"name":"a","state":"ended","in_state_ms":1,"restarts":0,"files":[],)"
      R"("last_lines":["\u001b[2J"],"memory":5}],"more":1})");
  REQUIRE_MESSAGE(later.has_value(), later.error().message);
  CHECK_MESSAGE(later->at(0).last_lines.at(0) == "\\x1b[2J", "what acts on a terminal does not");
  CHECK_FALSE(parse_service_reports(R"({"services":[{"name":"a","state":"sleeping"}]})"));
  CHECK_FALSE(parse_sealed_file(R"({"name":"../x","sealed":"AA"})"));
}

TEST_CASE("a service that failed, or was started three times, is given up; one that waits is not") {
  ServiceReport report{.name = "bird", .state = ServiceState::backing_off, .restarts = 1};
  CHECK_FALSE(is_given_up(report));
  report.restarts = 2;
  CHECK(is_given_up(report));
  report.state = ServiceState::starting;
  CHECK_FALSE(is_given_up(report));
  report.state = ServiceState::failed;
  report.restarts = 0;
  report.reason = "ended with status 1";
  report.last_lines = {"a", "b", "c"};
  CHECK(is_given_up(report));
  CHECK_FALSE(is_up(report));
  CHECK(describe_whole(report, 2) ==
        "service bird: failed, ended with status 1; its last lines: b | c");
  report.state = ServiceState::ended;
  CHECK(is_up(report));
}

TEST_CASE("a node has to tell of the services of its image, of all and of no others") {
  const ServiceSettings chrony{.name = "chrony", .command = {"/usr/sbin/chronyd"}};
  const ServiceReport told{.name = "chrony"};
  CHECK(check_told_services({}, {}).has_value());
  CHECK(check_told_services({chrony}, {told}).has_value());
  const Status silent = check_told_services({chrony}, {});
  REQUIRE_FALSE(silent.has_value());
  CHECK(silent.error().message.starts_with(
      "service chrony is in the image, and the node does not know of it"));
  const Status talkative = check_told_services({}, {told});
  REQUIRE_FALSE(talkative.has_value());
  CHECK(talkative.error().message.find("service chrony, which its release does not have") !=
        std::string::npos);
}

}  // namespace weir::manifests
