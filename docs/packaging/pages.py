"""Writes manual pages and shell completions from what the programs say about themselves.

usage: pages.py OUT DATE VERSION PROGRAM...

Runs PROGRAM --describe, which prints its table of commands as JSON, and writes OUT/man/NAME.1,
OUT/bash/NAME, OUT/zsh/_NAME and OUT/fish/NAME.fish. The same programs give the same bytes.
"""

import json
import pathlib
import re
import subprocess
import sys

FORMATS = {
    "weir-builder": ("makes reproducible, signed gateway images", "weir-keys(1), weir-deployer(1)"),
    "weir-keys": ("signing keys, trust and WireGuard identities", "weir-builder(1), minisign(1)"),
    "weir-deployer": ("moves live WireGuard tunnels between two pools of gateways",
                      "weir-builder(1), weir-keys(1), nft(8)"),
}
OPTION = re.compile(r"^  (?:-(\w) \[ )?--([a-z][a-z0-9-]*)(?: \])?(?: ((?:[A-Z]|\[)\S*))?"
                    r"(?: \(=(\S*)\))?(?: +(.*))?$")


def said(program, *words):
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


class Option:
    def __init__(self, short, name, value, default, text, one_of=()):
        self.short, self.name, self.value, self.default = short, name, value, default
        self.text, self.one_of = text or "", list(one_of)

    @classmethod
    def described(cls, given):
        return cls(given.get("short"), given["name"], given.get("value"), given.get("default"),
                   given["help"], given.get("one_of", []))

    def values(self):
        """The words of a closed list."""
        if self.one_of or self.value != "FORMAT":
            return self.one_of
        words = re.split(r", | or ", self.text)
        return words if all(re.fullmatch(r"[a-z0-9]+", word) for word in words) else []


class Described:
    """One command of a table."""

    def __init__(self, program, given):
        name = f"{program} {given['name']}".strip()
        self.usage = " ".join(f"{name} {given['takes']} [options]".split())
        self.about = given["about"].rstrip("\n").split("\n")
        self.options = [Option.described(option) for option in given["options"]]
        self.examples = given["examples"].rstrip("\n").split("\n") if given["examples"] else []


class Help:
    """One --help text: options, and everything else by paragraph."""

    def __init__(self, text):
        self.usage, self.about, self.options, self.examples = "", [], [], []
        place = "usage"
        for line in text.splitlines():
            head = line.strip().lower()
            if place == "usage" and line:
                self.usage = line.removeprefix("usage: ")
                place = "about"
            elif head in ("options:", "always:"):
                place = "options"
            elif head in ("examples:", "commands:", "exit codes:") or head.startswith("exit codes:"):
                place = head.split(":")[0]
            elif place == "options":
                self.read_option(line)
            elif place == "examples" and line:
                self.examples.append(line)
            elif place == "about":
                self.about.append(line)
        while self.about and not self.about[0]:
            self.about.pop(0)
        while self.about and not self.about[-1]:
            self.about.pop()

    def read_option(self, line):
        if line.strip() == "--version, --help":
            self.read_option("  --version  prints the version")
            self.read_option("  --help  prints this")
        elif match := OPTION.match(line):
            self.options.append(Option(*match.groups()))
        elif self.options and line.startswith("      "):
            self.options[-1].text = f"{self.options[-1].text.strip()} {line.strip()}".strip()


class Program:
    def __init__(self, path):
        self.path = path
        self.name = pathlib.Path(path).name
        if self.read_table():
            return
        self.top_text = said(path)
        self.top = Help(self.top_text)
        self.commands = {}
        self.summaries = {}
        for line in self.top_text.splitlines():
            parts = re.split(r"  +", line.strip(), maxsplit=1)
            words = []
            for word in parts[0].split():
                if not re.fullmatch(r"[a-z][a-z0-9-]*", word):
                    break
                words.append(word)
            if not line.startswith("  ") or line.startswith("   ") or not words:
                continue
            if len(parts) < 2 and not parts[0][len(" ".join(words)):].strip():
                continue
            if words[0].startswith("weir-") or words[0] in ("skopeo", "minisign"):
                continue
            name = " ".join(words)
            text = said(path, *words)
            if not text:
                continue
            # A program that says the same for every command has one set of options.
            self.commands[name] = self.top if text == self.top_text else Help(text)
            about = " ".join(self.commands[name].about)
            summary = parts[1] if len(parts) > 1 else about
            self.summaries[name] = re.split(r"(?<=[a-z])\. ", summary)[0].rstrip(".")

    def read_table(self):
        done = subprocess.run([self.path, "--describe"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return False
        table = json.loads(done.stdout)
        self.top = Help("")
        self.commands = {one["name"]: Described(self.name, one) for one in table["commands"]}
        self.summaries = {one["name"]: one["summary"] for one in table["commands"]}
        return True

    def one_set(self):
        return all(shown is self.top for shown in self.commands.values())


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def roff_lines(lines):
    out, shown = [], False
    for line in lines:
        as_is = line.startswith("  ")
        if as_is != shown:
            out.append(".nf" if as_is else ".fi")
            shown = as_is
        out.append(roff(line) if line else ".PP")
    return out + ([".fi"] if shown else [])


def roff_options(options):
    out = []
    for option in options:
        head = f"\\fB\\-\\-{roff(option.name)}\\fR"
        if option.short:
            head = f"\\fB\\-{option.short}\\fR, " + head
        if option.value:
            head += f" \\fI{roff(option.value)}\\fR"
        text = option.text + (f" (without: {option.default})" if option.default else "")
        out += [".TP", head, roff(text)]
    return out


def roff_examples(lines):
    return [".PP", ".nf", *(roff(line) for line in lines), ".fi"] if lines else []


def man_page(program, date, version):
    what, also = FORMATS[program.name]
    out = [f'.TH {program.name.upper()} 1 "{date}" "Weir {version}" "Weir"', ".SH NAME",
           f"{roff(program.name)} \\- {roff(what)}", ".SH SYNOPSIS",
           f".B {roff(program.name)}", "\\fICOMMAND\\fR [\\fIARGUMENTS\\fR]", ".SH COMMANDS"]
    if program.one_set():
        for name in program.commands:
            out += [".TP", f"\\fB{roff(name)}\\fR", roff(program.summaries[name])]
        out += [".SH OPTIONS", *roff_options(program.top.options)]
    else:
        for name, shown in program.commands.items():
            out += [f".SS {roff(name)}", roff(shown.usage), ".PP", *roff_lines(shown.about),
                    *roff_options(shown.options), *roff_examples(shown.examples)]
    if program.top.examples:
        out += [".SH EXAMPLES", *roff_examples(program.top.examples)[1:]]
    out += [".SH EXIT STATUS",
            "0 done, 1 failed, 2 wrong usage, 3 moved back, 4 needs a person.",
            "Results go to standard output, everything else to standard error.",
            ".SH SEE ALSO", ".BR " + ", ".join(roff(a) for a in also.split(", ")).replace(
                "(", " (").replace(", ", " ,\n.BR ")]
    # A paragraph that nothing follows in is none.
    breaks = (".PP", ".TP", ".SS", ".SH")
    kept = [line for line, after in zip(out, [*out[1:], ".SH"])
            if line != ".PP" or not after.startswith(breaks)]
    return "\n".join(kept) + "\n"


def flags(shown):
    return [f"--{option.name}" for option in shown.options]


def bash_completion(program):
    function = "_" + program.name.replace("-", "_")
    first = sorted({name.split()[0] for name in program.commands})
    second = {}
    for name in program.commands:
        if " " in name:
            second.setdefault(name.split()[0], []).append(name.split()[1])
    cases, values = [], []
    for name, shown in program.commands.items():
        cases.append(f'    "{name}") options="{" ".join(flags(shown))}" ;;')
        takes = "|".join(f"--{option.name}" for option in shown.options if option.value)
        if takes:
            values.append(f'    "{name}") takes="{takes}" ;;')
    closed = {f"{name} --{o.name}": o.values() for name, s in program.commands.items()
              for o in s.options if o.values()}
    lines = [f"# bash completion of {program.name}", f"{function}() {{",
             '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}"',
             '  local command="${COMP_WORDS[1]}" options="" takes=""', "  COMPREPLY=()",
             "  if [ \"$COMP_CWORD\" -eq 1 ]; then",
             f'    COMPREPLY=($(compgen -W "{" ".join(first)} --help" -- "$word"))',
             "    return", "  fi"]
    for name, words in sorted(second.items()):
        lines += [f'  if [ "$command" = {name} ]; then',
                  "    if [ \"$COMP_CWORD\" -eq 2 ]; then",
                  f'      COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word"))',
                  "      return", "    fi", '    command="$command ${COMP_WORDS[2]}"', "  fi"]
    lines += ['  case "$command" in', *cases, "  esac", '  case "$command" in', *values, "  esac"]
    for place, words in sorted(closed.items()):
        lines += [f'  if [ "$command $before" = "{place}" ]; then',
                  f'    COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word"))',
                  "    return", "  fi"]
    lines += ['  if [[ "$word" == -* && ! "|$takes|" == *"|$before|"* ]]; then',
              '    COMPREPLY=($(compgen -W "$options" -- "$word"))', "  else",
              '    COMPREPLY=($(compgen -f -- "$word"))',
              "    compopt -o filenames 2> /dev/null", "  fi", "}",
              f"complete -F {function} {program.name}"]
    return "\n".join(lines) + "\n"


def zsh_quote(text):
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")


def zsh_arguments(shown, indent):
    out = []
    for option in shown.options:
        spec = f"--{option.name}[{zsh_quote(option.text)}]"
        if option.value:
            words = option.values()
            spec += f":{zsh_quote(option.value)}:" + (f"({' '.join(words)})" if words else "_files")
        out.append(f"{indent}  '*{spec}' \\")
    return [f"{indent}_arguments \\", *out, f"{indent}  '*:file:_files'"]


def zsh_completion(program):
    function = "_" + program.name.replace("-", "_")
    out = [f"#compdef {program.name}", f"{function}() {{", "  local -a commands",
           "  commands=("]
    seen = set()
    for name in program.commands:
        word = name.split()[0]
        if word not in seen:
            text = program.summaries[name] if word == name else f"{word} commands"
            out.append(f"    '{word}:{zsh_quote(text)}'")
        seen.add(word)
    out += ["  )", "  if (( CURRENT == 2 )); then", "    _describe command commands", "    return",
            "  fi", '  local command="${words[2]}"']
    for group in sorted({name.split()[0] for name in program.commands if " " in name}):
        inner = [name.split()[1] for name in program.commands if name.startswith(group + " ")]
        out += [f'  if [[ "$command" == {group} ]]; then', "    if (( CURRENT == 3 )); then",
                f"      compadd {' '.join(inner)}", "      return", "    fi",
                '    command="$command ${words[3]}"', "    shift words", "    (( CURRENT-- ))",
                "  fi"]
    out += ["  shift words", "  (( CURRENT-- ))", '  case "$command" in']
    for name, shown in program.commands.items():
        out += [f'    "{name}")', *zsh_arguments(shown, "      "), "      ;;"]
    return "\n".join([*out, "  esac", "}", f'{function} "$@"']) + "\n"


def fish_quote(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_completion(program):
    inside = "__" + program.name.replace("-", "_") + "_in"
    out = [f"# fish completion of {program.name}", f"function {inside}",
           "    set -l words (commandline -opc)", "    set -l last (math (count $argv) + 1)",
           "    test (count $words) -ge $last; or return 1",
           '    test "$words[2..$last]" = "$argv"', "end"]
    start = f"complete -c {program.name}"
    seen = set()
    for name in program.commands:
        words = name.split()
        if words[0] not in seen:
            text = program.summaries[name] if len(words) == 1 else f"{words[0]} commands"
            out.append(f"{start} -n __fish_use_subcommand -f -a {words[0]} -d {fish_quote(text)}")
        seen.add(words[0])
        if len(words) == 2:
            out.append(f"{start} -n '{inside} {words[0]}; and not {inside} {name}' -f "
                       f"-a {words[1]} -d {fish_quote(program.summaries[name])}")
    for name, shown in program.commands.items():
        for option in shown.options:
            line = f"{start} -n '{inside} {name}' -l {option.name} -d {fish_quote(option.text)}"
            if option.short:
                line += f" -s {option.short}"
            if option.value:
                words = option.values()
                line += f" -x -a '{' '.join(words)}'" if words else " -r"
            out.append(line)
    return "\n".join(out) + "\n"


def main():
    out, date, version = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    for path in sys.argv[4:]:
        program = Program(path)
        if not program.commands:
            sys.exit(f"pages.py: {path} --help names no commands")
        for place, text in ((f"man/{program.name}.1", man_page(program, date, version)),
                            (f"bash/{program.name}", bash_completion(program)),
                            (f"zsh/_{program.name}", zsh_completion(program)),
                            (f"fish/{program.name}.fish", fish_completion(program))):
            file = out / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


main()
