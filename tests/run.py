#!/usr/bin/python3
"""Runs the test suites and counts.

    tests/run.py [--mode release|debug|asan|tsan] [--limit SECONDS] [SUITE[:NAME]]...

Every program runs in a process group of its own under a time limit; its output is shown
when it fails, or always with --verbose.  One that takes long says now and then how far it
is.  The last line says how many tests were run.
"""
import argparse
import glob
import os
import re
import signal
import subprocess
import sys
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", default="release")
    parser.add_argument("--limit", type=float, default=LIMIT_S, metavar="SECONDS", help=f"for each program ({LIMIT_S})")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help="unit, attack, e2e, all three by default; layers; unit:test_store is one of them")
    options = parser.parse_args()
    unknown = [s for s in options.suites if s.partition(":")[0] not in SUITES]
    if unknown:
        parser.error(f"no suite {unknown[0]}: there are {', '.join(SUITES)}")
    total = [0, 0, 0]
    for suite in options.suites or USUAL:
        suite, _, only = suite.partition(":")
        for argv in SUITES[suite](options.mode, only):
            started = time.monotonic()
            name = " ".join(argv).removeprefix("/usr/bin/python3 ").removesuffix(" -v")

            def pulse(line):
                print(f"...  {suite:6} {name:40} {time.monotonic() - started:.0f} s  {line[:100]}", flush=True)

            text, status = run(argv, options.limit, pulse)
            counts = list(count(text, status))
            if status != 0 and counts[1] == 0:
                counts[1] = 1
            bad = status != 0 or counts[1] > 0
            print(f"{'FAIL' if bad else 'ok  '} {suite:6} {name:40} {counts[0]:4} passed"
                  f"{f', {counts[1]} failed' if counts[1] else ''}"
                  f"{f', {counts[2]} skipped' if counts[2] else ''}"
                  f"  {time.monotonic() - started:.1f} s", flush=True)
            if bad or options.verbose:
                print(text if options.verbose else why(text), flush=True)
            total = [a + b for a, b in zip(total, counts)]
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or total[0] == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
