#!/usr/bin/python3
"""make demo: Gavel on a fresh state directory, solutions in every language, and their verdicts.

Starts sandboxd and judged as `make run` does, submits with build/bin/judge over gRPC, prints a
table, stops everything and removes what it made.  Exit 0 only if every verdict is as expected.
"""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROWS = [  # problem, language, submission, expected verdict
    ("aplusb", "c", "accepted/sum.c", "AC"),
    ("aplusb", "cpp17", "accepted/sum.cpp", "AC"),
    ("aplusb", "cpp20", "accepted/sum.cpp", "AC"),
    ("aplusb", "python3", "accepted/sum.py", "AC"),
    ("aplusb", "java", "accepted/Sum.java", "AC"),
    ("aplusb", "rust", "accepted/sum.rs", "AC"),
    ("aplusb", "go", "accepted/sum.go", "AC"),
    ("aplusb", "javascript", "accepted/sum.js", "AC"),
    ("aplusb", "c", "wrong_answer/int32.c", "WA"),
    ("aplusb", "c", "time_limit_exceeded/busy.c", "TLE"),
    ("aplusb", "c", "run_time_error/memory_hog.c", "MLE"),
    ("aplusb", "c", "run_time_error/null.c", "RTE"),
    ("aplusb", "python3", "run_time_error/exception.py", "RTE"),
    ("aplusb", "c", "wrong_answer/flood.c", "OLE"),
    ("aplusb", "c", "run_time_error/forbidden.c", "SV"),
    ("aplusb", "c", "compile_error/semicolon.c", "CE"),
    ("deviation", "cpp17", "accepted/two_pass.cpp", "AC"),
    ("deviation", "c", "wrong_answer/cancellation.c", "WA"),
    ("longest", "cpp20", "accepted/lower_bound.cpp", "AC"),
    ("longest", "go", "accepted/search.go", "AC"),
    ("longest", "cpp17", "time_limit_exceeded/quadratic.cpp", "TLE"),
    ("longest", "cpp17", "run_time_error/every_tail.cpp", "MLE"),
    ("taskorder", "cpp17", "accepted/queue.cpp", "AC"),
    ("taskorder", "javascript", "wrong_answer/forgets_cycles.js", "WA"),
]
READY = re.compile(r"program=judged .*event=ready .*port=(\d+)")
START_LIMIT_S = 90
CODES = {"ACCEPTED": "AC", "WRONG_ANSWER": "WA", "TIME_LIMIT_EXCEEDED": "TLE", "MEMORY_LIMIT_EXCEEDED": "MLE",
         "OUTPUT_LIMIT_EXCEEDED": "OLE", "RUN_TIME_ERROR": "RTE", "SECURITY_VIOLATION": "SV", "COMPILE_ERROR": "CE",
         "JUDGE_ERROR": "JE"}
COLOURS = {"AC": "\033[32m", "CE": "\033[35m"}


def start(folder):
    """The servers, in a process group of their own; returns them and the port of judged."""
    environment = {**os.environ, "STATE": f"{folder}/state", "RUN": f"{folder}/run", "LISTEN": "127.0.0.1:0"}
    log = open(f"{folder}/log", "w+", encoding="utf-8", errors="replace")
    servers = subprocess.Popen(["scripts/run.sh"], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                               env=environment, start_new_session=True)
    ends = time.monotonic() + START_LIMIT_S
    while time.monotonic() < ends:
        text = open(log.name, encoding="utf-8", errors="replace").read()
        if found := READY.search(text):
            return servers, found.group(1)
        if servers.poll() is not None:
            break
        time.sleep(0.1)
    stop(servers)
    sys.exit(f"demo: the servers did not start; their log:\n{open(log.name).read()}")


def stop(servers):
    if servers.poll() is None:
        servers.send_signal(signal.SIGTERM)
        try:
            servers.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(servers.pid, signal.SIGKILL)
            servers.wait()


def judge(port, *arguments):
    """One call of the client: its JSON lines, and what it complained about."""
    done = subprocess.run(["build/bin/judge", *arguments, "--json", "--server", f"127.0.0.1:{port}"],
                          capture_output=True, text=True, timeout=110)
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr.strip()


def submit(port, row):
    """The submission once it is judged."""
    problem, language, path, _ = row
    lines, error = judge(port, "submit", "-p", problem, "-l", language, f"problems/{problem}/submissions/{path}")
    if not lines:
        return {}, error
    lines, error = judge(port, "status", lines[0]["id"])
    return (lines[-1] if lines else {}), error


def show(row, submission, error, colour):
    problem, language, path, expected = row
    got = CODES.get(submission.get("verdict"), "?")
    mark = "" if got == expected else f"  expected {expected} {error}"
    cpu = submission.get("cpu_time_us", 0) / 1e6
    memory = submission.get("memory_peak_bytes", 0) / 2**20
    text = f"{got:7}"
    if colour:
        text = COLOURS.get(got, "\033[31m") + text + "\033[0m"
    print(f"{problem:9} {language:10} {path:33} {text} {cpu:7.3f} s {memory:7.1f} MiB{mark}", flush=True)
    return got == expected


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    began = time.monotonic()
    folder = tempfile.mkdtemp(prefix="gavel-demo-")
    os.chmod(folder, 0o755)
    servers = None
    try:
        print("starting sandboxd and judged ...", flush=True)
        servers, port = start(folder)
        print(f"{'problem':9} {'language':10} {'submission':33} {'verdict':7} {'CPU time':>9} {'memory':>11}", flush=True)
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            results = pool.map(lambda row: submit(port, row), ROWS)
            good = [show(row, *result, sys.stdout.isatty()) for row, result in zip(ROWS, results)]
    finally:
        if servers:
            stop(servers)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{sum(good)} of {len(ROWS)} verdicts as expected, {time.monotonic() - began:.0f} s")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
