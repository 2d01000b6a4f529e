#include "keys/commands/edge/command.h"

#include <sys/stat.h>

#include <cstdio>

#include "manifests/base/printable.h"

namespace weir::keys {
namespace {

void print_json(const nlohmann::ordered_json& json) {
  using Json = nlohmann::ordered_json;
  std::puts(json.dump(-1, ' ', true, Json::error_handler_t::replace).c_str());
}

}  // namespace

Command answering(Command command, const std::shared_ptr<const Manner>& manner, Manner* asked,
                  std::function<Result<Answer>()> work) {
  command.options.push_back({"json", "", &asked->json, "prints the result as JSON"});
  command.options.push_back(
      {"plan", "", &asked->plan, "says what would be written and writes nothing"});
  command.run = [manner, work = std::move(work)]() -> Result<Exit> {
    TRY_ASSIGN(const Answer answer, work());
    if (manner->json) {
      print_json(answer.json);
    } else {
      std::puts(printable_lines(answer.text).c_str());
    }
    return answer.exit;
  };
  command.failed = [manner](const Error& error) {
    if (manner->json) {
      print_json({{"error", {{"code", name_of(error.code)}, {"message", error.message}}}});
    }
    return Exit::failed;
  };
  return command;
}

void say(const std::string& line) {
  std::fprintf(stderr, "weir-keys: %s\n", printable(line).c_str());
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace weir::keys
