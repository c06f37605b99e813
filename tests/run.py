#!/usr/bin/python3
"""Runs the test suites and counts.

    tests/run.py [--mode release|debug|asan|tsan] [--limit SECONDS] [--jobs N] [SUITE[:NAME]]...

Every program runs in a process group of its own under a time limit; its output is shown
when it fails, or always with --verbose.  One that takes long says now and then how far it
is.  The last line says how many tests were run.
"""
import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

LIMIT_S = 900
PULSE_S = 30
ENVIRONMENT = dict(os.environ, LSAN_OPTIONS="suppressions=tests/lsan.supp:print_suppressions=0")
CRITERION = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
COUNTED = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in", re.M)


def unit(mode, only):
    # Programs from the same sources that the Makefile builds for `make tests`.
    names = sorted(os.path.basename(p)[:-2] for p in glob.glob("tests/test_*.c"))
    return [[f"build/{mode}/{name}"] for name in names if only in ("", name)]


def attack(_mode, only):
    part = {"": [], "native": ["--native"], "brief": ["--native", "--brief"]}.get(only, [only])
    return [["/usr/bin/python3", "tests/attack/run.py", *part]]


def e2e(_mode, only):
    paths = sorted(glob.glob("tests/e2e/test_*.py"))
    return [["/usr/bin/python3", path, "-v"] for path in paths if only in path]


def layers(_mode, only):
    return [["/usr/bin/python3", "tests/vm/layers.py", *({"": [], "brief": ["--brief"]}.get(only, [only]))]]


SUITES = {"unit": unit, "attack": attack, "e2e": e2e, "layers": layers}
USUAL = ("unit", "attack", "e2e")  # layers are switched off in the machine of tests/vm only


def count(text, status):
    """(passed, failed, skipped) of one program, from its own closing lines."""
    if found := CRITERION.findall(text):
        tested, passing, _failing, _crashing = map(int, found[-1])
        skipped = text.count("[SKIP]")
        return passing, tested - passing, skipped
    if found := COUNTED.findall(text):
        passed, failed, skipped = found[-1]
        return int(passed), int(failed), int(skipped or 0)
    if found := UNITTEST.findall(text):
        ran = int(found[-1])
        bad = sum(int(n) for n in re.findall(r"(?:failures|errors)=(\d+)", text))
        skipped = sum(int(n) for n in re.findall(r"skipped=(\d+)", text))
        return ran - bad - skipped, bad, skipped
    return 0, 0 if status == 0 else 1, 0


def run(argv, limit_s, pulse):
    """Output and exit status; whatever the program left in its group is killed.  pulse gets the last line so far, now and then."""
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                         text=True, errors="replace", start_new_session=True, env=ENVIRONMENT)
    ends = time.monotonic() + limit_s
    while True:
        try:
            text, _ = p.communicate(timeout=max(0, min(PULSE_S, ends - time.monotonic())))
            return text, p.returncode
        except subprocess.TimeoutExpired as e:
            if time.monotonic() >= ends:
                break
            pulse((e.output or b"").decode(errors="replace").rstrip().rpartition("\n")[2])
    os.killpg(p.pid, signal.SIGKILL)
    text, _ = p.communicate()
    return f"{text}\n{argv[-1]}: killed after {limit_s:.0f} s", 1


def why(text):
    """The end of what a program said; of unittest the part with the reasons, because a log may keep the beginning only."""
    reasons = text.find("\n" + "=" * 70 + "\n")
    return text[max(reasons, 0):][-20000:]


class Runner:
    """Runs programs, several at a time, and prints what became of each when it has ended."""

    def __init__(self, options):
        self.options, self.total, self.said = options, [0, 0, 0], threading.Lock()

    def say(self, text):
        with self.said:
            print(text, flush=True)

    def program(self, suite, argv):
        started = time.monotonic()
        name = " ".join(argv).removeprefix("/usr/bin/python3 ").removesuffix(" -v")

        def pulse(line):
            self.say(f"...  {suite:6} {name:40} {time.monotonic() - started:.0f} s  {line[:100]}")

        text, status = run(argv, self.options.limit, pulse)
        counts = list(count(text, status))
        if status != 0 and counts[1] == 0:
            counts[1] = 1
        bad = status != 0 or counts[1] > 0
        line = (f"{'FAIL' if bad else 'ok  '} {suite:6} {name:40} {counts[0]:4} passed"
                f"{f', {counts[1]} failed' if counts[1] else ''}"
                f"{f', {counts[2]} skipped' if counts[2] else ''}"
                f"  {time.monotonic() - started:.1f} s")
        shown = [text if self.options.verbose else why(text)] if bad or self.options.verbose else []
        self.say("\n".join([line, *shown]))
        with self.said:
            self.total = [a + b for a, b in zip(self.total, counts)]

    def all(self):
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for suite in self.options.suites or USUAL:
                suite, _, only = suite.partition(":")
                done = [pool.submit(self.program, suite, argv) for argv in SUITES[suite](self.options.mode, only)]
                for program in done:
                    program.result()
        return self.total


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", default="release")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS", help=f"for each program ({LIMIT_S})")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="programs of one suite at the same time (1)")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="unit, attack, e2e, all three by default; layers; unit:test_store is one of them")
    options = parser.parse_args()
    unknown = [s for s in options.suites if s.partition(":")[0] not in SUITES]
    if unknown:
        parser.error(f"no suite {unknown[0]}: there are {', '.join(SUITES)}")
    if options.jobs < 1:
        parser.error(f"--jobs {options.jobs}: at least 1")
    passed, failed, skipped = Runner(options).all()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
