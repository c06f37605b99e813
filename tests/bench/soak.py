#!/usr/bin/python3
"""What only time shows (`make soak`, as root).

runs    100,000 runs through one sandboxd: memory, descriptors, processes, cgroups, mounts and time per run do not grow.  A run in
        ten leaves behind whatever a program can, one in a hundred is ended by its CPU limit; cells are wiped on the way.
kills   sandboxd is killed at 200 random points while judged has work: the next start removes what was left, judged is the
        same process all along, and every submission gets the verdict it should.
games   500 interactive games whose sides die, flood and stay silent, drawn at random: each ends with a right verdict.
fuzz    every fuzzer for a minute.

All of them by default; each alone, and with smaller numbers, by arguments.  Exits with 0 only if everything held.
"""
import argparse
import concurrent.futures
import fcntl
import os
import random
import re
import select
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, f"{ROOT}/tests/e2e")
import games  # noqa: E402
import gavel  # noqa: E402
from gavel import alive, descendants, pb, until  # noqa: E402

PATIENCE_S = 300
SEGMENT_S = 7200  # the longest that one part of the runs may take
INSTANCE = re.compile(r"gavel-[0-9a-f]{8}")


def read(path):
    try:
        with open(path, errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def say(text):
    print(text, flush=True)


# --- runs

COLUMNS = (  # name, format, and how much more than at first is still no growth: a factor and an amount
    ("memory MiB", "{:.1f}", 1.10, 1.0),
    ("processes", "{:.0f}", 1.0, 2),
    ("descriptors", "{:.0f}", 1.0, 4),
    ("cgroups", "{:.0f}", 1.0, 4),
    ("mounts", "{:.0f}", 1.0, 4),
    ("run p50 us", "{:.0f}", 2.0, 0),
)


def pss(pid):
    found = re.search(r"^Pss:\s+(\d+) kB", read(f"/proc/{pid}/smaps_rollup"), re.M)
    return int(found.group(1)) / 1024 if found else 0


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def cgroups(pids):
    """Folders of the instance that these processes belong to, in all hierarchies."""
    names = {name for pid in pids for name in INSTANCE.findall(read(f"/proc/{pid}/cgroup"))}
    return sum(1 for path, _, _ in os.walk("/sys/fs/cgroup") if names & set(path.split("/")))


def settled(master):
    """The processes of sandboxd once nothing is going on: the same ones for half a second."""
    ends, before = time.monotonic() + PATIENCE_S, None
    while time.monotonic() < ends:
        now = [master] + descendants(master)
        if now == before:
            return now
        before = now
        time.sleep(0.5)
    raise AssertionError("sandboxd did not come to rest")


def sample(master, p50):
    pids = settled(master)
    return (sum(map(pss, pids)), len(pids), sum(map(descriptors, pids)), cgroups(pids),
            sum(read(f"/proc/{pid}/mountinfo").count("\n") for pid in pids), p50)


class Clients:
    """As many as there are cells.  The first stays in its cell for all of its runs, so that what one cell gathers is seen too."""

    def __init__(self, o, socket):
        self.all = [subprocess.Popen(["build/release/bench_soak", socket, str(o.per_cell if i else 0)], cwd=ROOT, text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE) for i in range(o.clients)]

    def run(self, runs):
        """So many runs in all; returns the worst median and how many runs it came to."""
        each = max(100, runs // len(self.all))
        for c in self.all:
            c.stdin.write(f"{each}\n")
            c.stdin.flush()
        answers = [self.answer(c, SEGMENT_S) for c in self.all]
        return max(answers), each * len(self.all)

    @staticmethod
    def answer(client, patience_s):
        ready, _, _ = select.select([client.stdout], [], [], patience_s)
        line = client.stdout.readline() if ready else ""
        if not line:
            raise AssertionError("a client failed" if ready else f"a client was not done after {patience_s} s")
        return float(line)

    def stop(self):
        for c in self.all:
            c.stdin.close()
        for c in self.all:
            try:
                c.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                c.kill()
                c.wait()
            c.stdout.close()


def judge(samples):
    """Compares the means of the last quarter with those of the first; says what has grown."""
    quarter = max(1, len(samples) // 4)
    held = True
    for i, (name, form, factor, amount) in enumerate(COLUMNS):
        first = sum(s[i] for s in samples[:quarter]) / quarter
        last = sum(s[i] for s in samples[-quarter:]) / quarter
        bound = first * factor + amount
        good = last <= bound
        held &= good
        say(f"  {name:12} first {form.format(first):>8}  last {form.format(last):>8}  "
            f"at most {form.format(bound):>8}  {'ok' if good else 'GREW'}")
    return held


def soak_runs(o):
    say(f"runs: {o.runs} by {o.clients} clients; the first keeps its cell, the others take a new one every {o.per_cell} runs")
    samples, done, clients = [], 0, None
    with tempfile.TemporaryDirectory(prefix="gavel-soak-") as folder:
        daemon = gavel.Program(["build/bin/sandboxd", "--socket", f"{folder}/run", "--rules", "rules",
                                "--cells", str(o.clients), "--jury-cells", "1"], f"{folder}/log")
        try:
            daemon.wait_for("ready")
            clients = Clients(o, f"{folder}/run/program.sock")
            say("  " + f"{'runs':>8} " + " ".join(f"{name:>12}" for name, *_ in COLUMNS))
            for segment in range(o.segments):
                p50, ran = clients.run((o.runs - done) // (o.segments - segment))
                done += ran
                samples.append(sample(daemon.pid, p50))
                say("  " + f"{done:8} " + " ".join(f"{c[1].format(v):>12}" for c, v in zip(COLUMNS, samples[-1])))
        finally:
            if clients:
                clients.stop()
            below = descendants(daemon.pid)
            status = daemon.stop()
        until("the keepers to end", lambda: not any(map(alive, below)))
        if status != 0 or daemon.lines("cgroups_left") or daemon.lines("keeper_killed"):
            sys.stderr.write(read(f"{folder}/log")[-8000:])
            raise AssertionError(f"sandboxd ended with {status}, or its log says that something went wrong")
    return judge(samples)


# --- kills

SOLUTIONS = (("accepted/sum.c", "c", pb.ACCEPTED), ("wrong_answer/int32.c", "c", pb.WRONG_ANSWER),
             ("accepted/sum.py", "python3", pb.ACCEPTED), ("compile_error/semicolon.c", "c", pb.COMPILE_ERROR),
             ("run_time_error/null.c", "c", pb.RUN_TIME_ERROR), ("time_limit_exceeded/busy.c", "c", pb.TIME_LIMIT_EXCEEDED))


def unlocked():
    """Cgroup folders that belong to no living instance."""
    found = set()
    for path, folders, _ in os.walk("/sys/fs/cgroup"):
        for name in filter(INSTANCE.fullmatch, folders):
            try:
                fd = os.open(f"{path}/{name}", os.O_RDONLY | os.O_DIRECTORY)
            except OSError:
                continue
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.add(f"{path}/{name}")
            except OSError:
                pass
            finally:
                os.close(fd)
    return found


class Load:
    """Clients that submit, one submission after the other, and check every verdict."""

    def __init__(self, g, clients):
        self.g, self.going, self.finished, self.restarted, self.failures = g, True, 0, 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.client, args=(i,)) for i in range(clients)]
        for t in self.threads:
            t.start()

    def client(self, number):
        i = number
        while self.going and not self.failures:
            try:
                self.submit(number, i)
            except Exception as e:  # whatever it is, it is a failure of what is tested
                self.failures.append(f"submission {number}/{i}: {e!r}")
            i += 1

    def submit(self, number, i):
        path, language, verdict = SOLUTIONS[i % len(SOLUTIONS)]
        with open(f"{ROOT}/problems/aplusb/submissions/{path}", "rb") as f:
            content = f.read()
        name = os.path.basename(path)
        events = list(self.g.follow(self.g.submit("aplusb", language, name, content, request_id=f"{number}-{i}")))
        got = events[-1].verdict
        with self.lock:
            self.finished += 1
            self.restarted += any(e.kind == pb.Event.Kind.RESTARTED for e in events)
        if got != verdict:
            self.failures.append(f"{path}: {pb.Verdict.Name(got)}, expected {pb.Verdict.Name(verdict)}; {events[-1].message}")

    def check(self):
        if self.failures:
            raise AssertionError(self.failures[0])

    def stop(self):
        self.going = False
        for t in self.threads:
            t.join()
        self.check()


class Kills:
    """Kills sandboxd again and again; garbage is what dead instances have left so far."""

    def __init__(self, g, load, seed):
        self.g, self.load, self.rng = g, load, random.Random(seed)
        self.garbage, self.left, self.early, self.slowest = set(), 0, 0, 0.0

    def kill(self):
        """One life of sandboxd, one in four of them ended while it still starts."""
        start = self.rng.random() < 0.25
        delay = self.rng.uniform(0, 0.1) if start else self.rng.uniform(0, 1.5)
        if not start:
            self.await_ready()
        time.sleep(delay)
        self.early += not self.g.sandboxd.lines("ready")
        self.g.kill_sandboxd()
        self.garbage |= unlocked()
        self.g.start_sandboxd(ready=False)

    def await_ready(self):
        began = time.monotonic()
        self.g.sandboxd.wait_for("ready")
        self.slowest = max(self.slowest, time.monotonic() - began)
        still = self.garbage & unlocked()
        if still:
            raise AssertionError(f"left by a dead sandboxd and still there: {sorted(still)}")
        self.left += len(self.garbage)
        self.garbage = set()

    def progress(self):
        """judged carries on by itself: something is finished that was not before."""
        before = self.load.finished
        until("judged to carry on", lambda: self.load.failures or self.load.finished > before)
        self.load.check()


def mounts():
    return read("/proc/self/mountinfo").count("\n")


def soak_kills(o):
    say(f"kills: {o.kills} of sandboxd under load, seed {o.seed}")
    gavel.PATIENCE_S = PATIENCE_S
    mounted = mounts()
    with gavel.Gavel(cells=2) as g:
        g.start_sandboxd()
        g.start_judged()
        judged, load = g.judged.pid, Load(g, o.clients * 2)
        kills = Kills(g, load, o.seed)
        try:
            for n in range(1, o.kills + 1):
                kills.kill()
                load.check()
                if n % 10 == 0 or n == o.kills:
                    kills.await_ready()
                    kills.progress()
                    say(f"  {n:4} kills, {kills.early} while it started; {kills.left} cgroup folders left and removed; "
                        f"{load.finished} submissions judged, {load.restarted} of them restarted")
        finally:
            load.stop()
        if not alive(judged) or g.judged.pid != judged:
            raise AssertionError("judged did not live through it")
        wrong = [s.id for s in g.list() if s.state != pb.FINISHED]
        if wrong:
            raise AssertionError(f"never finished: {wrong}")
        g.stop()
    say(f"  judged was one process throughout; every verdict as it should be; slowest start {kills.slowest:.2f} s; "
        f"mounts of the host {mounted} before, {mounts()} after")
    return True


# --- games

def soak_games(o):
    say(f"games: {o.games}, seed {o.seed}")
    gavel.PATIENCE_S = PATIENCE_S
    rng = random.Random(o.seed)
    drawn = [rng.choice(games.PAIRS) for _ in range(o.games)]
    with gavel.Gavel(cells=2, problems=(), options=("--transcript-bytes", "4K") if o.seed % 2 else ()) as g:
        games.write_packages(f"{g.dir}/problems")
        g.start_sandboxd()
        g.start_judged()
        table = games.Table(g)
        with concurrent.futures.ThreadPoolExecutor(2 * o.clients) as pool:
            for n, _ in enumerate(pool.map(lambda pair: table.play(*pair), drawn), 1):
                if n % 50 == 0 or n == o.games:
                    say(f"  {n:4} games, {len(table.wrong)} wrong; the slowest {table.slowest:.1f} s from submission to verdict")
        unfinished = [s.id for s in g.list() if s.state != pb.FINISHED]
        for what in table.wrong + unfinished:
            say(f"  {what}")
    return not table.wrong and not unfinished


# --- fuzz

def soak_fuzz(o):
    say(f"fuzz: each fuzzer {o.fuzz_seconds} s")
    p = subprocess.run(["make", "-s", "fuzz", f"FUZZ_SECONDS={o.fuzz_seconds}", "FUZZ_ARGS=--stats"], cwd=ROOT,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                       timeout=1800 + 60 * o.fuzz_seconds)
    for line in p.stdout.splitlines():
        if line.startswith("==") or "number_of_executed_units" in line:
            say(f"  {line}")
    if p.returncode != 0:
        say(p.stdout[-8000:])
    return p.returncode == 0


PARTS = {"runs": soak_runs, "kills": soak_kills, "games": soak_games, "fuzz": soak_fuzz}


def positive(text):
    n = int(text)
    if n < 1:
        raise ValueError
    return n


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="runs, kills, games, fuzz; all by default")
    parser.add_argument("--runs", type=positive, default=100000)
    parser.add_argument("--segments", type=positive, default=20, help="samples taken on the way")
    parser.add_argument("--per-cell", type=positive, default=500, help="runs before a client takes a new cell")
    parser.add_argument("--clients", type=positive, default=max(2, os.cpu_count()))
    parser.add_argument("--kills", type=positive, default=200)
    parser.add_argument("--games", type=positive, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fuzz-seconds", type=positive, default=60)
    o = parser.parse_args()
    unknown = [p for p in o.parts if p not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]}: there are {', '.join(PARTS)}")
    if os.geteuid() != 0:
        parser.error("sandboxd needs root: run this as root")
    results = {}
    for part in o.parts or list(PARTS):
        started = time.monotonic()
        try:
            held = PARTS[part](o)
        except (AssertionError, subprocess.TimeoutExpired) as e:
            say(f"  {e}")
            held = False
        results[part] = held
        say(f"{part}: {'held' if held else 'FAILED'} after {time.monotonic() - started:.0f} s")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
