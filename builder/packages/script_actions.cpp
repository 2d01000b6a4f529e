#include "builder/packages/script_actions.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "builder/packages/command_words.h"
#include "builder/packages/script_refusals.h"
#include "builder/packages/shell_commands.h"
#include "manifests/base/ascii.h"
#include "manifests/documents/image_places.h"

namespace weir::builder {
namespace {

std::string joined(const ShellCommand& command) {
  std::string out;
  for (const std::string& word : command.words) out += (out.empty() ? "" : " ") + word;
  for (const std::string& file : command.writes) out += (out.empty() ? "> " : " > ") + file;
  return out;
}

// What a machine mounts anew when it boots.
bool is_fleeting(const std::string& path) {
  return std::any_of(
      manifests::kMountedFolders.begin(), manifests::kMountedFolders.end(),
      [&](std::string_view mount) { return path.starts_with(std::string(mount) + "/"); });
}

bool is_unit(const std::string& word) {
  constexpr std::array<std::string_view, 6> kKinds = {".service", ".socket", ".timer",
                                                      ".target",  ".path",   ".mount"};
  return std::any_of(kKinds.begin(), kKinds.end(),
                     [&](std::string_view kind) { return word.ends_with(kind); });
}

// What stands behind "#!"; without such a line, execvp runs a script by sh.
std::string_view interpreter_of(std::string_view script) {
  const std::string_view line = script.substr(0, script.find('\n'));
  return line.starts_with("#!") ? trimmed(line.substr(2)) : "/bin/sh";
}

bool is_shell(std::string_view interpreter) {
  constexpr std::array<std::string_view, 5> kShells = {"sh", "dash", "bash", "ksh", "busybox"};
  const auto words = words_of(interpreter);
  std::size_t at = 0;
  if (!words.empty() && words[0].ends_with("/env")) at = 1;
  return at < words.size() && std::find(kShells.begin(), kShells.end(),
                                        base_name(std::string(words[at]))) != kShells.end();
}

// Reads one script.
class Explainer {
 public:
  ScriptActions explain(std::string_view script, std::string_view name) {
    const std::string_view interpreter = interpreter_of(script);
    if (is_shell(interpreter)) {
      for (const ScriptRefusal& refusal : refusals_of(script, name)) does(print(refusal));
    } else {
      rest("#!" + std::string(interpreter));
    }
    for (const ShellCommand& command : shell_commands(script)) take(command);
    // What the script itself takes for a file is no folder.
    std::erase_if(out_.folders, [&](const auto& each) { return files_.contains(each.path); });
    if (!out_.alternatives.empty()) does(offer());
    for (auto& user : out_.users) {
      std::erase(out_.groups, user.group.empty() ? user.name : user.group);
    }
    return std::move(out_);
  }

 private:
  void take(const ShellCommand& command) {
    Words words = command.words;
    // "exec X" and "command X" run X, "command -v X" asks where it is.
    while (!words.empty() && (words.front() == "exec" || words.front() == "command")) {
      const bool asks =
          words.front() == "command" && words.size() > 1 && (words[1] == "-v" || words[1] == "-V");
      if (asks) return;
      words.erase(words.begin());
    }
    // Whatever a program says, somebody has to judge into which file.
    if (!command.writes.empty()) rest(joined(command));
    if (words.empty()) return;
    const std::string program = base_name(words.front());
    if (program == "[" || program == "test") {
      const auto asked = std::find(words.begin(), words.end(), "-f");
      if (asked != words.end() && asked + 1 != words.end()) files_.insert(asked[1]);
    }
    if (is_without_effect(program, words)) return;
    if (makes_account(program, words) || registers(program, words)) return;
    if (configures(program, words) || sets_folder(program, words)) return;
    rest(joined(command));
  }

  void rest(std::string text) {
    if (std::find(out_.rest.begin(), out_.rest.end(), text) == out_.rest.end()) {
      out_.rest.push_back(std::move(text));
    }
  }

  void does(std::string sentence) {
    if (std::find(out_.does.begin(), out_.does.end(), sentence) == out_.does.end()) {
      out_.does.push_back(std::move(sentence));
    }
  }

  manifests::SystemUser* user_named(const std::string& name) {
    for (auto& user : out_.users) {
      if (user.name == name) return &user;
    }
    return nullptr;
  }

  void add_group(const std::string& name) {
    if (std::find(out_.groups.begin(), out_.groups.end(), name) == out_.groups.end()) {
      out_.groups.push_back(name);
    }
  }

  // "a,b" are two groups.
  void add_member(const std::string& user, const std::string& groups) {
    std::istringstream list(groups);
    for (std::string group; std::getline(list, group, ',');) {
      does("puts user " + user + " into group " + group);
      auto* known = user_named(user);
      if (known == nullptr || !manifests::is_user_name(group)) continue;
      if (std::find(known->groups.begin(), known->groups.end(), group) == known->groups.end()) {
        known->groups.push_back(group);
      }
    }
  }

  [[nodiscard]] std::string offer() const {
    std::string names;
    for (const Alternative& each : out_.alternatives) {
      names += (names.empty() ? "" : ", ") + each.main.name + " (" + each.main.path + ")";
    }
    return "offers alternatives, which Weir takes into account: " + names;
  }

  bool makes_account(const std::string& program, const Words& command) {
    const Arguments given = arguments_of(command);
    const bool literal =
        !given.names.empty() && std::all_of(given.names.begin(), given.names.end(), is_literal);
    if (program == "adduser" || program == "useradd") {
      if (!literal || !manifests::is_user_name(given.names.back())) return false;
      if (program == "adduser" && given.names.size() == 2) {
        add_member(given.names[0], given.names[1]);
        return true;
      }
      add_user(given.names.back(), given, program == "adduser");
      return true;
    }
    if (program == "addgroup" || program == "groupadd") {
      if (!literal || !manifests::is_user_name(given.names.back())) return false;
      if (given.names.size() == 2) {
        add_member(given.names[0], given.names[1]);
        return true;
      }
      add_group(given.names.back());
      does("makes group " + given.names.back());
      return true;
    }
    if (program == "usermod") {
      const std::string group = value_of(given, {"-G", "--groups"});
      if (!literal || group.empty() || !is_literal(group)) return false;
      add_member(given.names.back(), group);
      return true;
    }
    if (program == "systemd-sysusers") {
      for (const std::string& name : given.names) {
        if (!is_literal(name)) continue;
        out_.sysusers.push_back(base_name(name));
        does("makes the users of /usr/lib/sysusers.d/" + base_name(name));
      }
      return true;
    }
    return false;
  }

  void add_user(const std::string& name, const Arguments& given, bool by_adduser) {
    if (user_named(name) != nullptr) return;
    manifests::SystemUser user{name};
    if (const auto home = value_of(given, {"--home", "--home-dir", "-d"});
        is_literal(home) && home.starts_with('/')) {
      user.home = home;
    }
    if (const auto shell = value_of(given, {"--shell", "-s"});
        is_literal(shell) && shell.starts_with('/')) {
      user.shell = shell;
    }
    const std::string group = value_of(given, {"--ingroup", "--gid", "-g"});
    const bool own = given.options.contains("--group") || given.options.contains("-U") ||
                     given.options.contains("--user-group");
    if (manifests::is_user_name(group) || group == "root") {
      user.group = group;
    } else if (by_adduser && !own) {
      // adduser(8): a system user without --group or --ingroup is in nogroup.
      user.group = "nogroup";
    }
    if (user.group == user.name) user.group.clear();
    does("makes user " + name);
    out_.users.push_back(std::move(user));
    if (const auto more = value_of(given, {"--groups", "-G"}); is_literal(more)) {
      add_member(name, more);
    }
  }

  bool registers(const std::string& program, const Words& command) {
    if (program == "deb-systemd-helper" || program == "deb-systemd-invoke" ||
        program == "systemctl") {
      for (const std::string& word : command) {
        if (is_unit(word) && is_literal(word))
          does("registers or starts " + word + " with systemd");
      }
      return true;
    }
    if (program == "update-rc.d" || program == "invoke-rc.d") {
      for (std::size_t i = 1; i < command.size(); ++i) {
        if (command[i].starts_with('-')) continue;
        does("registers or starts init script " + command[i]);
        break;
      }
      return true;
    }
    if (program == "runit-helper") {
      does("registers a service with runit");
      return true;
    }
    if (program == "update-alternatives") {
      if (const auto alternative = parse_alternative(command)) {
        out_.alternatives.push_back(*alternative);
        return true;
      }
      return std::find(command.begin(), command.end(), "--install") == command.end() &&
             std::find(command.begin(), command.end(), "--remove") != command.end();
    }
    return false;
  }

  bool configures(const std::string& program, const Words& command) {
    const auto argument = [&](std::size_t at) {
      return command.size() > at ? command[at] : std::string();
    };
    if (program == "ldconfig") {
      does("rebuilds the loader's cache, which Weir does");
    } else if (program == "dpkg-maintscript-helper") {
      does("moves or removes what earlier versions left (dpkg-maintscript-helper)");
    } else if (program == "dpkg-trigger") {
      does("asks for the trigger " + command.back());
    } else if (program == "systemd-tmpfiles") {
      does("makes what tmpfiles.d says, which Weir does");
    } else if (program == "update-ca-certificates") {
      does("makes the bundle of trusted certificates, which Weir does");
    } else if (program == "ucf" || program == "ucfr") {
      const bool forgets = std::any_of(command.begin(), command.end(), [](const std::string& word) {
        return word == "-p" || word == "--purge";
      });
      if (program == "ucf" && command.size() > 2 && !forgets) {
        does("copies " + command[command.size() - 2] + " to " + command.back() + " (ucf)");
      }
    } else if (program.starts_with("db_") ||
               (command.front() == "." && argument(1).ends_with("/confmodule"))) {
      does("asks debconf");
    } else if (program == "apparmor_parser" || program == "aa-enabled" || program == "aa-status") {
      does("loads a profile into AppArmor");
    } else if (program == "setcap" && command.size() > 2 && argument(1) != "-r") {
      does("gives " + command.back() + " the capabilities " + command[command.size() - 2] +
           ", which images do not hold (setcap)");
    } else if (program == "restorecon") {
      does("labels files for SELinux");
    } else if (program.starts_with("py3compile") || program.starts_with("py3clean") ||
               program.starts_with("pycompile")) {
      does("compiles Python's byte code");
    } else if (program == "depmod" || program == "update-initramfs" ||
               program == "linux-update-symlinks" || program == "linux-run-hooks") {
      does("runs a kernel's hooks");
    } else if (program == "run-parts") {
      does("runs the programs of " + command.back());
    } else {
      return false;
    }
    return true;
  }

  bool sets_folder(const std::string& program, const Words& command) {
    if (program == "dpkg-statoverride") return overrides(command);
    if (program == "mkdir") return makes_folders(command);
    if (program == "install") return installs_folder(command);
    if (program == "chmod") return changes_modes(command);
    const bool group_only = program == "chgrp";
    if ((program != "chown" && !group_only) || command.size() < 3 || command[1].starts_with('-')) {
      return false;
    }
    const std::string who = (group_only ? ":" : "") + command[1];
    const auto colon = who.find_first_of(":.");
    const std::string owner = who.substr(0, colon);
    std::string group = colon == std::string::npos ? "" : who.substr(colon + 1);
    if (colon != std::string::npos && group.empty()) {  // "USER:" is the user's own group
      const auto* user = user_named(owner);
      if (user == nullptr) return false;
      group = user->group.empty() ? owner : user->group;
    }
    for (std::size_t i = 2; i < command.size(); ++i) {
      if (!gives(owner, group, command[i])) return false;
    }
    return true;
  }

  // "--add USER GROUP MODE PATH"; asked without --add, it changes nothing.
  bool overrides(const Words& command) {
    const auto add = std::find(command.begin(), command.end(), "--add");
    if (add == command.end()) {
      return std::find(command.begin(), command.end(), "--remove") == command.end();
    }
    if (command.end() - add != 5) return false;
    const auto mode = mode_of(add[3]);
    if (!mode || !gives(add[1], add[2], add[4], mode)) return false;
    out_.made.insert(add[4]);
    return true;
  }

  // Nobody could look into a folder that nobody may enter.
  static bool is_for_folders(std::uint32_t mode) { return (mode & 0111U) != 0; }

  // Everything here may be a file as well; who knows the package's content takes those out. An
  // owner or group that is not given stays.
  bool gives(std::string owner, std::string group, const std::string& path,
             std::optional<std::uint32_t> mode = std::nullopt) {
    for (std::string* name : {&owner, &group}) {
      if (*name == "0") *name = "root";
      if (!name->empty() && *name != "root" && !manifests::is_user_name(*name)) return false;
    }
    if (!is_literal(path) || !manifests::is_image_path(path)) return false;
    if (is_fleeting(path) || (mode && !is_for_folders(*mode))) return false;
    auto& folder = folder_at(path);
    if (!owner.empty()) folder.owner = owner;
    if (!group.empty()) folder.group = group;
    does("gives " + path + " to " + folder.owner + ":" + folder.group + (mode ? ", mode " : "") +
         (mode ? manifests::print_mode(*mode) : ""));
    if (mode) set_mode(folder, *mode);
    return true;
  }

  bool makes_folders(const Words& command) {
    std::optional<std::uint32_t> mode;
    Words paths;
    for (std::size_t i = 1; i < command.size(); ++i) {
      const std::string& word = command[i];
      if (word == "-p" || word == "--parents" || word == "--") continue;
      if (word == "-m" && i + 1 < command.size()) {
        mode = mode_of(command[++i]);
        if (!mode) return false;
      } else if (word.starts_with('-') || !is_literal(word) || !manifests::is_image_path(word)) {
        return false;
      } else {
        paths.push_back(word);
      }
    }
    if (std::any_of(paths.begin(), paths.end(), is_fleeting)) return false;
    for (const std::string& path : paths) {
      does("makes folder " + path);
      set_mode(folder_at(path), mode.value_or(kMade));
      out_.made.insert(path);
    }
    return true;
  }

  // "install -d -o USER -g GROUP -m MODE PATH..."
  bool installs_folder(const Words& command) {
    std::string owner = "root", group = "root";
    std::uint32_t mode = kMade;
    bool folders = false;
    Words paths;
    for (std::size_t i = 1; i < command.size(); ++i) {
      const std::string& word = command[i];
      if (word == "-d" || word == "--directory") {
        folders = true;
      } else if ((word == "-o" || word == "-g" || word == "-m") && i + 1 < command.size()) {
        const std::string& value = command[++i];
        const auto digits = mode_of(value);
        if (word == "-m" && !digits) return false;
        if (word == "-m") mode = *digits;
        if (word == "-o") owner = value;
        if (word == "-g") group = value;
      } else if (word.starts_with('-')) {
        return false;
      } else {
        paths.push_back(word);
      }
    }
    out_.made.insert(paths.begin(), paths.end());
    return folders && !paths.empty() &&
           std::all_of(paths.begin(), paths.end(),
                       [&](const std::string& path) { return gives(owner, group, path, mode); });
  }

  // Only of what the script makes or gives away; another path is somebody's file.
  bool changes_modes(const Words& command) {
    if (command.size() < 3) return false;
    const auto mode = mode_of(command[1]);
    const auto known = [&](const std::string& path) {
      return std::any_of(out_.folders.begin(), out_.folders.end(),
                         [&](const auto& folder) { return folder.path == path; });
    };
    if (!mode || !is_for_folders(*mode) ||
        !std::all_of(command.begin() + 2, command.end(), known)) {
      return false;
    }
    for (std::size_t i = 2; i < command.size(); ++i) {
      does("sets " + command[i] + " to mode " + manifests::print_mode(*mode));
      set_mode(folder_at(command[i]), *mode);
    }
    return true;
  }

  manifests::SystemFolder& folder_at(const std::string& path) {
    for (auto& folder : out_.folders) {
      if (folder.path == path) return folder;
    }
    return out_.folders.emplace_back(manifests::SystemFolder{path});
  }

  void set_mode(manifests::SystemFolder& folder, std::uint32_t mode) {
    folder.mode = mode;
    out_.modes.insert(folder.path);
  }

  static constexpr std::uint32_t kMade = 0755;  // as root's umask has it
  ScriptActions out_;
  std::set<std::string> files_;  ///< that it asks for with `test -f`
};

}  // namespace

ScriptActions actions_of(std::string_view script, std::string_view name) {
  return Explainer().explain(script, name);
}

void keep_folders(const images::FileTree& package, ScriptActions& out) {
  std::erase_if(out.folders, [&](manifests::SystemFolder& folder) {
    const auto path = images::ImagePath::parse(folder.path);
    const images::Node* there = path ? package.find(*path) : nullptr;
    if (there == nullptr && out.made.contains(folder.path)) return false;
    if (there == nullptr) {
      std::erase_if(out.does, [&](const std::string& sentence) {
        return sentence.starts_with("gives " + folder.path + " to ");
      });
      out.rest.push_back("chown " + folder.owner + ":" + folder.group + " " + folder.path);
      return true;
    }
    if (!there->is_folder()) return true;
    if (!out.modes.contains(folder.path)) folder.mode = there->mode;
    return false;
  });
}

}  // namespace weir::builder
