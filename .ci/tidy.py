#!/usr/bin/env python3
"""usage: tidy.py BUILD SOURCE...

Runs clang-tidy on each SOURCE that has changed since it was last seen clean: what is compared is the
source with all its headers, its compile command, the checks and the version of clang-tidy. BUILD holds
compile_commands.json and the memory of clean sources. Exits 1 if any source is not clean.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import time


def compile_command(entry):
    """The arguments of one entry, without its output."""
    words = shlex.split(entry["command"])
    at = words.index("-o")
    return [word for word in words[:at] + words[at + 2:] if word != "-c"]


def fingerprint(entry, common):
    """A digest of everything that decides what clang-tidy says of a source, or None."""
    command = compile_command(entry)
    # Directives only: macros and comments (NOLINT) stay in the text.
    text = subprocess.run(command + ["-E", "-fdirectives-only"], cwd=entry["directory"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if text.returncode != 0:
        return None
    return hashlib.sha256(common + "\0".join(command).encode() + text.stdout).hexdigest()


def check(build, source, entry, common):
    """Output of clang-tidy, or None where the source is clean."""
    name = fingerprint(entry, common)
    seen = build / "tidy" / name if name else None
    if seen and seen.exists():
        return None
    ran = subprocess.run(["clang-tidy", "-p", str(build), "--quiet", source], stderr=subprocess.STDOUT,
                         stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        return ran.stdout.decode(errors="replace")
    if seen:
        seen.touch()
    return None


def show(began, shown, done, of, dirty):
    """Says how far it is, as .ci/progress.sh does; returns when that was last said."""
    now = time.monotonic()
    terminal = sys.stderr.isatty()
    if now - began < 2 or (done < of and now - shown < (0.2 if terminal else 5)):
        return shown
    left = (now - began) * (of - done) / done
    words = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    estimate = f", about {words} left" if done < of else ""
    print(f"lint: {done} of {of} sources{estimate}, {dirty} not clean", file=sys.stderr, flush=True,
          end="\033[K\r" if terminal and done < of else "\n")
    return now


def main():
    build = pathlib.Path(sys.argv[1])
    (build / "tidy").mkdir(exist_ok=True)
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
    common = version + pathlib.Path(".clang-tidy").read_bytes()
    entries = {os.path.realpath(os.path.join(entry["directory"], entry["file"])): entry
               for entry in json.loads((build / "compile_commands.json").read_text())}
    work = [(source, entries[os.path.realpath(source)]) for source in sys.argv[2:]
            if os.path.realpath(source) in entries]
    dirty = 0
    began = shown = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = [pool.submit(check, build, source, entry, common) for source, entry in work]
        for count, job in enumerate(concurrent.futures.as_completed(jobs), 1):
            if job.result():
                dirty += 1
                print(job.result(), flush=True)
            shown = show(began, shown, count, len(jobs), dirty)
    sys.exit(1 if dirty else 0)


if __name__ == "__main__":
    main()
