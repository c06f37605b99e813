"""One attack, tried in a process of its own: against `sandbox run`, a warm cell of a sandboxd, or a sandboxd itself."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unicodedata

import peer
from corpus import HERE
from host import Host, Terminal, read

TOP = peer.TOP
BUILT = os.path.join(TOP, "build/attack")
JAVA = ["/usr/bin/java", "-Xmx128m", "-XX:MaxDirectMemorySize=2g", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-cp", "classes"]
COMPILE = {
    ".c": ["/usr/bin/gcc", "-x", "c", "-std=gnu17", "-O2", "-o", "program"],
    ".cpp": ["/usr/bin/g++", "-x", "c++", "-std=gnu++17", "-O2", "-o", "program"],
    ".S": ["/usr/bin/gcc", "-o", "program"],
    ".rs": ["/usr/bin/rustc", "-C", "linker=/usr/bin/gcc", "-o", "program"],
    ".go": ["/usr/bin/go", "build", "-o", "program"],
}
INCLUDE = ["-I", HERE]
NATIVE = {
    ".c": ["/usr/bin/gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-pthread", *INCLUDE],
    ".cpp": ["/usr/bin/g++", "-std=gnu++17", "-O1", "-pthread", *INCLUDE],
    ".S": ["/usr/bin/gcc", "-no-pie", *INCLUDE],
    ".rs": ["/usr/bin/rustc", "-O"],
    ".go": ["/usr/bin/go", "build"],
}
GO_ENV = {"GO111MODULE": "off", "GOPATH": "/tmp/gopath", "GOTELEMETRY": "off"}
COMPILE_ENV = GO_ENV | {"GOCACHE": "/tmp/gocache"}
UNITS = {"K": 10, "M": 20, "G": 30}
MAY_HAVE_CELLS = os.getuid() == 0 or "GAVEL_ROOTLESS" in os.environ
SLACK = 1 << 20  # the kernel charges in batches, for each CPU


class Failed(Exception):
    """An attack that did not end as it should; the text says what did."""


def size(text):
    return int(text[:-1]) << UNITS[text[-1]] if text[-1] in UNITS else int(text)


# ---- what is run


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
            environment = dict(os.environ, GOCACHE=os.path.join(BUILT, "go"), **GO_ENV)
            subprocess.run(NATIVE[ending] + ["-o", made, source], check=True, cwd=folder, env=environment)
            os.replace(made, program)
    return program


def build(attack, host):
    """What goes into the box, and the command that starts it there."""
    source, folder = attack.path, os.path.join(host.work, "build")
    stem, ending, base = attack.stem, attack.ending, attack.base
    if attack.compiling and ending in COMPILE:
        define = [f'-DCANARY_PATH="{host.canaries[0]}"'] if ending in (".c", ".cpp", ".S") else []
        return [source + ":" + base], COMPILE[ending] + define + [base]
    if ending == ".py":
        return [source + ":" + base], ["/usr/bin/python3", base]
    if ending == ".js":
        return [source + ":" + base], ["/usr/bin/node", base]
    if ending == ".java":
        subprocess.run(["/usr/bin/javac", "-J-XX:-UsePerfData", "-d", folder, source], check=True)
        return [folder + ":classes"], JAVA + [stem]
    return [compiled(source) + ":" + stem], ["./" + stem]


# ---- a run of `sandbox run`


def leave_signals_odd():
    for ignored in (signal.SIGPIPE, signal.SIGINT, signal.SIGUSR1, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTSTP, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH})


def network_options(attack, host, turn):
    if not attack.bridged:
        return ["--net", attack.keys.get("net", "none")]
    groups = attack.keys.get("groups", "").split(",")
    group = groups[(turn - 1) % len(groups)]
    return ["--net", f"bridge:{host.network}", "--rules", host.rules] + (["--net-group", group] if group else [])


def start(attack, host, sandbox, turn, copy_in, command, terminal):
    """A started sandbox, with the files that it writes."""
    keys, files = attack.keys, {}
    for kind in ("stdout", "stderr", "report"):
        files[kind] = os.path.join(host.work, f"{kind}{turn}")
    options = ["--time", f"{attack.seconds}s", "--wall", f"{attack.wall}s", "--memory", keys.get("memory", "64M")]
    options += ["--processes", keys.get("processes", "32" if attack.compiling else "4")]
    options += ["--output", keys.get("output", "1M"), "--box-size", keys.get("box", "64M")]
    options += ["--cpus", keys["cpus"]] if "cpus" in keys else []
    options += ["--policy", keys.get("policy", "compiler" if attack.compiling else "native")]
    options += network_options(attack, host, turn)
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
        environment = {k: environment[k] for k in ("PATH", "HOME", "LC_ALL", "CANARY")} | COMPILE_ENV
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


def check_exit_status(attack, code, report):
    status = report["status"]
    shown = {"exited": report.get("exit_code"), "signaled": 128 + (report.get("signal") or 0), "sandbox_error": 125}
    not_copied = "copyout" in attack.keys and code == 125  # the program did as reported, the copy was refused
    if code != shown.get(status, 124) and status != "forbidden_syscall" and not not_copied:
        raise Failed(f"{described(report)}, but the sandbox's own exit status is {code}")


def in_sandboxes(attack, host, sandbox, turns):
    """All turns at the same time, each in a sandbox of its own; what the last one came to."""
    copy_in, command = build(attack, host)
    terminal = Terminal() if "terminal" in attack.keys else None
    running = [start(attack, host, sandbox, turn, copy_in, command, terminal) for turn in turns]
    codes = [wait(attack, process) for process, _ in running]
    for code, (_, files) in zip(codes, running):
        text = {kind: read(path)[-100000:] for kind, path in files.items()}
        try:
            report = json.loads(text["report"])
        except ValueError as e:
            raise Failed(f"no usable report ({e!r}), exit status {code}: {last(text['log'])}") from None
        got = judge(attack, host, text, report)
        check_exit_status(attack, code, report)
    if terminal:
        typed = terminal.typed()
        terminal.close()
        if typed:
            raise Failed(f"typed into the terminal: {typed!r}")
    return got


# ---- what came of it


def last(text):
    return " | ".join(text.splitlines()[-3:])[-300:]


def described(report):
    """A report's outcome as the first line of an attack writes it."""
    detail = {"exited": "exit_code", "signaled": "signal", "forbidden_syscall": "syscall"}.get(report["status"])
    return f"{report['status']}:{report[detail]}" if detail else report["status"]


def check_usage(attack, report):
    """No run has more than its limits, and what it had is in the report."""
    most = size(attack.keys.get("memory", "64M"))
    peak = report["memory_peak_bytes"]
    if peak > most + SLACK:
        raise Failed(f"used {peak} bytes of {most}")
    if peak < size(attack.keys.get("peak", "0")):
        raise Failed(f"{peak} bytes were counted of {attack.keys['peak']}")
    if report["processes_peak"] > int(attack.keys.get("processes", "32" if attack.compiling else "4")):
        raise Failed(f"had {report['processes_peak']} processes")


def check_later(attack, report, turn):
    """What an earlier run had is not counted in the report of a later one."""
    most = size(attack.keys.get("later", attack.keys.get("memory", "64M")))
    if turn > 1 and report["memory_peak_bytes"] > most + SLACK:
        raise Failed(f"used {report['memory_peak_bytes']} bytes of {most}, counting the run before")


def judge(attack, host, text, report):
    """Raise Failed unless the outcome is one that was expected."""
    said = [line for line in text["stdout"].splitlines() if line.startswith(("ESCAPED", "BROKEN"))]
    if said:
        raise Failed(said[0])
    for kind in text:
        if host.secret in text[kind]:
            raise Failed(f"the host's secret is in {kind}")
    shadow = read("/etc/shadow").partition("\n")[0]
    if shadow and shadow in text["stdout"] + text["stderr"]:
        raise Failed("/etc/shadow was read")
    got = described(report)
    if got not in attack.expect and got.split(":")[0] not in attack.expect:
        raise Failed(f"{got} {report.get('message') or ''}; expected {'|'.join(attack.expect)}. "
                     f"{last(text['stdout'] + text['stderr'])} {last(text.get('log', ''))}")
    if got == "exited:0" and not attack.compiling and "held" not in text["stdout"].splitlines():
        raise Failed("ended without having said that it was held")
    check_usage(attack, report)
    return got


# ---- sandboxd


def daemon_of(sandbox):
    return os.path.join(os.path.dirname(sandbox), "sandboxd")


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def in_one_cell(attack, host, sandbox):
    """One run after the other in the same warm cell: what the second one came to."""
    server = peer.Sandboxd(daemon_of(sandbox), os.path.join(host.work, "run"))
    copy_in, command = build(attack, host)
    try:
        with peer.Client(server.program) as client:
            files = dict(reversed(item.rsplit(":", 1)) for item in copy_in)
            place = {"network": attack.keys.get("net", "none")}  # fixed by the first request
            kept = client.put({name: read_bytes(path) for name, path in files.items()}, **place)
            kept = kept if kept["error"] else client.ask(peer.KEEP)
            if kept["error"]:
                raise Failed(f"not kept: {kept['error']}")
            argv = ["/program/" + word.removeprefix("./") if word.removeprefix("./") in files else word for word in command]
            stdin = peer.memfd(b"input of the attack\n")
            for turn in range(1, int(attack.keys["rounds"]) + 1):
                fields = {
                    "policy": attack.keys.get("policy", "native"),
                    "env": [f"{name}={value}" for name, value in host.environment(turn).items()],
                    "cpu_time_us": attack.seconds * 1000000, "wall_time_us": attack.wall * 1000000,
                    "memory_bytes": size(attack.keys.get("memory", "64M")), "processes": int(attack.keys.get("processes", "4")),
                    "box_bytes": size(attack.keys.get("box", "64M")),
                }
                report = client.run(argv + ([attack.word] if attack.word else []), stdin, **place, **fields)
                if report["error"]:
                    raise Failed(f"refused: {report['error']}")
                got = judge(attack, host, {kind: report[kind] for kind in ("stdout", "stderr")}, report)
                check_later(attack, report, turn)
    finally:
        wrong = server.close()
    if wrong:
        raise Failed(wrong)
    return got


PACKAGE = {
    "problem.yaml": "name: Attacked\nlimits: {memory: 128}\n", ".timelimit": "2\n",
    "data/secret/1.in": "1 2\n", "data/secret/1.ans": "3\n",
}
GOOD = "print(sum(map(int, input().split())))\n"


def in_a_judging(attack, host, sandbox):
    """A submission, or with feedback=1 a validator, in a judging from end to end: its verdict must be what `verdict` says."""
    files, text = dict(PACKAGE), read(attack.path).replace("@CANARY@", host.canaries[0])
    if "feedback" in attack.keys:
        files["problem.yaml"] += "validation: custom\n"
        files["output_validators/validate/validate" + attack.ending] = text
        files[f"submissions/{attack.keys['verdict']}/good.py"] = GOOD
    else:
        files[f"submissions/{attack.keys['verdict']}/{attack.base}"] = text
    for name, content in files.items():
        path = os.path.join(host.work, "package", name)
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with open(path, "w") as f:
            f.write(content)
    command = [os.path.join(os.path.dirname(sandbox), "judge"), "verify", "--jobs", "1", os.path.join(host.work, "package")]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=attack.wall + 120)
    said = {"stdout": made.stdout.decode(), "stderr": made.stderr.decode()}
    if steers := [c for c in said["stdout"] + said["stderr"] if unicodedata.category(c) in ("Cc", "Cf", "Zl") and c not in "\n\t"]:
        raise Failed(f"the terminal was sent {steers!r}")
    report = {"status": "exited", "exit_code": made.returncode, "memory_peak_bytes": 0, "processes_peak": 1}
    return judge(attack, host, said | {"stdout": said["stdout"] + "\nheld\n"}, report)


def settled(look, patience_s=10):
    until = time.monotonic() + patience_s
    while not look():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def on_sandboxd(attack, host, sandbox):
    """The attack is a client, which runs outside; afterwards an honest one must find the server as it was."""
    server = peer.Sandboxd(daemon_of(sandbox), os.path.join(host.work, "run"), int(attack.keys.get("cells", "1")))
    try:
        if wrong := peer.still_honest(server.program):
            raise Failed(f"even before: {wrong}")
        settled(lambda: server.tasks()[1] == server.cells + 1)
        before = server.tasks()
        environment = dict(os.environ, PYTHONPATH=HERE, PYTHONDONTWRITEBYTECODE="1", SOCKETS=server.folder,
                           SERVER_PID=str(server.process.pid), **host.environment(1))
        made = subprocess.run(["/usr/bin/python3", attack.path, *([attack.word] if attack.word else [])], env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=attack.wall + 120)
        report = {"status": "exited", "exit_code": made.returncode, "memory_peak_bytes": 0, "processes_peak": 1}
        got = judge(attack, host, {"stdout": made.stdout, "stderr": made.stderr}, report)
        for path in [server.program] * server.cells + [server.jury]:
            if wrong := peer.still_honest(path):
                raise Failed(wrong)
        if not settled(lambda: server.tasks() == before):
            raise Failed(f"sandboxd is not as it was: {before} {server.tasks()}")
    finally:
        wrong = server.close()
    if wrong:
        raise Failed(wrong)
    return got


# ---- all of it


def attempt(attack, host, sandbox):
    """Carry the attack out; what happened, or Failed."""
    if attack.group == "protocol":
        return on_sandboxd(attack, host, sandbox)
    if "verdict" in attack.keys:
        return in_a_judging(attack, host, sandbox)
    rounds = int(attack.keys.get("rounds", 1))
    if rounds > 1 and MAY_HAVE_CELLS:
        return in_one_cell(attack, host, sandbox)
    for turn in range(1, rounds + 1):
        got = in_sandboxes(attack, host, sandbox, list(range(turn, turn + int(attack.keys.get("beside", 1)))))
    return got


def skipped(attack):
    """Why this machine, or this user, cannot try it; or None."""
    if (attack.group == "protocol" or "verdict" in attack.keys) and not MAY_HAVE_CELLS:
        return "sandboxd needs root, or tests/plain_user.py"
    if "root" in attack.keys and os.getuid() != 0:
        return "only root can try it"
    if attack.bridged:
        sys.path.append(os.path.join(TOP, "tests/e2e"))
        from test_bridge import REASON  # asks the kernel, without Gavel

        return REASON or None
    return None


def stopped(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # putting the traps away must not be stopped
    sys.exit(1)


def run(attack, sandbox):
    """0 and the outcome on stdout if the attack was held and the host is as it was; 1 and the reasons if not; 2 and why it
    could not be tried."""
    signal.signal(signal.SIGTERM, stopped)
    if why := skipped(attack):
        print(why)
        return 2
    host = Host([sandbox, HERE, BUILT], attack.bridged)
    reasons, got = [], ""
    try:
        try:
            got = attempt(attack, host, sandbox)
        except (Failed, peer.Ended) as e:
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
