#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "builder/commands/edge/commands.h"
#include "builder/commands/edge/fetch_options.h"
#include "builder/commands/edge/json_output.h"
#include "builder/lock/edge/locked_image.h"
#include "builder/release/edge/script_survey.h"
#include "builder/release/script_survey.h"
#include "manifests/base/printable.h"

namespace weir::builder {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kShownCommands = 12;

struct ScriptsOptions {
  std::string input, lock, cache;
  FetchOptions fetching;
  bool all = false, text = false, json = false;
};

const char* name_of(ScriptState state) {
  if (state == ScriptState::accepted) return "accepted";
  return state == ScriptState::changed ? "changed" : "open";
}

ordered_json to_json(const SurveyedScript& script) {
  ordered_json users = ordered_json::array(), folders = ordered_json::array();
  for (const auto& user : script.actions.users) users.push_back(user.name);
  for (const auto& folder : script.actions.folders) folders.push_back(folder.path);
  return {{"package", script.package},
          {"version", script.version},
          {"script", script.name},
          {"sha256", script.digest.hex()},
          {"state", name_of(script.state)},
          {"does", script.actions.does},
          {"users", users},
          {"groups", script.actions.groups},
          {"folders", folders},
          {"rest", script.actions.rest},
          {"entry", manifests::print_entry(entry_for(script))}};
}

void print_json(const ScriptSurvey& survey, const std::vector<SurveyedScript>& shown) {
  ordered_json scripts = ordered_json::array(), unused = ordered_json::array();
  for (const SurveyedScript& script : shown) scripts.push_back(to_json(script));
  for (const auto& entry : survey.unused) {
    unused.push_back({{"package", entry.package}, {"script", entry.script}});
  }
  print_result({{"scripts", scripts}, {"unused", unused}});
}

void print_script(const SurveyedScript& script, bool text) {
  const char* note = script.state == ScriptState::accepted  ? ", accepted"
                     : script.state == ScriptState::changed ? ", changed since it was accepted"
                                                            : "";
  std::printf("%s %s %s%s\n", script.package.c_str(), script.version.c_str(), script.name.c_str(),
              note);
  for (const std::string& sentence : script.actions.does) {
    std::printf("  %s\n", printable(sentence).c_str());
  }
  const auto& rest = script.actions.rest;
  if (!rest.empty()) std::puts("  commands to judge:");
  const std::size_t count = text ? rest.size() : std::min(rest.size(), kShownCommands);
  for (std::size_t i = 0; i < count; ++i) std::printf("    %s\n", excerpt(rest[i], 160).c_str());
  if (count < rest.size()) std::printf("    and %zu more (--text)\n", rest.size() - count);
  if (script.actions.does.empty() && rest.empty()) {
    std::puts("  tests and says something, and changes nothing");
  }
  if (text) std::printf("  ---\n%s  ---\n", printable_lines(script.text).c_str());
}

void print_survey(const ScriptsOptions& given, const ScriptSurvey& survey,
                  const std::vector<SurveyedScript>& shown, const LockedImage& image) {
  for (const SurveyedScript& script : shown) print_script(script, given.text);
  std::vector<const SurveyedScript*> open;
  for (const SurveyedScript& script : shown) {
    if (script.state != ScriptState::accepted) open.push_back(&script);
  }
  if (open.empty()) {
    std::printf("every script of %s is accounted for (%zu)\n", image.lock_path.c_str(),
                survey.scripts.size());
    return;
  }
  std::printf("\n# For %s, once you have read them:\naccept_scripts:\n",
              image.manifest_path.c_str());
  for (const SurveyedScript* script : open) {
    std::fputs(manifests::print_entry(entry_for(*script)).c_str(), stdout);
  }
}

Result<Exit> scripts(const ScriptsOptions& given) {
  TRY_ASSIGN(const MirrorRequest request, request_of(given.fetching));
  TRY_ASSIGN(const LockedImage image, read_locked_image(given.input, given.lock));
  std::string cache_path = given.cache;
  if (cache_path.empty()) {
    TRY_ASSIGN(cache_path, Cache::default_path());
  }
  TRY_ASSIGN(const Cache cache, Cache::open_or_create(cache_path));
  std::optional<Progress> progress(std::in_place);
  const auto survey = survey_scripts(image, cache, request, *progress);
  progress.reset();
  TRY(survey);
  std::vector<SurveyedScript> shown;
  std::copy_if(
      survey->scripts.begin(), survey->scripts.end(), std::back_inserter(shown),
      [&](const auto& script) { return given.all || script.state != ScriptState::accepted; });
  if (given.json) {
    print_json(*survey, shown);
  } else {
    print_survey(given, *survey, shown, image);
  }
  const bool open = std::any_of(shown.begin(), shown.end(), [](const auto& script) {
    return script.state != ScriptState::accepted;
  });
  return open ? Exit::needs_person : Exit::done;
}

}  // namespace

Command scripts_command() {
  auto given = std::make_shared<ScriptsOptions>();
  return {
      .name = "scripts",
      .summary = "shows maintainer scripts that nobody accounted for",
      .about =
          "Reads the maintainer scripts of a lock's packages, runs none of them, and says of each\n"
          "that neither the manifest nor its reviewed lists accept what it would do; at the end,\n"
          "entries for accept_scripts. Exit status 4: there are such scripts.",
      .examples =
          "  weir-builder scripts gateway.yaml\n"
          "  weir-builder scripts gateway.yaml --all --text\n",
      .takes = Positional{"MANIFEST|LOCK", &given->input},
      .options = with_fetching(
          {{"lock", "LOCK", &given->lock,
            "the manifest's lock; default: beside it, with .lock.json"},
           {"cache", "DIR", &given->cache, "default: $XDG_CACHE_HOME/weir or ~/.cache/weir"},
           {"all", "", &given->all, "shows those that are accounted for too"},
           {"text", "", &given->text, "shows the scripts themselves too"},
           {"json", "", &given->json, "prints the result as JSON"}},
          2, Fetched::packages, given->fetching),
      .run = [given] { return scripts(*given); }};
}

}  // namespace weir::builder
