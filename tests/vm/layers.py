#!/usr/bin/python3
"""Switch off the layers that an attack names, and see it get through; leave one of them on, and see it held.

    layers.py [LAYER | ATTACK]...

In the first line of an attack `layer=a,b+c` says: it gets through without a, and without both b and c. Every such part is
tried in the machine of vm.py with build/without (see without.c): with all of it off the attack must get through, and with
all but one off it must be held, by that one alone. So no attack is a straw man, no layer is idle, and no line is wrong. Of an
attack with several cases one has to show it. Every layer of layers.txt must be shown by an attack, or stand below with the reason.
"""
import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests/attack"))
from corpus import all_attacks, known_layers  # noqa: E402
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
    "filter": "e2e/test_bridge.py: rules that allow what the default drops",
    "judged": "tests/test_confine.c",
    "report": "tests/test_report.c, e2e/test_see_it.py: hostile names",
}
# Attacks on how something is told, or cleared away: no layer's absence lets them through.
NO_WAY_THROUGH = {
    "escape/raise_sigsys": "an ordinary crash that must not be taken for a forbidden call",
    "leftovers/deep_directory": "a folder that takes long to delete, which nobody does",
    "judge/copy_out_tree": "of several traps the first ends the copying",
}


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


class Trial:
    """One part of an attack's line."""

    def __init__(self, part, cases):
        self.layers, self.cases = part.split("+"), cases
        self.name = f"{cases[0].group}/{cases[0].stem}"
        self.part = part

    def attempt(self, case, off):
        os.environ["GAVEL_WITHOUT"] = ",".join(off)
        return Apart(case, SANDBOX).outcome()

    def held_by_each(self, case):
        """The first layer that does not hold alone, with what happened; or None."""
        for layer in self.layers:
            passed, what = self.attempt(case, [other for other in self.layers if other != layer])
            if not passed:
                return f"{layer} alone does not hold {case.name}: {what}"
        return None

    def outcome(self):
        """(shown, what happened)"""
        said = []
        for case in self.cases:
            passed, what = self.attempt(case, self.layers)
            if through(passed, what):
                wrong = self.held_by_each(case)
                return not wrong, wrong or what
            said.append(what)
        return False, f"not through: {'; '.join(dict.fromkeys(said))}"


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
        cases = [a for a in group if a.native()]
        for a in cases:
            a.wall = min(a.wall, 3 * a.seconds + 3)  # what a limit no longer ends, ends soon
        for part in cases[0].keys["layer"].split(",") if cases else ():
            trial = Trial(part, cases)
            if trial.name not in NO_WAY_THROUGH and not set(trial.layers) & set(ELSEWHERE) and \
                    (not names or set(names) & {*trial.layers, trial.name, cases[0].stem, cases[0].group}):
                yield trial


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names
    if os.uname().nodename != MACHINE:
        parser.error("works in the machine of tests/vm/vm.py only")
    made = [place for place in PLACES if not os.path.exists(place)]
    for place in made:
        os.mkdir(place)
    passed, failed, shown = 0, 0, set()
    for trial in trials(names):
        ok, what = trial.outcome()
        passed, failed = passed + ok, failed + (not ok)
        shown |= set(trial.layers) if ok else set()
        print(f"{'ok  ' if ok else 'FAIL'} {trial.name:32} without {trial.part:24} {what[:300]}", flush=True)
    if not names or "selftest" in names:
        ok, what = selftest_tells()
        passed, failed = passed + ok, failed + (not ok)
        print(f"{'ok  ' if ok else 'FAIL'} sandbox selftest without readonly+landlock {what}")
    for layer in sorted(known_layers() - shown - set(ELSEWHERE)) if not names else ():
        failed += 1
        print(f"FAIL {layer}: no attack shows what it holds")
    for place in made:
        shutil.rmtree(place)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
