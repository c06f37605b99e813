#!/usr/bin/python3
"""How long a C++ program takes from being submitted to its verdict (`make bench`, as root).

A program with bits/stdc++.h and ten tests: submitted to judged by a client that watches it, beside the same work done by hand, which
is g++ -O2 and ten runs, one after the other.  Both are done in turns, so that a busy machine is busy for both.  Then the same
program once more, as it is.

    --rounds N    how often (5)
    --json        one JSON object instead of the table
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/tests/e2e")
from gavel import Gavel, pb  # noqa: E402

TESTS = 10
TOWNS, ROADS = 500, 2000
TARGET = 0.6        # of the same by hand
TARGET_AGAIN = 60   # ms over the runs themselves
HEAD = ("what was timed", "rounds", "p10", "p50", "max", "target")


def percentile(values, percent):
    """A value that was measured."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def make_input(rng):
    towns = [f"town{i}" for i in range(TOWNS)]
    lines = [f"{TOWNS} {ROADS}"]
    lines += [f"{towns[i]} {towns[rng.randrange(i)]} {rng.randint(1, 10 ** 6)}" for i in range(1, TOWNS)]
    lines += [f"{rng.choice(towns)} {rng.choice(towns)} {rng.randint(1, 10 ** 6)}" for _ in range(ROADS - TOWNS + 1)]
    return "\n".join(lines) + "\n"


def make_package(folder, program):
    """The problem, and its inputs as paths; the answers are what the program prints."""
    rng = random.Random(1)
    for sub in ("data/sample", "data/secret", "submissions/accepted"):
        os.makedirs(f"{folder}/{sub}")
    write(f"{folder}/problem.yaml", "name: Roads\nlicense: cc0\nvalidation: default\n")
    write(f"{folder}/.timelimit", "2\n")
    inputs = []
    for i in range(TESTS):
        base = f"{folder}/data/secret/{i:02}"
        inputs.append(write(f"{base}.in", make_input(rng)))
        with open(inputs[-1]) as stdin:
            answer = subprocess.run([program], stdin=stdin, stdout=subprocess.PIPE, text=True, check=True).stdout
        write(f"{base}.ans", answer)
    return inputs


def ms_since(start):
    return (time.monotonic() - start) * 1000


def by_hand(source, program, inputs):
    """Compiles and runs as a judge would that is nothing but a shell script; returns the time of all, and of compiling."""
    start = time.monotonic()
    subprocess.run(["g++", "-O2", "-o", program, source], check=True)
    compiled = ms_since(start)
    for path in inputs:
        with open(path, "rb") as stdin:
            subprocess.run([program], stdin=stdin, stdout=subprocess.PIPE, check=True)
    return ms_since(start), compiled


def judged(g, text, cached):
    """The same by submitting it: the time to the verdict, and what of it was runs."""
    start = time.monotonic()
    submission = g.submit("roads", "cpp17", "roads.cpp", text)
    for event in g.watch(submission):
        pass
    took = ms_since(start)
    s = g.get(submission)
    if event.kind != pb.Event.FINISHED or s.verdict != pb.ACCEPTED or len(s.runs) != TESTS:
        raise AssertionError(f"submission {submission}: {pb.Verdict.Name(s.verdict)} after {len(s.runs)} runs\n{s.compiler_message}")
    if s.evidence.program_cached != cached:
        raise AssertionError(f"submission {submission}: cached is {s.evidence.program_cached}")
    return took, sum(r.usage.wall_time_us for r in s.runs) / 1000


def measure(rounds):
    rows = {}

    def add(name, value):
        rows.setdefault(name, []).append(value)

    with open(f"{ROOT}/tests/bench/programs/contest.cpp") as f:
        source = f.read()
    with tempfile.TemporaryDirectory(prefix="gavel-bench-") as folder, Gavel(problems=()) as g:
        program = f"{folder}/roads"
        subprocess.run(["g++", "-O2", "-o", program, write(f"{folder}/first.cpp", source)], check=True)
        inputs = make_package(f"{g.dir}/problems/roads", program)
        g.start_sandboxd()
        g.start_judged()
        add("first", judged(g, source.encode() + b"// first\n", False)[0])
        for i in range(rounds):
            text = f"{source}// {i}\n"
            hand, compiled = by_hand(write(f"{folder}/roads.cpp", text), program, inputs)
            took, _ = judged(g, text.encode(), False)
            again, runs = judged(g, text.encode(), True)
            for name, value in (("hand", hand), ("hand_compile", compiled), ("judged", took), ("ratio", took / hand),
                                ("again", again), ("again_over_runs", again - runs)):
                add(name, value)
    return rows


ROWS = (("hand", "by hand: g++ -O2 and ten runs", "ms", None),
        ("hand_compile", "of that, g++ -O2", "ms", None),
        ("first", "judged: the very first, which precompiles the header", "ms", None),
        ("judged", "judged: submitted to verdict", "ms", None),
        ("ratio", "judged, as a part of the same by hand just before", "x", TARGET),
        ("again", "judged: the same once more", "ms", None),
        ("again_over_runs", "of that, all but the runs themselves", "ms", TARGET_AGAIN))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: expected a number from 1 on")
    if os.geteuid() != 0:
        sys.exit("compile.py: needs root, for sandboxd")
    rows = measure(options.rounds)
    if options.json:
        print(json.dumps({"title": "Gavel: submitted to verdict", "rows": [
            {"name": name, "what": what, "unit": unit, "runs": len(rows[name]), "p50": statistics.median_low(rows[name]),
             **({"target": target, "met": statistics.median_low(rows[name]) <= target} if target else {})}
            for name, what, unit, target in ROWS]}))
        return
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg())
    print(f"Gavel: submitted to verdict, C++ with bits/stdc++.h, {TESTS} tests (load {load})\n")
    print(f"{HEAD[0]:<56} {HEAD[1]:>6} {HEAD[2]:>9} {HEAD[3]:>9} {HEAD[4]:>9}       {HEAD[5]}")
    for name, what, unit, target in ROWS:
        values = rows[name]
        middle = statistics.median_low(values)
        verdict = f"<= {target} {'met' if middle <= target else 'MISSED'}" if target else ""
        print(f"{what:<56} {len(values):>6} {percentile(values, 10):>9.2f} {middle:>9.2f} {max(values):>9.2f} {unit:<4}  {verdict}")


if __name__ == "__main__":
    main()
