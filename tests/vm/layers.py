#!/usr/bin/python3
"""Switch off the layers that an attack names, and see it get through; leave one of them on, and see it held.

    layers.py [--brief] [LAYER | ATTACK | GROUP]...

In the first line of an attack `layer=a,b+c` says: it gets through without a, and without both b and c. Every such part is
tried in the machine of vm.py with build/without (see without.c): with all of it off the attack must get through, and with
all but one off it must be held, by that one alone. Of an attack with several cases one has to show it. Every layer of
layers.txt must be shown by an attack, or stand below with the reason; an attack that does not show its layer is skipped and
named, because some only look at how something is told or cleared away.
"""
import argparse
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/attack"))
from corpus import all_attacks, known_layers  # noqa: E402
from host import PR_SET_CHILD_SUBREAPER, children, gavel_cgroups, libc  # noqa: E402
from run import Apart  # noqa: E402

SANDBOX = os.path.join(TOP, "build/without/sandbox")
MACHINE = "gavel-vm"
# Where files are when a program has no root of its own.
PLACES = ("/box", "/program")


# Layers that are not a sandbox's to switch off, and what shows them instead.
ELSEWHERE = {
    "frames": "a parser: tests/test_wire.c, test_channel.c and the fuzzers feed it what it must refuse",
    "peer": "tests/test_serve.c: another uid is let in once it is allowed",
    "unpack": "tests/test_oci.c, e2e/test_roots.py: archives that lead outside",
    "judged": "tests/test_confine.c",
    "report": "tests/test_report.c, e2e/test_see_it.py: hostile names",
}
WORDS = {True: "ok  ", False: "FAIL", None: "skip"}
LIMITS = ("cpu_time_limit", "wall_time_limit", "memory_limit", "output_limit", "forbidden_syscall")


# What trial.py and host.py say of an attack that did nothing but harm.
HARM = re.compile(r"ESCAPED|secret|shadow was read|was changed|came out|the victim|somebody connected|typed into|^used \d|^had \d|"
                  r"(process|mount|file|cgroup|segment|setting) (\d|left|gone)|did not come to an end|the host cannot be looked at")


def through(passed, what):
    """Whether an attack got through.  A sandbox or an attack that did not work proves nothing, unless it was init that died."""
    if passed is not False or any(word in what for word in ("BROKEN", "run.py itself", "does not compile", "refused: ")):
        return False
    if HARM.search(what):
        return True
    ended = re.match(r"(\S+) .*?; expected (\S+)\.", what)
    if not ended or "init died" in what:
        return bool(ended)
    got, expected = ended[1], ended[2].split("|")
    # What only the report shows: a limit, or a call, that should have ended it.
    return got == "exited:66" or got != "sandbox_error" and "exited:0" not in expected


def held(passed, what):
    """Whether it was stopped: as its line says, or by a limit before it came so far."""
    ended = re.match(r"(\w+)(:\w+)? .*?; expected ", what)
    return passed or bool(ended) and ended[1] in LIMITS and not HARM.search(what)


def clear():
    """What got away from a sandbox that ends nothing, and would be in the way of the next."""
    while left := children(os.getpid()):
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    for top in gavel_cgroups():
        for folder, _, _ in os.walk(top, topdown=False):
            os.rmdir(folder)


class Trial:
    """One part of an attack's line."""

    def __init__(self, part, cases):
        self.layers, self.cases = part.split("+"), cases
        self.name = f"{cases[0].group}/{cases[0].stem}"
        self.part = part

    def attempt(self, case, off):
        os.environ["GAVEL_WITHOUT"] = ",".join(off)
        try:
            return Apart(case, SANDBOX).outcome()
        finally:
            if "kill" in off:
                clear()

    def held_by_each(self, case):
        """The first layer that does not hold alone, with what happened; or None."""
        for layer in self.layers:
            passed, what = self.attempt(case, [other for other in self.layers if other != layer])
            if not held(passed, what):
                return f"{layer} alone does not hold {case.name}: {what}"
        return None

    def outcome(self):
        """(True shown, False wrong, None not shown; what happened)"""
        said = []
        for case in self.cases:
            passed, what = self.attempt(case, self.layers)
            if through(passed, what):
                wrong = self.held_by_each(case)
                return not wrong, wrong or what
            said.append(what)
        return None, f"not through: {'; '.join(dict.fromkeys(said))}"


def selftest_tells():
    """`sandbox selftest` has traps of its own: what gets past without two layers must be told, and with them nothing."""
    told = []
    for off in (), ("readonly", "landlock"):
        os.environ["GAVEL_WITHOUT"] = ",".join(off)
        made = subprocess.run([SANDBOX, "selftest", "write_mounted"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=300)
        told.append((made.returncode, "NOT HELD" in made.stdout, "wrote to a file of the host's" in made.stdout))
    return told == [(0, False, False), (1, True, True)], str(told)


def trials(names):
    for _, group in itertools.groupby(all_attacks(), lambda a: a.path):
        cases = [a for a in group if a.native() and "verdict" not in a.keys]
        for a in cases:
            # The machine is slow, and what a limit no longer ends must end all the same.
            a.seconds *= 1 if "cpu_time_limit" in a.expect else 4
            a.wall = min(a.wall, 3 * a.seconds + 3)
        for part in cases[0].keys["layer"].split(",") if cases else ():
            trial = Trial(part, cases)
            if not set(trial.layers) & set(ELSEWHERE) and \
                    (not names or set(names) & {*trial.layers, trial.name, cases[0].stem, cases[0].group}):
                yield trial


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="of the attacks whose layers have all been shown already, none")
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    names = options.names
    if os.uname().nodename != MACHINE:
        parser.error("works in the machine of tests/vm/vm.py only")
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    made = [place for place in PLACES if not os.path.exists(place)]
    for place in made:
        os.mkdir(place)
    counts, shown = {True: 0, False: 0, None: 0}, set()
    for trial in trials(names):
        if options.brief and set(trial.layers) <= shown:
            continue
        ok, what = trial.outcome()
        counts[ok] += 1
        shown |= set(trial.layers) if ok else set()
        print(f"{WORDS[ok]} {trial.name:32} without {trial.part:24} {what[:300]}", flush=True)
    if not names or "selftest" in names:
        ok, what = selftest_tells()
        counts[ok] += 1
        print(f"{WORDS[ok]} sandbox selftest without readonly+landlock {what}")
    for layer in sorted(known_layers() - shown - set(ELSEWHERE)) if not names else ():
        counts[False] += 1
        print(f"FAIL {layer}: no attack shows what it holds")
    for place in made:
        shutil.rmtree(place)
    print(f"{counts[True]} passed, {counts[False]} failed, {counts[None]} skipped")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
