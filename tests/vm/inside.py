#!/usr/bin/python3
"""Runs tests in the machine of vm.py, after a look at whether it is the one meant, and before one at what they have left.

    inside.py [--user] SUITE[:NAME]...        as tests/run.py, which does the work

With --user, as the plain user of tests/plain_user.py.
"""
import contextlib
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
from plain_user import PlainUser  # noqa: E402
CGROUPS = "/sys/fs/cgroup"
COUNTS = re.compile(r"\d+ passed, \d+ failed")


def mounts():
    """(where, type) of each."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        return sorted((line.split()[4], line.partition(" - ")[2].split()[0]) for line in f)


def processes():
    """Names of all that have a program; the kernel's own threads have none."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                found[int(pid)] = f.read().replace(b"\0", b" ").decode(errors="replace").strip()
        except OSError:
            pass
    return {pid: line for pid, line in found.items() if line}


def cgroups():
    return {os.path.relpath(folder, CGROUPS) for folder, _, _ in os.walk(CGROUPS)}


def all_there():
    return {"mount": set(mounts()), "process": set(processes().items()), "cgroup": cgroups(),
            "file": {os.path.join(d, name) for d in ("/tmp", "/var/tmp", "/run", "/dev/shm") for name in os.listdir(d)}}


def wrong_machine():
    """What is not as it must be, or None."""
    if any(kind == "cgroup" for _, kind in mounts()):
        return "a hierarchy of cgroup v1 is mounted"
    with open(f"{CGROUPS}/cgroup.controllers", encoding="utf-8") as f:
        missing = {"cpu", "cpuset", "memory", "pids"} - set(f.read().split())
    return f"controllers are missing: {' '.join(sorted(missing))}" if missing else None


def main():
    os.chdir(TOP)
    if wrong := wrong_machine():
        print(f"not the machine for these tests: {wrong}")
        return 1
    user = sys.argv[1:2] == ["--user"]
    suites = sys.argv[2:] if user else sys.argv[1:]
    who = f"{'a plain user' if user else 'root'}: {' '.join(suites)}"
    print(f"Linux {os.uname().release}, cgroup v2 only, {os.cpu_count()} CPU, {who}", flush=True)
    before = all_there()
    with PlainUser() if user else contextlib.nullcontext() as plain:
        command = ["/usr/bin/python3", "tests/run.py", "--limit", "3600", *suites]
        tests = (plain.start if user else subprocess.Popen)(command, stdout=subprocess.PIPE, text=True)
        last = ""
        for line in tests.stdout:
            print(last, end="")
            last = line if COUNTS.match(line) else ""
            print("" if last else line, end="", flush=True)
        status = tests.wait()
        left = [f"cgroup left by the user: {path}" for path in plain.left()] if user else []
    after = all_there()
    left += [f"{what} left: {thing}" for what in before for thing in sorted(after[what] - before[what])]
    print("\n".join(left) if left else "nothing left: no mount, process, cgroup or file")
    print(f"{who}: {last}", end="")
    return 1 if left else status


if __name__ == "__main__":
    sys.exit(main())
