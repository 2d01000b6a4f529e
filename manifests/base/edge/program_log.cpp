#include "manifests/base/edge/program_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string>

#include "manifests/base/printable.h"

namespace weir {
namespace {

using Clock = std::chrono::steady_clock;

struct Log {
  Log() : logger("weir", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger.set_pattern("%v");
    logger.flush_on(spdlog::level::trace);
    // It tells its own troubles on stderr, where these lines go.
    logger.set_error_handler([](const std::string& /*why*/) {});
  }

  spdlog::logger logger;
  std::string name = "weir";
  Clock::time_point began = Clock::now();
};

Log& log() {
  static Log only;
  return only;
}

}  // namespace

void start_log(std::string_view name) {
  log().name = name;
}

void log_line(std::string_view line) {
  log().logger.info("{}: {}", log().name, printable(line));
}

void log_step(std::string_view line) {
  const std::chrono::duration<double> passed = Clock::now() - log().began;
  log().logger.info("[{:7.2f} s] {}", passed.count(), printable(line));
}

}  // namespace weir
