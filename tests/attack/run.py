#!/usr/bin/python3
"""Run hostile programs in the sandbox; each must end as its first line says, and leave the host unharmed.

    run.py [--bin build/bin/sandbox] [-j N] [--native] [--brief] [--layer LAYER] [--list | --build] [NAME...]

NAME is a group (escape), a file's name with or without its ending (fork_bomb), or one case of it (forbidden:ptrace).
Exit status: 0 if all passed, 1 if any failed, 2 for wrong usage.
"""

import argparse
import collections
import glob
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from host import Host, Terminal, read

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILT = os.path.join(TOP, "build/attack")
# The folders; what they have in common stands in README.md.
GROUPS = ("escape", "host", "theft", "leftovers", "starvation", "measure", "compile", "judge")
LANGUAGES = {".c": "C", ".cpp": "C++", ".S": "assembly", ".py": "Python", ".java": "Java", ".js": "JavaScript", ".go": "Go", ".rs": "Rust"}
STATUSES = {
    "exited", "signaled", "cpu_time_limit", "wall_time_limit", "memory_limit", "output_limit", "forbidden_syscall",
    "sandbox_error",
}
KEYS = {
    "expect", "each", "policy", "time", "wall", "memory", "processes", "output", "box", "net", "mode", "rounds", "beside",
    "copyout", "mount", "stdin", "leak", "terminal", "layer",
}
JAVA = ["/usr/bin/java", "-Xmx128m", "-XX:MaxDirectMemorySize=2g", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", "classes"]
COMPILE = {
    ".c": ["/usr/bin/gcc", "-x", "c", "-std=gnu17", "-O2", "-o", "program"],
    ".cpp": ["/usr/bin/g++", "-x", "c++", "-std=gnu++17", "-O2", "-o", "program"],
    ".S": ["/usr/bin/gcc", "-o", "program"],
    ".rs": ["/usr/bin/rustc", "-C", "linker=/usr/bin/gcc", "-o", "program"],
    ".go": ["/usr/bin/go", "build", "-o", "program"],
}
NATIVE = {
    ".c": ["/usr/bin/gcc", "-std=gnu17", "-D_GNU_SOURCE"],
    ".cpp": ["/usr/bin/g++", "-std=gnu++17"],
    ".S": ["/usr/bin/gcc", "-no-pie"],
}
COMPILE_ENV = {"GO111MODULE": "off", "GOCACHE": "/tmp/gocache", "GOPATH": "/tmp/gopath"}


class Failed(Exception):
    """An attack that did not end as it should; the text says what did."""


class Attack:
    """One case: a file, the keys of its first line, and the word of `each` that it runs with."""

    def __init__(self, path, keys, why, word):
        self.path, self.word, self.why = path, word, why
        self.group, base = os.path.relpath(path, HERE).split("/")
        self.stem, self.ending = os.path.splitext(base)
        self.name = f"{self.group}/{base}" + (":" + word if word else "")
        self.keys = {key: value.replace("{}", word) for key, value in keys.items()}
        self.expect = self.keys["expect"].split("|")
        self.layers = set(re.split("[,+]", keys["layer"]))
        self.compiling = self.group == "compile"
        self.seconds = float(self.keys.get("time", "1s")[:-1])
        # Far beyond the CPU limit, so that a busy machine does not turn the one into the other.
        self.wall = float(self.keys.get("wall", f"{10 * self.seconds + 10}s")[:-1])

    def matches(self, names):
        mine = {self.group, self.name, self.name.partition(":")[0], self.stem, f"{self.group}/{self.stem}", f"{self.stem}:{self.word}"}
        return not names or bool(mine & set(names))

    def native(self):
        """Whether it needs neither an interpreter nor a compiler in its cell."""
        return not self.compiling and self.ending in NATIVE


def known_layers():
    with open(os.path.join(HERE, "layers.txt")) as f:
        return {line.split("|")[0].strip() for line in f if "|" in line and line[0] != "#"}


def attacks_of(path, layers):
    with open(path) as f:
        line = f.readline().strip()
    found = re.fullmatch(r"(?:/\*|//|#) attack: (.*?) why=(.+?)(?: \*/)?", line)
    if not found:
        raise ValueError(f"{path}:1: expected a comment 'attack: expect=STATUS layer=NAME [KEY=VALUE]... why=TEXT'")
    keys = dict(word.split("=", 1) for word in found[1].split())
    if set(keys) - KEYS or not {"expect", "layer"} <= set(keys):
        raise ValueError(f"{path}:1: unknown key, or no expect= or layer=: {sorted(set(keys) - KEYS)}")
    for expected in keys["expect"].split("|"):
        if expected.split(":")[0] not in STATUSES:
            raise ValueError(f"{path}:1: no status of a report: {expected}")
    attacks = [Attack(path, keys, found[2], word) for word in keys.get("each", "").split(",")]
    if unknown := attacks[0].layers - layers:
        raise ValueError(f"{path}:1: not in layers.txt: {', '.join(sorted(unknown))}")
    return attacks


def all_attacks():
    """Every case, in the order of the groups.  Files are known by their stems, so no two may share one."""
    layers, stems, attacks = known_layers(), {}, []
    for path in [p for group in GROUPS for p in sorted(glob.glob(os.path.join(HERE, group, "*.*")))]:
        attacks += attacks_of(path, layers)
        if (other := stems.setdefault(attacks[-1].stem, path)) != path:
            raise ValueError(f"{path} and {other}: the same name")
    return attacks


# ---- one attack, in a process of its own


def newer(path, others):
    try:
        return all(os.stat(path).st_mtime_ns > os.stat(other).st_mtime_ns for other in others)
    except FileNotFoundError:
        return False


def compiled(source):
    """The program made of a native attack; it is kept, and made anew when what it was made of has changed."""
    stem, ending = os.path.splitext(os.path.basename(source))
    program = os.path.join(BUILT, stem)
    if not newer(program, [source, os.path.join(HERE, "attack.h"), __file__]):
        os.makedirs(BUILT, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILT) as folder:
            made = os.path.join(folder, stem)
            subprocess.run(NATIVE[ending] + ["-O1", "-pthread", "-I", HERE, "-o", made, source], check=True)
            os.replace(made, program)
    return program


def build(attack, host):
    """What goes into the box, and the command that starts it there."""
    source, folder = attack.path, os.path.join(host.work, "build")
    stem, ending, base = attack.stem, attack.ending, attack.stem + attack.ending
    if attack.compiling:
        define = [f'-DCANARY_PATH="{host.canaries[0]}"'] if ending in (".c", ".S") else []
        return [source + ":" + base], COMPILE[ending] + define + [base]
    if ending == ".py":
        return [source + ":" + base], ["/usr/bin/python3", base]
    if ending == ".js":
        return [source + ":" + base], ["/usr/bin/node", base]
    if ending == ".java":
        subprocess.run(["/usr/bin/javac", "-J-XX:-UsePerfData", "-d", folder, source], check=True)
        return [folder + ":classes"], JAVA + [stem]
    return [compiled(source) + ":" + stem], ["./" + stem]


def leave_signals_odd():
    for ignored in (signal.SIGPIPE, signal.SIGINT, signal.SIGUSR1, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH})


def start(attack, host, sandbox, turn, copy_in, command, terminal):
    """A started sandbox, with the files that it writes."""
    keys, files = attack.keys, {}
    for kind in ("stdout", "stderr", "report"):
        files[kind] = os.path.join(host.work, f"{kind}{turn}")
    options = ["--time", f"{attack.seconds}s", "--wall", f"{attack.wall}s", "--memory", keys.get("memory", "64M")]
    options += ["--processes", keys.get("processes", "32" if attack.compiling else "4")]
    options += ["--output", keys.get("output", "1M"), "--box-size", keys.get("box", "64M")]
    options += ["--policy", keys.get("policy", "compiler" if attack.compiling else "native")]
    options += ["--net", keys.get("net", "none")]
    for kind, path in files.items():
        options += ["--" + kind, path]
    for item in copy_in:
        options += ["--copy-in", item]
    if "copyout" in keys:
        options += ["--copy-out", f"{keys['copyout']}:{host.work}/out/{turn}"]
    if "mount" in keys:
        options += ["--mount", f"{host.work}/{keys['mount']}:/data"]
    if "stdin" in keys:
        options += ["--stdin", host.input]
    environment = host.environment(turn)
    if attack.compiling:
        environment = {k: environment[k] for k in ("PATH", "HOME", "LC_ALL")} | COMPILE_ENV
    for name, value in environment.items():
        options += ["--env", f"{name}={value}"]
    leak = [os.open(host.canaries[0], os.O_RDWR)] if "leak" in keys else []
    log = open(os.path.join(host.work, f"log{turn}"), "w")
    process = subprocess.Popen(
        [sandbox, "run"] + options + ["--"] + command + ([attack.word] if attack.word else []),
        stdin=terminal.slave if terminal else subprocess.DEVNULL,
        stdout=terminal.slave if terminal else log,
        stderr=log,
        cwd=os.path.join(host.work, "cwd"),
        env=dict(os.environ, SECRET_OF_THE_HOST=host.secret),
        pass_fds=leak,
        preexec_fn=terminal.become_controlling if terminal else leave_signals_odd if leak else None,
    )
    for fd in leak:
        os.close(fd)
    log.close()
    files["log"] = log.name
    return process, files


def wait(attack, process):
    try:
        return process.wait(timeout=attack.wall + 30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise Failed("the sandbox did not come to an end") from None


def described(report):
    """A report's outcome as the first line of an attack writes it."""
    detail = {"exited": "exit_code", "signaled": "signal", "forbidden_syscall": "syscall"}.get(report["status"])
    return f"{report['status']}:{report[detail]}" if detail else report["status"]


def judge(attack, host, code, files):
    """Raise Failed unless the outcome is one that was expected."""
    text = {kind: read(path)[-100000:] for kind, path in files.items()}
    said = [line for line in text["stdout"].splitlines() if line.startswith(("ESCAPED", "BROKEN"))]
    log = " | ".join(text["log"].splitlines()[-3:])
    if said:
        raise Failed(said[0])
    for kind in text:
        if host.secret in text[kind]:
            raise Failed(f"the host's secret is in {kind}")
    shadow = read("/etc/shadow").partition("\n")[0]
    if shadow and shadow in text["stdout"] + text["stderr"]:
        raise Failed("/etc/shadow was read")
    try:
        report = json.loads(text["report"])
        got = described(report)
    except (ValueError, KeyError) as e:
        raise Failed(f"no usable report ({e!r}), exit status {code}: {log}") from None
    if got not in attack.expect and got.split(":")[0] not in attack.expect:
        last = " | ".join((text["stdout"] + text["stderr"]).splitlines()[-3:])[-300:]
        raise Failed(f"{got} {report.get('message') or ''}; expected {'|'.join(attack.expect)}. {last} {log}")
    if got == "exited:0" and not attack.compiling and "held" not in text["stdout"].splitlines():
        raise Failed("ended without having said that it was held")
    status = report["status"]
    shown = {"exited": report.get("exit_code"), "signaled": 128 + (report.get("signal") or 0), "sandbox_error": 125}
    not_copied = "copyout" in attack.keys and code == 125  # the program did as reported, the copy was refused
    if code != shown.get(status, 124) and status != "forbidden_syscall" and not not_copied:
        raise Failed(f"{got}, but the sandbox's own exit status is {code}")
    return got


def attempt(attack, host, sandbox):
    """Carry the attack out; what happened, or Failed."""
    copy_in, command = build(attack, host)
    terminal = Terminal() if "terminal" in attack.keys else None
    rounds, beside = int(attack.keys.get("rounds", 1)), int(attack.keys.get("beside", 1))
    turns = [[turn] for turn in range(1, rounds + 1)] if beside == 1 else [list(range(1, beside + 1))]
    got = ""
    for together in turns:
        running = [start(attack, host, sandbox, turn, copy_in, command, terminal) for turn in together]
        codes = [wait(attack, process) for process, _ in running]
        for code, (_, files) in zip(codes, running):
            got = judge(attack, host, code, files)
    if terminal:
        typed = terminal.typed()
        terminal.close()
        if typed:
            raise Failed(f"typed into the terminal: {typed!r}")
    return got


def stopped(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # putting the traps away must not be stopped
    sys.exit(1)


def run_one(attack, sandbox):
    """0 and the outcome on stdout if the attack was held and the host is as it was; 1 and the reasons if not."""
    signal.signal(signal.SIGTERM, stopped)
    host = Host([sandbox, HERE, BUILT])
    reasons, got = [], ""
    try:
        try:
            got = attempt(attack, host, sandbox)
        except Failed as e:
            reasons.append(str(e))
        except subprocess.CalledProcessError as e:
            reasons.append(f"does not compile: {e}")
        try:
            reasons += host.changed()
        except OSError as e:
            reasons.append(f"the host cannot be looked at any more: {e}")
    finally:
        host.close()
    print("; ".join(reasons) or got)
    return 1 if reasons else 0


# ---- all of them


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
            status = run_one(self.attack, sandbox)
        except SystemExit:
            pass
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)

    def outcome(self):
        """(passed, what happened) once it has ended; one that does not end is stopped."""
        late = time.monotonic() > self.ends
        if late:
            os.kill(self.pid, signal.SIGTERM)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self.said.seek(0)
        lines = self.said.read().decode(errors="replace").strip().splitlines() or ["run.py itself died"]
        self.said.close()
        return (False, "run.py itself did not come to an end") if late else (status == 0, lines[-1])


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


def show(attacks):
    """The table of the suite: one line for each file, then how many there are; cases of `each` count once."""
    files = list({attack.path: attack for attack in attacks}.values())
    for attack in files:
        print(f"{attack.name.partition(':')[0]:36} {attack.keys['layer']:28} {attack.why}")
    for title, key in (("group", lambda a: a.group), ("language", lambda a: LANGUAGES[a.ending])):
        counts = collections.Counter(map(key, files))
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in counts.most_common()))
    print(f"{len(files)} attacks, {len(attacks)} cases")


def main():
    options = argparse.ArgumentParser(description="Run hostile programs in the sandbox.")
    options.add_argument("--bin", default=os.path.join(TOP, "build/bin/sandbox"), help="the sandbox program")
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
    if given.list:
        show(chosen)
        return 0
    if given.build:
        for source in sorted({attack.path for attack in chosen if attack.native()}):
            compiled(source)
        return 0
    sandbox = os.path.abspath(given.bin)
    if not os.access(sandbox, os.X_OK):
        options.error(f"--bin: {sandbox} is not a program; 'make' builds it")
    failed = 0
    signal.signal(signal.SIGTERM, stopped)
    for attack, passed, what in run_all(chosen, sandbox, given.j):
        failed += not passed
        print(f"{'ok  ' if passed else 'FAIL'} {attack.name:42} {what}", flush=True)
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
