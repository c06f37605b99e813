#!/usr/bin/python3
"""Run fuzzers, each from the inputs that are kept for it, the real files of its kind, and what earlier runs have found.

    run.py [--seconds N] [-j N] [--stats] [--keep] FUZZER...

FUZZER is a program in build/fuzz/bin.  kept/NAME.txt has one input a line, with Python's escapes.  What a run finds goes to
build/fuzz/found/NAME, and what fails to build/fuzz/NAME-crash-...; --keep afterwards puts into kept/ as few inputs as reach
everything that all of them reach.
"""
import argparse
import concurrent.futures
import glob
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WORK = "build/fuzz"
REAL = {
    "fuzz_language": "rules/languages/*", "fuzz_network_rule": "rules/networks/*", "fuzz_policy": "rules/seccomp/*.policy",
    "fuzz_root": "rules/roots/*", "fuzz_problem_yaml": "problems/*/problem.yaml", "fuzz_polygon": "problems/*/problem.xml", "fuzz_config": "rules/judge.yaml",
}


def kept_file(name):
    return os.path.join(HERE, "kept", f"{name}.txt")


def kept(name):
    if not os.path.exists(kept_file(name)):
        return []
    with open(kept_file(name), encoding="ascii") as f:
        return [line.rstrip("\n").encode("ascii").decode("unicode_escape").encode("latin-1") for line in f]


def write_kept(name, inputs):
    lines = sorted(i.decode("latin-1").encode("unicode_escape").decode("ascii") for i in inputs)
    os.makedirs(os.path.dirname(kept_file(name)), exist_ok=True)
    with open(kept_file(name), "w", encoding="ascii") as f:
        f.writelines(line + "\n" for line in lines)


def unpack(inputs, folder):
    for i, data in enumerate(inputs):
        with open(os.path.join(folder, str(i)), "wb") as f:
            f.write(data)


def contents(paths):
    for path in paths:
        with open(path, "rb") as f:
            yield f.read()


def libfuzzer(program, *words):
    return subprocess.run([program, "-verbosity=0", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)


def keep(program, name, folders):
    with tempfile.TemporaryDirectory() as least:
        done = libfuzzer(program, "-merge=1", "-use_counters=0", least, *folders)
        if done.returncode == 0:
            write_kept(name, contents(entry.path for entry in os.scandir(least)))
        return done


def fuzz(program, options):
    """(the fuzzer's name, how many inputs it started from, how it ended)"""
    name, found = os.path.basename(program), os.path.join(WORK, "found", os.path.basename(program))
    os.makedirs(found, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        inputs = [*kept(name), *contents(glob.glob(REAL.get(name, "")))]
        unpack(inputs, folder)
        done = libfuzzer(program, f"-max_total_time={options.seconds}", "-timeout=25", f"-print_final_stats={int(options.stats)}",
                         f"-artifact_prefix={WORK}/{name}-", found, folder)
        if done.returncode == 0 and options.keep:
            done = keep(program, name, [folder, found])
    return name, len(inputs), done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, metavar="N", help="for each (10)")
    parser.add_argument("-j", type=int, default=os.cpu_count(), metavar="N", help="so many at the same time (one a CPU)")
    parser.add_argument("--stats", action="store_true", help="print what libFuzzer counted")
    parser.add_argument("--keep", action="store_true", help="keep what was found")
    parser.add_argument("fuzzers", nargs="+", metavar="FUZZER")
    options = parser.parse_args()
    if options.seconds < 1 or options.j < 1:
        parser.error("--seconds and -j: at least 1")
    programs = [os.path.abspath(p) for p in options.fuzzers]
    os.chdir(TOP)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        for name, started_from, done in pool.map(lambda p: fuzz(p, options), programs):
            print(f"== {name}: {options.seconds} s from {started_from} inputs", flush=True)
            if done.returncode or options.stats:
                print(done.stdout[-20000:], flush=True)
            failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
