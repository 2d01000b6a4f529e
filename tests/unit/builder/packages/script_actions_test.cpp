#include "builder/packages/script_actions.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "builder/packages/shell_commands.h"
#include "builder/packages/sysusers.h"
#include "manifests/base/edge/process.h"

namespace weir::builder {
namespace {

using Lines = std::vector<std::string>;

std::vector<std::string> commands(std::string_view script) {
  Lines out;
  for (const ShellCommand& command : shell_commands(script)) {
    std::string line;
    for (const std::string& word : command.words) line += (line.empty() ? "" : "|") + word;
    for (const std::string& file : command.writes) line += ">" + file;
    out.push_back(line);
  }
  return out;
}

}  // namespace

TEST_CASE("a shell script is taken apart into its commands") {
  CHECK(commands("#!/bin/sh\nset -e # why\na 'b c' \"d $e\" f\\ g\n") ==
        Lines{"set|-e", "a|b c|d $e|f g"});
  CHECK(commands("if ! a; then b && c || d; else e | f & fi") ==
        Lines{"a", "b", "c", "d", "e", "f"});
  CHECK(commands("a \\\n  --b \\\n  c\n") == Lines{"a|--b|c"});
  CHECK(commands("A=1 B=$(x y) c >/dev/null 2>&1 d < in\n") == Lines{"x|y", "c|d"});
  CHECK(commands("a `b c` $(d; e) ${f:-g h}\n") ==
        Lines{"b|c", "d", "e", "a|`b c`|$(d; e)|${f:-g h}"});
  CHECK(commands("a=\"$(b \"c d\" ')')\" e\n[ \"$(f)\" = `g` ]") ==
        Lines{"b|c d|)", "e", "f", "g", "[|$(f)|=|`g`|]"});
  CHECK(commands("a > b 2>>c >&2 3>&1 >&d >/dev/tty\n{ e; } >f\n: >\"$g\"\n<h i <>j") ==
        Lines{"a>b>c>d", "e", ">f", ":>$g", "i>j"});
  CHECK(commands("cat <<EOF | b\nrm -rf /\nEOF\nc\ncat <<-'X'\n\tno\n\tX\nd") ==
        Lines{"cat", "b", "c", "cat", "d"});
  CHECK(commands("case \"$1\" in\n  configure|x) a;;\n  (y) b\n  ;;\n  *)\n c ;;\nesac\nd\n") ==
        Lines{"a", "b", "c", "d"});
  CHECK(commands("case a in a|b|(c)) d;; esac; e") == Lines{"d", "e"});
  CHECK(commands("f() {\n  a\n}\nf x\nfor i in 1 2; do b $i; done\n") == Lines{"a", "b|$i"});
  // What a here-document substitutes is run, unless its mark is quoted (as dash does).
  CHECK(commands("cat <<A\n$(b c) `d` ${x:-\"e\"}\nA\nf") == Lines{"cat", "b|c", "d", "f"});
  CHECK(commands("cat <<'A'\n$(b c)\nA\nf") == Lines{"cat", "f"});
  CHECK(commands("cat <<\\A\n`b`\nA\nf") == Lines{"cat", "f"});
  CHECK(commands("cat <<E\\\nOF\ntext\nEOF\nf") == Lines{"cat", "f"});
  CHECK(commands("cat <<A\ntext \\\nA\nmore\nA\nf") == Lines{"cat", "f"});
  CHECK(commands("cat <<A\n\tA\nA\nf") == Lines{"cat", "f"});
  CHECK(commands("cat <<-A\n\tA\nf") == Lines{"cat", "f"});
  // Bash's sums shift.
  const auto shifted = commands("((x=1<<A))\nrm /x\nA\n");
  CHECK(std::find(shifted.begin(), shifted.end(), "rm|/x") != shifted.end());
  // Without its end, a substitution hides nothing of what follows.
  CHECK(commands("a $(b\nc") == Lines{"a|$", "b", "c"});
  for (const char* broken : {"'", "\"", "$(", "a `", "cat <<", "case x in", ")", ";;", "\\"}) {
    (void)commands(broken);
  }
}

TEST_CASE("users are read as adduser and useradd would make them") {
  const auto actions = actions_of(
      "adduser --quiet --system --group --no-create-home \\\n"
      "  --home /var/lib/unbound unbound\n"
      "adduser --system --home /run/sshd --shell /usr/sbin/nologin sshd\n"
      "addgroup --system frrvty\naddgroup --system frr\n"
      "adduser --system --ingroup frr --home /nonexistent --gecos \"Frr suite\" frr\n"
      "usermod -a -G frrvty frr\n"
      "useradd --system --gid nogroup -G adm,tty --home-dir /var/lib/misc dnsmasq\n"
      "adduser --system $name\n");
  CHECK(actions.users ==
        std::vector<manifests::SystemUser>{
            {"unbound", "", {}, "/var/lib/unbound", "/usr/sbin/nologin"},
            {"sshd", "nogroup", {}, "/run/sshd", "/usr/sbin/nologin"},
            {"frr", "", {"frrvty"}, "/nonexistent", "/usr/sbin/nologin"},
            {"dnsmasq", "nogroup", {"adm", "tty"}, "/var/lib/misc", "/usr/sbin/nologin"}});
  CHECK(actions.groups == Lines{"frrvty"});
  CHECK(actions.rest == Lines{"adduser --system $name"});
}

TEST_CASE("variables that are set once, literally, stand in commands as dash puts them there") {
  const std::vector<std::string> scripts = {
      "A=\"b c\"\nsay $A \"$A\" x${A}y 'z $A' \\$A\n",
      "A=b; B=\"$A\"\nC=${B}c\nsay $B \"${C}\" $A$B $A.$B\n",
      "A=\nsay $A \"$A\" x$A\n",
      "A='--system  --group'\nsay $A x\n",
      "A=if\n$A 2>/dev/null || say no\n",
      "A=/x; if true; then say \"$A/y\"; fi\nf() { say $A; }\nf\n",
      "readonly_=1\nA=a B=$readonly_\nsay $A$B; A_=2; say ${A_}3 $A_\n",
      "A=a &&\nB=b\nsay $A\n",
      "A=b\nsay \"`say $A`\" \"$(say \"$A\")\" | cat\n",
  };
  for (const std::string& script : scripts) {
    Program dash{.path = *find_program("dash")};
    dash.environment = {"PATH=/usr/bin:/bin"};
    const auto ended =
        run(dash, "say() { for x in \"$@\"; do printf '<%s>' \"$x\"; done; echo; }\n" + script,
            {std::chrono::seconds(60)});
    REQUIRE(ended);
    std::string ours;
    for (const ShellCommand& command : shell_commands(script)) {
      if (command.words.front() != "say") continue;
      for (std::size_t i = 1; i < command.words.size(); ++i) ours += "<" + command.words[i] + ">";
      ours += "\n";
    }
    CAPTURE(script);
    // Of what runs in a substitution only the command is compared.
    const bool nested = script.find('`') != std::string::npos;
    CHECK((nested ? ours.substr(0, 8) : ours) == (nested ? "<b>\n<b>\n" : ended->output));
  }
}

TEST_CASE("a variable that may be something else stays as it is written") {
  for (const char* script : {"A=b\nA=c\n",
                             "if x; then A=b; fi\n",
                             "x && A=b\n",
                             "x ||\nA=b\n",
                             "A=b | x\n",
                             "(A=b)\n",
                             "f() { A=b; }\n",
                             "for A in b; do x; done\n",
                             "A=b x\n",
                             "A=$(b)\n",
                             "A=$1\n",
                             "A='b*'\n",
                             "A=~b\n",
                             "A=b\nread A\n",
                             "A=b\n: ${A:=c}\n",
                             "A=b\nunset A\n",
                             "A=b\n. /etc/default/x\n",
                             "A=b\neval \"$x\"\n",
                             "A=b\nexport A=c\n",
                             "A=b\nA+=c\n",
                             "A=(b c)\n",
                             "A=b\n: $((A = 2))\n",
                             "A=b\ntrap 'A=c' USR1\n",
                             "A=b & x\n",
                             "done\nA=b\n"}) {
    CAPTURE(script);
    const auto all = shell_commands(script + std::string("y \"$A\" ${A}\n"));
    REQUIRE(!all.empty());
    CHECK(all.back().words == Lines{"y", "$A", "${A}"});
  }
  CHECK(commands("y $A\nA=b\n") == Lines{"y|$A"});
  CHECK(commands("IFS=:\nA=b:c\ny $A \"$A\"\n") == Lines{"y|$A|b:c"});
}

TEST_CASE("Debian's snmpd makes its user, whose name stands in a variable") {
  // As snmpd 5.9.3's postinst has it.
  const auto actions = actions_of(
      "#!/bin/sh\nSNMP_DIR=\"/var/lib/snmp\"\nSNMP_USER=\"Debian-snmp\"\n"
      "SNMP_GROUP=\"$SNMP_USER\"\nSNMP_SHELL=\"/bin/false\"\nCONF=\"/etc/snmp/snmpd.conf\"\nset "
      "-e\n"
      "case \"$1\" in\n  configure)\n    . /usr/share/debconf/confmodule\n"
      "    adduser --quiet --system --group --home \"$SNMP_DIR\" \\\n"
      "      --disabled-password --shell \"$SNMP_SHELL\" --force-badname \"$SNMP_USER\"\n"
      "    chown \"$SNMP_USER\".\"$SNMP_GROUP\" \"$SNMP_DIR\"\n"
      "    if [ -f $CONF ]; then chgrp \"$SNMP_GROUP\" $CONF; fi\n    ;;\nesac\n");
  CHECK(actions.users ==
        std::vector<manifests::SystemUser>{{"Debian-snmp", "", {}, "/var/lib/snmp", "/bin/false"}});
  CHECK(actions.folders == std::vector<manifests::SystemFolder>{
                               {"/var/lib/snmp", "Debian-snmp", "Debian-snmp", 0755}});
  CHECK(actions.does == Lines{"asks debconf", "makes user Debian-snmp",
                              "gives /var/lib/snmp to Debian-snmp:Debian-snmp",
                              "gives /etc/snmp/snmpd.conf to root:Debian-snmp"});
  CHECK(actions.rest.empty());
}

TEST_CASE("an owner or group that is not given stays") {
  const auto actions = actions_of(
      "adduser --system --ingroup b a\nmkdir /c\nchown :b /c\nchown a /c\nmkdir /d\nchown a: /d\n"
      "chown x: /e\nchgrp b /f\ninstall -d -g b /g\n");
  CHECK(actions.folders ==
        std::vector<manifests::SystemFolder>{
            {"/c", "a", "b"}, {"/d", "a", "b"}, {"/f", "root", "b"}, {"/g", "root", "b"}});
  CHECK(actions.rest == Lines{"chown x: /e"});
}

TEST_CASE("what known programs would do is said, and the rest is shown as written") {
  const auto actions = actions_of(
      "set -e\n. /usr/share/debconf/confmodule\ndb_get a/b\n"
      "deb-systemd-helper unmask 'x.service' >/dev/null || true\n"
      "update-rc.d x defaults\nldconfig\ndpkg-trigger --no-await ldconfig\n"
      "update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 --slave /usr/bin/nawk nawk "
      "/usr/bin/mawk\n"
      "dpkg-maintscript-helper rm_conffile /etc/x 1.0 -- \"$@\"\n"
      "ucf --three-way /usr/share/x.conf /etc/x.conf\nucf -p /etc/x.conf\n"
      "if setcap cap_net_raw+ep $PROGRAM; then setcap -r /usr/bin/x; fi\n"
      "mkdir -m 0700 -p /var/lib/x\nchown x:y /var/lib/x\n"
      "rm -f /etc/old\nrm -f /etc/old\n[ -e /x ] || exit 0\n"
      "command -v y\ncommand -p mv z q\necho a > /etc/a\ncat >> $b <<E\nc\nE\nx=$(mv /d /e)\nexec "
      "rm f\nexec 3>&1\n"
      "trap 'rm g' EXIT\ndpkg --compare-versions 1 lt 2\ndpkg --unpack h\n");
  CHECK(actions.does ==
        Lines{"may refuse to be installed: command -v y", "asks debconf",
              "registers or starts x.service with systemd", "registers or starts init script x",
              "rebuilds the loader's cache, which Weir does", "asks for the trigger ldconfig",
              "moves or removes what earlier versions left (dpkg-maintscript-helper)",
              "copies /usr/share/x.conf to /etc/x.conf (ucf)",
              "gives $PROGRAM the capabilities cap_net_raw+ep, which images do not hold (setcap)",
              "makes folder /var/lib/x", "gives /var/lib/x to x:y",
              "offers alternatives, which Weir takes into account: awk (/usr/bin/mawk)"});
  CHECK(actions.folders == std::vector<manifests::SystemFolder>{{"/var/lib/x", "x", "y", 0700}});
  CHECK(actions.rest == Lines{"setcap -r /usr/bin/x", "rm -f /etc/old", "command -p mv z q",
                              "echo a > /etc/a", "cat > $b", "mv /d /e", "exec rm f",
                              "trap rm g EXIT", "dpkg --unpack h"});
}

TEST_CASE("folders are read with owner and mode, and what the package has as a file is none") {
  auto actions = actions_of(
      "install -d -o frr -g frr -m 750 /var/log/frr\nchown 0:adm /etc/kept /etc/file\n"
      "dpkg-statoverride --update --add root crontab 1730 /var/spool/cron\n"
      "dpkg-statoverride --update --add bird bird 0640 /etc/bird.conf\n"
      "dpkg-statoverride --list /x\nmkdir -p /var/a /var/b\nchmod 1777 /var/b\n"
      "mkdir --mode=700 /c\nmkdir /run/x\nchmod 4755 /bin/su\nchown -R x /d\nchown $x /e\n");
  images::FileTree package;
  const auto put = [&](const char* path, std::uint32_t mode, auto what) {
    REQUIRE(package.put(*images::ImagePath::parse(path), {mode, 0, 0, 0, std::move(what)}));
  };
  put("etc/kept", 0710, images::Folder{});
  put("etc/file", 0640, images::File{images::content_of("")});
  put("var/log/frr", 0755, images::Folder{});
  keep_folders(package, actions);
  CHECK(actions.folders ==
        std::vector<manifests::SystemFolder>{{"/var/log/frr", "frr", "frr", 0750},
                                             {"/etc/kept", "root", "adm", 0710},
                                             {"/var/spool/cron", "root", "crontab", 01730},
                                             {"/var/a", "root", "root", 0755},
                                             {"/var/b", "root", "root", 01777}});
  CHECK(actions.rest == Lines{"dpkg-statoverride --update --add bird bird 0640 /etc/bird.conf",
                              "mkdir --mode=700 /c", "mkdir /run/x", "chmod 4755 /bin/su",
                              "chown -R x /d", "chown $x /e"});
  // Debian's ntpsec copies the file that it gives away: nothing says that it is a folder.
  auto copies =
      actions_of("cp /usr/share/a /etc/a.keys\nchown a:a /etc/a.keys\nchmod 755 /etc/a.keys\n");
  keep_folders(package, copies);
  CHECK(copies.folders.empty());
  CHECK(copies.rest.back() == "chown a:a /etc/a.keys");
  CHECK(actions_of("dpkg-statoverride --add\nchown\ninstall\nchmod\nmkdir\n").folders.empty());
}

TEST_CASE("a file of sysusers.d names users, groups and members") {
  ScriptActions actions = actions_of("systemd-sysusers ${DPKG_ROOT:+--root=x} a.conf\n");
  CHECK(actions.sysusers == Lines{"a.conf"});
  // sysusers.d(5)
  add_sysusers(
      "# a comment\n\nu sshd -:nogroup \"sshd user\" /run/sshd\nu! _x 700 - - /bin/sh\n"
      "g input - -\nm _x input\nr - 500-900\n",
      actions);
  CHECK(actions.users == std::vector<manifests::SystemUser>{
                             {"sshd", "nogroup", {}, "/run/sshd", "/usr/sbin/nologin"},
                             {"_x", "", {"input"}, "/nonexistent", "/bin/sh"}});
  CHECK(actions.groups == Lines{"input"});

  // What the script makes itself, it makes once, and a reader of the entry takes it.
  ScriptActions both =
      actions_of("systemd-sysusers cron.conf\naddgroup --system crontab\nadduser --system a\n");
  add_sysusers("g crontab -\nu a -\nm a tty\nm a tty\nu b -:b\n", both);
  CHECK(both.groups == Lines{"crontab"});
  CHECK(both.users == std::vector<manifests::SystemUser>{
                          {"a", "nogroup", {"tty"}, "/nonexistent", "/usr/sbin/nologin"},
                          {"b", "", {}, "/nonexistent", "/usr/sbin/nologin"}});
}

}  // namespace weir::builder
