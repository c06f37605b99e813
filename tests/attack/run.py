#!/usr/bin/python3
"""Run hostile programs in the sandbox; each must end as its first line says, and leave the host unharmed.

    run.py [--bin build/bin/sandbox] [-j N] [--native] [--brief] [--layer LAYER] [--list | --build] [NAME...]

NAME is a group (escape), a file's name with or without its ending (fork_bomb), or one case of it (forbidden:ptrace).
Exit status: 0 if all passed, 1 if any failed, 2 for wrong usage.
"""

import argparse
import os
import select
import signal
import sys
import tempfile
import time
import traceback

import trial
from corpus import all_attacks, known_layers, named_but_gone, show


class Apart:
    """The same in a forked process of its own, so that what is left behind can be told apart."""

    def __init__(self, attack, sandbox):
        self.attack, self.said = attack, tempfile.TemporaryFile()
        self.ends = time.monotonic() + 3 * attack.wall + 120
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self.child(sandbox)
        self.pidfd = os.pidfd_open(self.pid)

    def child(self, sandbox):
        status = 1
        try:
            os.dup2(self.said.fileno(), 1)
            os.dup2(self.said.fileno(), 2)
            status = trial.run(self.attack, sandbox)
        except SystemExit:
            pass
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)

    def outcome(self):
        """(passed, or None if it could not be tried, and what happened) once it has ended; one that does not end is stopped."""
        late = time.monotonic() > self.ends
        if late:
            os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines() or ["run.py itself died"]
        self.said.close()
        if late:
            return False, "run.py itself did not come to an end"
        return {0: True, 2 << 8: None}.get(status, False), lines[-1]


def run_all(chosen, sandbox, together):
    """(attack, passed, what happened) of each, in order."""
    waiting, running, outcomes = list(reversed(chosen)), [], {}
    try:
        for attack in chosen:
            while attack not in outcomes:
                while waiting and len(running) < together:
                    running.append(Apart(waiting.pop(), sandbox))
                patience = max(0, min(one.ends for one in running) - time.monotonic())
                ready, _, _ = select.select([one.pidfd for one in running], [], [], patience)
                for one in [one for one in running if one.pidfd in ready or time.monotonic() > one.ends]:
                    running.remove(one)
                    outcomes[one.attack] = one.outcome()
            yield attack, *outcomes[attack]
    finally:
        for one in running:
            os.kill(one.pid, signal.SIGTERM)
            one.outcome()


def main():
    options = argparse.ArgumentParser(description="Run hostile programs in the sandbox.")
    options.add_argument("--bin", default=os.path.join(trial.TOP, "build/bin/sandbox"), help="the sandbox program")
    options.add_argument("-j", type=int, default=2, metavar="N", help="attacks at the same time (2)")
    options.add_argument("--list", action="store_true", help="print the attacks, what stops them, and how many there are")
    options.add_argument("--layer", metavar="LAYER", help="only those that this layer stops, by its name in layers.txt")
    options.add_argument("--native", action="store_true", help="only programs in machine code")
    options.add_argument("--brief", action="store_true", help="of a file with many cases only the first")
    options.add_argument("--build", action="store_true", help="only compile these into build/attack, for a later run")
    options.add_argument("names", nargs="*", metavar="NAME")
    given = options.parse_args()
    try:
        chosen = [attack for attack in all_attacks() if attack.matches(given.names)]
        chosen = [attack for attack in chosen if attack.native() or not given.native]
        if given.layer and given.layer not in known_layers():
            options.error(f"--layer: no {given.layer} in layers.txt")
        chosen = [attack for attack in chosen if not given.layer or given.layer in attack.layers]
        if given.brief:
            chosen = list({attack.path: attack for attack in reversed(chosen)}.values())[::-1]
    except ValueError as e:
        options.error(str(e))
    if not chosen:
        options.error(f"no attack is called {' '.join(given.names) or given.layer}")
    if gone := [] if given.names else named_but_gone():
        options.error(f"sandbox/README.md names attacks that are gone: {', '.join(gone)}")
    if given.list:
        show(chosen)
        return 0
    if given.build:
        for source in sorted({attack.path for attack in chosen if attack.native()}):
            trial.compiled(source)
        return 0
    sandbox = os.path.abspath(given.bin)
    if not os.access(sandbox, os.X_OK):
        options.error(f"--bin: {sandbox} is not a program; 'make' builds it")
    signal.signal(signal.SIGTERM, trial.stopped)
    words, counts = {True: "ok  ", False: "FAIL", None: "skip"}, {True: 0, False: 0, None: 0}
    for attack, passed, what in run_all(chosen, sandbox, given.j):
        counts[passed] += 1
        print(f"{words[passed]} {attack.name:42} {what}", flush=True)
    print(f"{counts[True]} passed, {counts[False]} failed" + (f", {counts[None]} skipped" if counts[None] else ""))
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
