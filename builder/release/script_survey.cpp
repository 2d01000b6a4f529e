#include "builder/release/script_survey.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "builder/layers/image_checks.h"
#include "builder/packages/command_words.h"
#include "builder/packages/sysusers.h"
#include "images/formats/deb.h"
#include "manifests/base/printable.h"
#include "manifests/documents/maintainer_script.h"

namespace weir::builder {
namespace {

ScriptState state_of(const manifests::Lock& lock, const SurveyedScript& script) {
  if (is_accepted(lock.accept_scripts, script.package, script.name, script.digest)) {
    return ScriptState::accepted;
  }
  const bool known =
      std::any_of(lock.accept_scripts.begin(), lock.accept_scripts.end(), [&](const auto& entry) {
        return entry.script == script.name && manifests::matches(entry.package, script.package);
      });
  return known ? ScriptState::changed : ScriptState::open;
}

// What only the package's content tells of what its script would do.
Status add_content(Bytes deb, ScriptActions& actions) {
  constexpr std::string_view kUsers = "usr/lib/sysusers.d/";
  std::set<std::string> wanted;
  for (const std::string& name : actions.sysusers) wanted.insert(std::string(kUsers) + name);
  for (const auto& folder : actions.folders) wanted.insert(folder.path.substr(1));
  TRY_ASSIGN(const images::Deb read, images::read_deb(deb, {}, [&](const images::ImagePath& path) {
               return wanted.contains(path.string());
             }));
  for (const auto& [path, node] : read.files.nodes()) {
    if (node.file() == nullptr || !path.string().starts_with(kUsers)) continue;
    const auto& content = *node.file()->content;
    add_sysusers({reinterpret_cast<const char*>(content.data()), content.size()}, actions);
  }
  keep_folders(read.files, actions);
  return {};
}

// "does without `rm -f /etc/old`, `mv a b` and 2 more (chmod, ln)".
std::string left_out(const std::vector<std::string>& commands) {
  constexpr std::size_t kWhole = 6, kBytes = 80;
  if (commands.empty()) return {};
  std::string out = "does without ";
  std::set<std::string> more;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (i < kWhole) {
      out += (i == 0 ? "`" : ", `") + excerpt(commands[i], kBytes) + "`";
    } else {
      more.insert(excerpt(base_name(commands[i].substr(0, commands[i].find(' '))), kBytes));
    }
  }
  if (more.empty()) return out;
  out += " and " + std::to_string(commands.size() - kWhole) + " more (";
  bool first = true;
  for (const std::string& program : more)
    out += (std::exchange(first, false) ? "" : ", ") + program;
  return out + ")";
}

}  // namespace

Result<std::vector<SurveyedScript>> survey_package(const manifests::LockedPackage& package,
                                                   Bytes deb, const manifests::Lock& lock) {
  std::vector<SurveyedScript> out;
  TRY_ASSIGN(const auto control, images::read_deb_control(deb));
  for (const char* name : {"preinst", "postinst"}) {
    const auto text = control.find(name);
    if (text == control.end()) continue;
    SurveyedScript script{package.name,
                          package.version,
                          name,
                          manifests::script_digest(text->second, {package.name, package.version}),
                          {},
                          text->second,
                          actions_of(text->second, name)};
    script.state = state_of(lock, script);
    if (!script.actions.sysusers.empty() || !script.actions.folders.empty()) {
      TRY(add_content(deb, script.actions));
    }
    out.push_back(std::move(script));
  }
  return out;
}

ScriptSurvey join_surveys(std::vector<std::vector<SurveyedScript>> packages,
                          const manifests::Lock& lock) {
  ScriptSurvey out;
  for (auto& scripts : packages) {
    std::move(scripts.begin(), scripts.end(), std::back_inserter(out.scripts));
  }
  for (const auto& entry : lock.accept_scripts) {
    const bool used = std::any_of(out.scripts.begin(), out.scripts.end(), [&](const auto& script) {
      return script.name == entry.script && manifests::matches(entry.package, script.package);
    });
    if (!used) out.unused.push_back(entry);
  }
  return out;
}

manifests::AcceptedScript entry_for(const SurveyedScript& script) {
  std::string why;
  for (const std::string& sentence : script.actions.does) {
    why += (why.empty() ? "" : "; ") + sentence;
  }
  if (const auto left = left_out(script.actions.rest); !left.empty()) {
    why += (why.empty() ? "" : "; ") + left;
  }
  if (why.empty()) why = "tests and says something, and changes nothing";
  constexpr std::size_t kLongest = 2048;  // an entry has at most 4096 bytes
  why = excerpt(why, kLongest);
  return {script.package,       script.name,           {script.digest},       std::move(why),
          script.actions.users, script.actions.groups, script.actions.folders};
}

}  // namespace weir::builder
