"""A Gavel of its own for an end-to-end test: sandboxd and judged in a temporary folder.

    with Gavel("build/bin") as g:
        g.start_sandboxd()
        g.start_judged()
        id = g.submit("aplusb", "c", "sum.c", b"...")
        for event in g.watch(id): ...

The client is grpcio, which we did not write.  Leaving the block stops both programs and removes the folder, and fails when
they leave a process or a cgroup behind.  sandboxd runs as root and judged as an ordinary user; or both as the one user of tests/plain_user.py.
"""
import glob
import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
# How soon a channel with no call going on sees that the server is back; 5000 otherwise.
os.environ.setdefault("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "50")
import grpc  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UID = 61003 if os.geteuid() == 0 else os.geteuid()  # of judged
PATIENCE_S = 60


# Also when it is told to stop, a test must stop what it started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


def load_proto():
    """The Python classes of judge.proto, made anew from the file."""
    with tempfile.TemporaryDirectory(prefix="gavel-proto-") as out:
        subprocess.run(["protoc", f"-I{ROOT}/proto", f"--python_out={out}", "judge.proto"], check=True)
        sys.path.insert(0, out)
        try:
            return importlib.import_module("judge_pb2")
        finally:
            sys.path.remove(out)


pb = load_proto()


def until(what, look, patience_s=PATIENCE_S):
    """Looks again and again until there is something; what it is, is said when there never was."""
    ends = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > ends:
            raise AssertionError(f"waited {patience_s} s for {what}")
        time.sleep(0.01)


def children(pid):
    """Process ids of the living children."""
    found = []
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path) as f:
                found += map(int, f.read().split())
        except FileNotFoundError:
            pass
    return found


def descendants(pid):
    below = children(pid)
    return below + [d for child in below for d in descendants(child)]


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def sockets(pid):
    """How many sockets the process has open."""
    found = 0
    for path in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            found += os.readlink(path).startswith("socket:")
        except FileNotFoundError:
            pass
    return found


class Program:
    """One run of sandboxd or judged; its log is kept in a file."""

    def __init__(self, argv, log, environment=None, uid=None):
        self.log = log
        options = {} if uid in (None, os.geteuid()) else {"user": uid, "group": uid, "extra_groups": []}
        with open(log, "ab") as out:
            self.start = out.tell()
            self.process = subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env={**os.environ, **(environment or {})}, **options)
        self.pid = self.process.pid

    def lines(self, event):
        """The lines of this run that say so."""
        with open(self.log, errors="replace") as f:
            f.seek(self.start)
            return [line for line in f if f" event={event} " in line or f" event={event}\n" in line]

    def wait_for(self, event, count=1):
        def look():
            if self.process.poll() is not None:
                raise AssertionError(f"{self.process.args[0]} ended with {self.process.returncode}")
            return len(self.lines(event)) >= count
        until(f"{count} × {event} of {self.process.args[0]}", look)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Asks it to end; returns its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode


class Gavel:
    def __init__(self, programs="build/bin", cells=2, problems=("aplusb",), options=(), rules=f"{ROOT}/rules",
                 sandboxd_options=()):
        self.programs = os.path.join(ROOT, programs)
        self.cells = cells
        self.problems = problems  # names of packages in problems/
        self.options = options  # of judged
        self.rules = rules
        self.sandboxd_options = sandboxd_options
        self.sandboxd = self.judged = None

    def __enter__(self):
        if os.geteuid() != 0 and "GAVEL_ROOTLESS" not in os.environ:
            raise AssertionError("sandboxd needs root, or what tests/plain_user.py gives: run the end-to-end tests as root")
        self.dir = tempfile.mkdtemp(prefix="gavel-e2e-")
        os.chmod(self.dir, 0o755)
        os.mkdir(f"{self.dir}/home", 0o755)
        if os.geteuid() == 0:
            os.chown(f"{self.dir}/home", UID, UID)
        for name in self.problems:
            shutil.copytree(f"{ROOT}/problems/{name}", f"{self.dir}/problems/{name}")
        self.state = f"{self.dir}/home/state"
        self.address = f"unix:{self.dir}/home/judged.sock"
        self.connect()
        return self

    def __exit__(self, kind, _value, _trace):
        try:
            self.stop()
        except AssertionError:
            kind = AssertionError
            raise
        finally:
            self.channel.close()
            if kind:
                self.show_logs()
            shutil.rmtree(self.dir)

    def show_logs(self):
        for name in ("sandboxd", "judged"):
            if os.path.exists(f"{self.dir}/{name}.log"):
                print(f"--- {name}", file=sys.stderr)
                with open(f"{self.dir}/{name}.log", errors="replace") as f:
                    sys.stderr.writelines(f.readlines()[-80:])

    # --- the programs

    def start_sandboxd(self, ready=True):
        self.sandboxd = Program([f"{self.programs}/sandboxd", "--socket", f"{self.dir}/run", "--rules", self.rules,
                                 "--cells", str(self.cells), "--jury-cells", str(self.cells), "--allow-uid", str(UID),
                                 *self.sandboxd_options],
                                f"{self.dir}/sandboxd.log")
        if not ready:
            return
        self.sandboxd.wait_for("ready")
        until("the keepers", lambda: len(self.keepers()) == 2 * self.cells)
        self.idle_sockets = min(map(sockets, self.keepers()))

    def start_judged(self, environment=None, ready=True):
        self.judged = Program([f"{self.programs}/judged", "--listen", self.address, "--state", f"sqlite:{self.state}",
                               "--program-socket", f"{self.dir}/run/program.sock",
                               "--jury-socket", f"{self.dir}/run/jury.sock", "--rules", self.rules,
                               "--problems", f"{self.dir}/problems", "--workers", str(self.cells), *self.options],
                              f"{self.dir}/judged.log", environment, UID)
        if ready:
            self.judged.wait_for("ready")

    def keepers(self, at_work=False):
        """Process ids of the keepers, or of those that have a client: a socket more than the one they wait at."""
        return [pid for pid in children(self.sandboxd.pid) if not at_work or sockets(pid) > self.idle_sockets]

    def kill_sandboxd(self):
        """SIGKILL to the master; its keepers and their cells must go with it."""
        below = descendants(self.sandboxd.pid)
        self.sandboxd.kill()
        until("the keepers to die with their master", lambda: not any(map(alive, below)))

    def stop(self):
        below = descendants(self.sandboxd.pid) if self.sandboxd else []
        programs = [p for p in (self.judged, self.sandboxd) if p]
        for program, status in [(p, p.stop()) for p in programs]:
            if status != 0:
                raise AssertionError(f"{program.process.args[0]} ended with {status}")
        until("the keepers to end", lambda: not any(map(alive, below)))
        if self.sandboxd and self.sandboxd.lines("cgroups_left"):
            raise AssertionError("sandboxd left cgroups behind")
        self.judged = self.sandboxd = None

    # --- the client

    def connect(self):
        self.channel = grpc.insecure_channel(self.address, options=[
            ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 500)])

    def call(self, method, request, reply, again=False):
        """One call; with again, as a careful client does: repeated while the server cannot be reached."""
        call = self.channel.unary_unary(f"/judge.v1.Judge/{method}", request_serializer=type(request).SerializeToString,
                                        response_deserializer=reply.FromString)
        ends = time.monotonic() + PATIENCE_S
        while True:
            try:
                return call(request, timeout=PATIENCE_S)
            except grpc.RpcError as e:
                if not again or e.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > ends:
                    raise
                time.sleep(0.02)

    def submit(self, problem, language, name, content, request_id=""):
        """Only with a request id is it safe to repeat."""
        request = pb.SubmitRequest(problem=problem, language=language, request_id=request_id)
        request.sources.add(name=name, content=content)
        return self.call("Submit", request, pb.SubmitResponse, again=request_id != "").id

    def get(self, submission):
        return self.call("GetSubmission", pb.GetSubmissionRequest(id=submission), pb.Submission, again=True)

    def watch(self, submission, after=0, keep_open=False):
        """One stream of events, as it comes."""
        call = self.channel.unary_stream("/judge.v1.Judge/WatchSubmission",
                                         request_serializer=pb.WatchSubmissionRequest.SerializeToString,
                                         response_deserializer=pb.Event.FromString)
        return call(pb.WatchSubmissionRequest(id=submission, after_seq=after, keep_open=keep_open), timeout=PATIENCE_S)

    def follow(self, submission):
        """All events to the end, over as many streams as it takes."""
        seen, ends = 0, time.monotonic() + PATIENCE_S
        while True:
            try:
                for event in self.watch(submission, seen):
                    seen = event.seq
                    yield event
                return
            except grpc.RpcError as e:
                if e.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > ends:
                    raise
                time.sleep(0.02)

    def list(self, **filters):
        found, token = [], ""
        while True:
            page = self.call("ListSubmissions", pb.ListSubmissionsRequest(page_size=500, page_token=token, **filters),
                             pb.ListSubmissionsResponse, again=True)
            found += page.submissions
            token = page.next_page_token
            if not token:
                return found
