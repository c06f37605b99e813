#!/usr/bin/python3
"""`sandbox run`: every option, every bad value, exit statuses, the report, and nothing left behind."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SANDBOX = os.environ.get("SANDBOX", os.path.join(TOP, "build", "bin", "sandbox"))

REPORT = {
    "status": str, "exit_code": (int, type(None)), "signal": (int, type(None)), "syscall": (str, type(None)),
    "message": str, "cpu_time_us": int, "user_time_us": int, "system_time_us": int, "wall_time_us": int,
    "memory_peak_bytes": int, "memory": dict, "processes_peak": int, "output_bytes": int,
    "voluntary_switches": int, "involuntary_switches": int, "throttled_us": int,
}


def hierarchy():
    """(folder, version) of the cgroup hierarchy that has the pids controller, or of what a plain user has of it."""
    if os.geteuid() != 0:
        return os.environ["GAVEL_ROOTLESS"], 2
    v2 = None
    with open("/proc/self/mountinfo") as f:
        lines = f.readlines()
    for line in lines:
        left, right = line.split(" - ")
        kind, _source, options = right.split()[:3]
        if kind == "cgroup" and "pids" in options.split(","):
            return left.split()[4], 1
        if kind == "cgroup2":
            v2 = left.split()[4]
    return v2, 2


def hand_down(folder):
    """On v2: lets the cgroups in this one have limits."""
    with open(os.path.join(folder, "cgroup.controllers")) as f:
        controllers = f.read().split()
    for name in {"memory", "pids", "cpu", "cpuset"} & set(controllers):
        with open(os.path.join(folder, "cgroup.subtree_control"), "w") as f:
            f.write("+" + name)


@unittest.skipIf(os.geteuid() != 0 and "GAVEL_ROOTLESS" not in os.environ, "cells need root, or tests/plain_user.py")
class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="gavel-test-")
        os.chmod(self.dir, 0o755)
        # An instance makes its cgroups beneath the one it is started in.  Each is started in one of its own, as
        # systemd does with Delegate=yes: what is left in there is the test's.
        top, self.version = hierarchy()
        if self.version == 2:
            hand_down(top)
        self.cgroup = tempfile.mkdtemp(prefix="test-sandbox-", dir=top)
        if self.version == 2:
            hand_down(self.cgroup)
        self.started = 0

    def tearDown(self):
        shutil.rmtree(self.dir)
        self.assertEqual(self.folders(), [], "cgroups left behind")
        for i in range(self.started):
            os.rmdir(os.path.join(self.cgroup, str(i)))  # fails while a process is in it
        os.rmdir(self.cgroup)

    def folders(self):
        """The cgroups that instances have made."""
        return [name for _where, folders, _files in os.walk(self.cgroup) for name in folders if name.startswith("gavel-")]

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def start(self, *argv, where=None, **more):
        """In a cgroup of its own, or in that of the one with the number `where`."""
        mine = os.path.join(self.cgroup, str(self.started if where is None else where))
        if where is None:
            os.mkdir(mine)
            self.started += 1

        def join():
            with open(os.path.join(mine, "cgroup.procs"), "w") as f:
                f.write("0")
        more.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen([SANDBOX, "run", *argv], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.dir, preexec_fn=join, **more)

    def run_(self, *argv, input=None, **more):
        if input is not None:
            more["stdin"] = subprocess.PIPE
        p = self.start(*argv, **more)
        out, err = p.communicate(input, timeout=60)
        return p.returncode, out, err

    def reported(self, *argv, **more):
        """(exit status, report) of a run."""
        status, _out, err = self.run_("--report", "report.json", *argv, **more)
        self.last_err = err
        return status, json.loads(self.read("report.json"))

    def output(self, *argv, **more):
        """What a run that must end well wrote."""
        status, out, err = self.run_(*argv, **more)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def python(self, text, *options, **more):
        return self.output(*options, "--", "python3", "-c", text, **more)


class ExitStatus(Case):
    def test_the_programs_own(self):
        for status in 0, 1, 7, 255:
            self.assertEqual(self.run_("--", "sh", "-c", f"exit {status}"), (status, "", ""))

    def test_signal(self):
        status, report = self.reported("--", "sh", "-c", "kill -SEGV $$")
        self.assertEqual((status, report["status"], report["signal"]), (128 + 11, "signaled", 11))
        self.assertIsNone(report["exit_code"])

    def test_abort_is_not_lost(self):
        self.assertEqual(self.run_("--", "python3", "-c", "import os; os.abort()")[0], 128 + 6)

    def test_not_found(self):
        for program in "/no/such", "no-such-program", "./no-such":
            status, report = self.reported("--", program)
            self.assertEqual((status, report["status"]), (127, "sandbox_error"), program)
            self.assertIn("No such file", report["message"])
            self.assertIn("No such file", self.last_err)

    def test_cannot_execute(self):
        for program in "/etc/passwd", "/usr":
            self.assertEqual(self.run_("--", program)[0], 126, program)

    def test_not_a_program(self):
        self.write("text", "\x7fELF but no further", 0o755)
        self.assertEqual(self.run_("--copy-in", "text", "--", "./text")[0], 126)

    def test_forbidden_call(self):
        status, report = self.reported("--", "python3", "-c",
                                       "import ctypes; ctypes.CDLL(None).ptrace(0, 0, 0, 0)")
        self.assertEqual((status, report["status"]), (128 + signal.SIGSYS, "forbidden_syscall"))
        self.assertEqual(report["syscall"], "ptrace")
        self.assertIn("ptrace", self.last_err)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_without_root(self):
        def nobody():
            os.setgid(65534)
            os.setuid(65534)
        p = subprocess.run([SANDBOX, "run", "--", "true"], preexec_fn=nobody, text=True, capture_output=True)
        self.assertEqual(p.returncode, 125)
        self.assertIn("root", p.stderr)


class Report(Case):
    def test_who_reads_a_file_first_does_not_pay_for_it(self):
        path = self.write("big", "x" * (32 << 20))
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
        first, again = (self.reported("--mount", "big:/mnt/big", "--", "cat", "/mnt/big")[1] for _ in range(2))
        for report in first, again:
            self.assertLess(report["memory_peak_bytes"], 8 << 20)
        if not self.in_memory(path):
            self.assertGreater(first["memory"]["file_bytes"], 16 << 20, "it was in the cache already")
        self.assertLess(again["memory"]["file_bytes"], 8 << 20)

    def in_memory(self, path):
        kind = subprocess.run(["stat", "-f", "-c", "%T", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        return kind.strip() in ("tmpfs", "ramfs", "overlayfs")

    def test_every_field(self):
        status, report = self.reported("--", "python3", "-c", "print('x' * 99)")
        self.assertEqual(status, 0)
        self.assertEqual(set(report), set(REPORT))
        for name, kind in REPORT.items():
            self.assertIsInstance(report[name], kind, name)
        self.assertEqual(set(report["memory"]), {"anon_bytes", "shmem_bytes", "file_bytes", "kernel_bytes", "sampled"})
        self.assertEqual(report["status"], "exited")
        self.assertEqual(report["exit_code"], 0)
        self.assertIsNone(report["signal"])
        self.assertIsNone(report["syscall"])
        self.assertEqual(report["output_bytes"], 100)

    def test_figures_make_sense(self):
        text = "import time\nx = bytearray(40 << 20)\nend = time.time() + 0.3\nwhile time.time() < end: pass\ntime.sleep(0.2)"
        _status, r = self.reported("--", "python3", "-c", text)
        self.assertGreater(r["cpu_time_us"], 30000)
        self.assertLess(r["cpu_time_us"], 3000000)
        self.assertEqual(r["user_time_us"] + r["system_time_us"], r["cpu_time_us"])
        self.assertGreater(r["wall_time_us"], 490000)
        self.assertGreater(r["memory_peak_bytes"], 40 << 20)
        self.assertLess(r["memory_peak_bytes"], 80 << 20)
        self.assertGreater(r["memory"]["anon_bytes"], 40 << 20)
        self.assertLessEqual(r["memory"]["anon_bytes"], r["memory_peak_bytes"])
        self.assertEqual(r["processes_peak"], 1)
        self.assertGreaterEqual(r["voluntary_switches"], 1)

    def test_dash_is_standard_error(self):
        status, out, err = self.run_("--report", "-", "--", "sh", "-c", "echo out; exit 3")
        self.assertEqual((status, out), (3, "out\n"))
        self.assertEqual(json.loads(err)["exit_code"], 3)

    def test_written_when_the_sandbox_fails(self):
        status, report = self.reported("--copy-in", "missing", "--", "true")
        self.assertEqual((status, report["status"]), (125, "sandbox_error"))
        self.assertIn("missing", report["message"])

    def test_arguments_that_cannot_be_sent(self):
        for argv, expected in ([b"/no/\xff\xfe"], "argv[0]: not valid UTF-8"), (["echo", "x" * 70000], "70"):
            status, report = self.reported("--", *argv)
            self.assertEqual((status, report["status"]), (125, "sandbox_error"))
            self.assertIn(expected, report["message"])

    def test_place_that_cannot_be_written(self):
        status, out, err = self.run_("--report", "no/such/folder", "--", "echo", "ran")
        self.assertEqual((status, out), (125, ""))
        self.assertIn("--report: open no/such/folder", err)


class Limits(Case):
    def limit(self, expected, *argv):
        status, report = self.reported(*argv)
        self.assertEqual((status, report["status"]), (124, expected), report)
        self.assertNotEqual(self.last_err, "")
        return report

    def test_time(self):
        r = self.limit("cpu_time_limit", "--time", "300ms", "--", "sh", "-c", "while :; do :; done")
        self.assertGreater(r["cpu_time_us"], 300000)
        self.assertLess(r["cpu_time_us"], 1000000)

    def test_time_of_children_counts(self):
        self.limit("cpu_time_limit", "--time=400ms", "--", "sh", "-c",
                   "for i in 1 2 3 4; do (while :; do :; done) & done; wait")

    def test_wall(self):
        r = self.limit("wall_time_limit", "--wall", "0.3s", "--", "sleep", "60")
        self.assertGreater(r["wall_time_us"], 299000)
        self.assertLess(r["cpu_time_us"], 300000)

    def test_wall_follows_time(self):
        r = self.limit("wall_time_limit", "--time", "500ms", "--", "sleep", "60")
        self.assertGreater(r["wall_time_us"], 1999000)

    def test_memory(self):
        r = self.limit("memory_limit", "--memory", "32M", "--", "python3", "-c", "x = bytearray(1 << 28)")
        self.assertLessEqual(r["memory_peak_bytes"], 32 << 20)
        self.assertGreater(r["memory_peak_bytes"], 31 << 20)

    def test_memory_of_a_child_alone(self):
        self.limit("memory_limit", "--memory", "32M", "--", "sh", "-c",
                   "python3 -c 'x = bytearray(1 << 28)'; exit 0")

    def test_memory_in_the_box(self):
        self.limit("memory_limit", "--memory", "16M", "--box-size", "1G", "--", "sh", "-c",
                   "cat /dev/zero >/tmp/big; exit 0")

    def test_output(self):
        r = self.limit("output_limit", "--output", "1M", "--", "sh", "-c", "cat /dev/zero | tr '\\0' x")
        self.assertEqual(r["output_bytes"], 1 << 20)

    def test_output_counts_both_streams(self):
        self.limit("output_limit", "--output", "1000", "--", "python3", "-c",
                   "import os\nfor fd in 1, 2: os.write(fd, b'x' * 600)")

    def test_processes(self):
        out = self.python("import os, time\nn = 1\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(9); os._exit(0)\n"
                          "    n += 1\nexcept BlockingIOError: print(n, flush=True)\nos._exit(0)", "--processes", "5")
        self.assertEqual(out, "5\n")

    def test_threads_are_processes(self):
        out = self.python("import threading, time\nn = 1\ntry:\n  while True:\n    threading.Thread(target=time.sleep, args=(9,), "
                          "daemon=True).start(); n += 1\nexcept RuntimeError: print(n, flush=True)\nimport os; os._exit(0)",
                          "--processes", "7")
        self.assertEqual(out, "7\n")

    def test_box_size(self):
        for place in "/box", "/tmp", "/dev/shm":
            out = self.output("--box-size", "1M", "--", "sh", "-c",
                              f"cat /dev/zero >{place}/big 2>/dev/null; stat -c %s {place}/big")
            self.assertEqual(int(out), 1 << 20, place)

    def test_box_inodes(self):
        out = self.python("n = 0\ntry:\n  while True:\n    open(str(n), 'w'); n += 1\nexcept OSError: print(n)",
                          "--box-inodes", "20")
        self.assertLess(int(out), 21)
        self.assertGreater(int(out), 10)

    def test_open_files(self):
        self.assertEqual(self.output("--open-files", "17", "--", "sh", "-c", "ulimit -n; ulimit -Hn"), "17\n17\n")

    def test_stack(self):
        self.assertEqual(self.output("--stack", "2M", "--", "sh", "-c", "ulimit -s"), "2048\n")
        self.assertEqual(self.output("--memory", "48M", "--", "sh", "-c", "ulimit -s"), "49152\n")

    def test_cpus(self):
        status, r = self.reported("--cpus", "0.2", "--wall", "60s", "--", "python3", "-c",
                                  "import time\nend = time.time() + 0.6\nwhile time.time() < end: pass")
        self.assertEqual(status, 0)
        self.assertGreater(r["throttled_us"], 0)
        self.assertLess(r["cpu_time_us"], r["wall_time_us"] / 2)

    def test_cpu(self):
        self.assertEqual(self.output("--cpu", "0", "--", "nproc"), "1\n")

    def test_a_cpu_that_is_not_there(self):
        status, _out, err = self.run_("--cpu", "60000", "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("no CPU 60000", err)


class Place(Case):
    def test_who_and_where(self):
        self.assertEqual(self.output("--", "sh", "-c", "id -u; pwd; ls -A"), "1000\n/box\n")

    def test_environment(self):
        self.assertEqual(self.output("--", "env"), "PATH=/usr/local/bin:/usr/bin:/bin\nHOME=/box\n")
        self.assertEqual(self.output("--env", "A=b=c", "--env", "HOME=/tmp", "--", "env"),
                         "PATH=/usr/local/bin:/usr/bin:/bin\nA=b=c\nHOME=/tmp\n")
        self.assertEqual(self.output("--env", "PATH=/usr/bin", "--", "env"), "HOME=/box\nPATH=/usr/bin\n")

    def test_nothing_is_inherited(self):
        fd = os.open(self.write("secret", "x", 0o600), os.O_RDONLY)
        p = subprocess.run([SANDBOX, "run", "--", "sh", "-c", "ls /proc/self/fd"], pass_fds=[fd], text=True,
                           capture_output=True, env={"SECRET": "x"})
        os.close(fd)
        self.assertEqual(p.stdout.split(), ["0", "1", "2", "3"])  # 3 is the folder that ls reads

    def test_chdir(self):
        self.assertEqual(self.output("--chdir", "/tmp", "--", "pwd"), "/tmp\n")
        self.write("tree/sub/x", "")
        self.assertEqual(self.output("--copy-in", "tree", "--chdir", "tree/sub", "--", "sh", "-c", "pwd; ls"), "/box/tree/sub\nx\n")
        status, _out, err = self.run_("--chdir", "/no/such", "--", "pwd")
        self.assertEqual(status, 125)
        self.assertIn("/no/such", err)

    def test_net(self):
        connect = ("import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n"
                   "c = socket.create_connection(s.getsockname()); print('connected')")
        policy = "--policy", "network"
        self.assertEqual(self.python(connect, "--net", "loopback", *policy), "connected\n")
        self.assertNotEqual(self.run_("--net", "none", *policy, "--", "python3", "-c", connect)[0], 0)
        self.assertNotEqual(self.run_(*policy, "--", "python3", "-c", connect)[0], 0)

    def test_policy(self):
        make = "import socket; socket.socket(socket.AF_INET)"
        self.assertEqual(self.run_("--policy", "network", "--", "python3", "-c", make)[0], 0)
        self.assertNotEqual(self.run_("--policy", "managed", "--", "python3", "-c", make)[0], 0)

    def test_mount(self):
        self.write("data/x", "hello\n")
        os.chmod(self.path("data"), 0o777)
        self.assertEqual(self.output("--mount", f"{self.dir}/data:/mnt/data", "--", "cat", "/mnt/data/x"), "hello\n")
        status, _out, _err = self.run_("--mount", "data:/data", "--", "touch", "/data/y")
        self.assertNotEqual(status, 0)
        self.assertFalse(os.path.exists(self.path("data/y")))
        self.output("--mount", "data:/data:rw", "--", "touch", "/data/z")
        self.assertTrue(os.path.exists(self.path("data/z")))

    def test_mount_a_file(self):
        self.write("one", "1\n")
        self.assertEqual(self.output("--mount", "one:/etc/one", "--", "cat", "/etc/one"), "1\n")

    def test_root(self):
        self.write("show.c", """#include <stdio.h>
int main(void) { int c; FILE *f = fopen("/usr/marker", "r"); while (f && (c = getc(f)) != EOF) putchar(c); return !f; }
""")
        self.write("root/usr/marker", "ours\n")
        subprocess.run(["gcc", "-static", "-o", self.path("root/usr/show"), self.path("show.c")], check=True)
        self.assertEqual(self.output("--root", "root", "--", "/usr/show"), "ours\n")
        self.assertEqual(self.run_("--", "/usr/show")[0], 127)
        self.assertEqual(self.run_("--root", "root", "--", "/bin/sh")[0], 127)

    def test_rules(self):
        shutil.copytree(os.path.join(TOP, "rules"), self.path("rules"))
        with open(self.path("rules/roots/default.yaml"), "a") as f:
            f.write('  - { type: file, target: /etc/marker, content: "ours\\n" }\n')
        self.assertEqual(self.output("--rules", "rules", "--", "cat", "/etc/marker"), "ours\n")
        with open(self.path("rules/roots/default.yaml"), "a") as f:
            f.write("  - { type: nonsense, target: /x }\n")
        status, _out, err = self.run_("--rules", "rules", "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("default.yaml", err)

    def test_rules_are_not_taken_from_the_current_folder(self):
        self.write("rules/roots/default.yaml", "nonsense")
        self.assertEqual(self.output("--", "echo", "x"), "x\n")


class Copies(Case):
    def test_file_in(self):
        self.write("a.txt", "text\n")
        self.write("tool", "#!/bin/sh\necho ran\n", 0o755)
        self.assertEqual(self.output("--copy-in", "a.txt", "--copy-in", "tool", "--", "sh", "-c", "cat a.txt; ./tool"), "text\nran\n")
        self.assertEqual(self.output("--copy-in", "a.txt:sub/b", "--", "cat", "/box/sub/b"), "text\n")
        self.assertEqual(self.output("--copy-in", "a.txt:/box/sub/", "--", "cat", "sub/a.txt"), "text\n")

    def test_folder_in(self):
        self.write("tree/a", "A")
        self.write("tree/b/c", "C")
        os.makedirs(self.path("tree/empty/deep"))
        listing = "cd %s; find . | sort | tr '\\n' ' '"
        expected = ". ./a ./b ./b/c ./empty ./empty/deep "
        self.assertEqual(self.output("--copy-in", "tree", "--", "sh", "-c", listing % "tree"), expected)
        self.assertEqual(self.output("--copy-in", "tree/", "--", "sh", "-c", listing % "tree"), expected)
        self.assertEqual(self.output("--copy-in", "tree:x/y", "--", "sh", "-c", listing % "x/y"), expected)
        self.assertEqual(self.output("--copy-in", "tree:.", "--", "sh", "-c", listing % "/box"), expected)
        self.assertEqual(self.output("--copy-in", "tree:/box", "--", "sh", "-c", listing % "/box"), expected)

    def test_many_files_in_and_out(self):
        for i in range(130):
            self.write(f"tree/{i % 7}/f{i}", str(i))
        self.output("--copy-in", "tree", "--copy-out", "tree:back", "--", "true")
        self.assertEqual(subprocess.run(["diff", "-r", self.path("tree"), self.path("back")]).returncode, 0)

    def test_links_are_not_followed_in(self):
        os.symlink("/etc/shadow", self.path("link"))
        os.makedirs(self.path("tree"))
        os.symlink("/etc", self.path("tree/folder"))
        for source in "link", "tree":
            status, out, err = self.run_("--copy-in", source, "--", "echo", "ran")
            self.assertEqual((status, out), (125, ""), source)
            self.assertIn("links are not followed", err)

    def test_what_is_no_file_is_refused(self):
        os.mkfifo(self.path("fifo"))
        for source in "fifo", "/dev/null":
            status, _out, err = self.run_("--copy-in", source, "--", "true")
            self.assertEqual(status, 125, source)
            self.assertIn("neither a regular file nor a folder", err)

    def test_more_than_the_box_holds(self):
        self.write("big", "x" * 300000)
        status, _out, err = self.run_("--copy-in", "big", "--box-size", "200K", "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("too large", err)

    def test_file_out(self):
        self.output("--copy-out", "x:got", "--", "sh", "-c", "echo made >x; chmod 755 x")
        self.assertEqual(self.read("got"), "made\n")
        self.assertTrue(os.access(self.path("got"), os.X_OK))
        self.output("--copy-out", "/box/sub/x:new/", "--", "sh", "-c", "mkdir sub; echo made >sub/x")
        self.assertEqual(self.read("new/x"), "made\n")
        self.output("--copy-out", "x:new", "--", "sh", "-c", "echo again >x")
        self.assertEqual(self.read("new/x"), "again\n")

    def test_folder_and_pattern_out(self):
        make = "mkdir -p d/e; echo 1 >d/a.o; echo 2 >d/e/b.o; echo 3 >c.o; echo 4 >d.txt"
        self.output("--copy-out", "d:D", "--copy-out", "*.o:O", "--copy-out", ".:ALL", "--", "sh", "-c", make)
        found = sorted(os.path.relpath(os.path.join(where, name), self.dir)
                       for where, _folders, names in os.walk(self.dir) for name in names)
        self.assertEqual(found, ["ALL/c.o", "ALL/d.txt", "ALL/d/a.o", "ALL/d/e/b.o", "D/a.o", "D/e/b.o", "O/c.o"])

    def test_out_also_after_a_failure(self):
        self.assertEqual(self.run_("--copy-out", "x:x", "--", "sh", "-c", "echo log >x; exit 9")[0], 9)
        self.assertEqual(self.read("x"), "log\n")
        self.assertEqual(self.run_("--wall", "300ms", "--copy-out", "y:y", "--", "sh", "-c", "echo log >y; sleep 60")[0], 124)
        self.assertEqual(self.read("y"), "log\n")

    def test_missing_out(self):
        status, _out, err = self.run_("--copy-out", "none:x", "--", "true")
        self.assertEqual(status, 125)
        self.assertIn("--copy-out: none", err)
        self.assertEqual(self.run_("--copy-out", "none:x", "--", "false")[0], 1)
        self.assertFalse(os.path.exists(self.path("x")))

    def test_a_link_in_the_box_does_not_come_out(self):
        status, _out, _err = self.run_("--copy-out", "x:x", "--", "ln", "-s", "/etc/passwd", "x")
        self.assertEqual(status, 125)
        self.assertFalse(os.path.lexists(self.path("x")))

    def test_a_link_outside_is_not_written_through(self):
        self.write("victim", "safe")
        os.makedirs(self.path("out"))
        os.symlink(self.path("victim"), self.path("out/x"))
        os.symlink(self.dir, self.path("out/sub"))
        status, _out, _err = self.run_("--copy-out", "d:out", "--", "sh", "-c", "mkdir d; echo evil >d/x")
        self.assertEqual(status, 125)
        status, _out, _err = self.run_("--copy-out", "d:out", "--", "sh", "-c", "mkdir -p d/sub; echo evil >d/sub/victim")
        self.assertEqual(status, 125)
        self.assertEqual(self.read("victim"), "safe")


class Streams(Case):
    def test_inherited(self):
        status, out, err = self.run_("--", "sh", "-c", "cat; echo err >&2", input="text\n")
        self.assertEqual((status, out, err), (0, "text\n", "err\n"))

    def test_nothing_to_read(self):
        self.assertEqual(self.output("--", "cat"), "")

    def test_closed_descriptors(self):
        p = subprocess.run(["sh", "-c", f"exec {SANDBOX} run --stdout out -- sh -c 'cat; echo x' <&- >&- 2>&-"], cwd=self.dir)
        self.assertEqual(p.returncode, 0)
        self.assertEqual(self.read("out"), "x\n")

    def test_a_file(self):
        self.write("in", "from a file\n")
        self.assertEqual(self.output("--stdin", "in", "--", "cat"), "from a file\n")
        with open(self.path("in")) as f:
            f.read(5)
            os.lseek(f.fileno(), 5, os.SEEK_SET)
            self.assertEqual(self.output("--", "cat", stdin=f), "a file\n")

    def test_much_through_a_pipe(self):
        text = "0123456789abcde\n" * 100000
        self.assertEqual(self.output("--", "cat", input=text), text)

    def test_a_program_that_does_not_read(self):
        p = self.start("--", "true", stdin=subprocess.PIPE)  # and nobody closes the pipe
        self.assertEqual(p.wait(20), 0)
        p.stdin.close()
        p.stdout.close()
        p.stderr.close()

    def test_a_fifo_is_pumped(self):
        os.mkfifo(self.path("fifo"))
        p = self.start("--stdin", "fifo", "--", "sh", "-c", "readlink /proc/self/fd/0 | cut -c1-5; cat")
        with open(self.path("fifo"), "w") as f:
            f.write("through\n")
        self.assertEqual(p.communicate(timeout=20)[0], "pipe:\nthrough\n")

    def test_no_file_of_the_host_is_held(self):
        self.write("in", "x")
        out = self.output("--stdin", "in", "--", "sh", "-c", "readlink /proc/self/fd/0")
        self.assertIn("memfd", out)
        self.output("--stdout", "out", "--stderr", "err", "--", "sh", "-c", "readlink /proc/$$/fd/1 /proc/$$/fd/2")
        self.assertEqual([line[:5] for line in self.read("out").splitlines()], ["pipe:", "pipe:"])

    def test_files_out(self):
        self.write("out", "old text that is longer")
        status, out, err = self.run_("--stdout", "out", "--stderr", "err", "--", "sh", "-c", "echo 1; echo 2 >&2")
        self.assertEqual((status, out, err), (0, "", ""))
        self.assertEqual((self.read("out"), self.read("err")), ("1\n", "2\n"))

    def test_one_file_out(self):
        status, out, _err = self.run_("--stderr", "err", "--", "sh", "-c", "echo 1; echo 2 >&2")
        self.assertEqual((status, out, self.read("err")), (0, "1\n", "2\n"))

    def test_what_was_written_before_a_limit(self):
        status, _out, _err = self.run_("--wall", "300ms", "--stdout", "out", "--", "sh", "-c", "echo early; sleep 60")
        self.assertEqual((status, self.read("out")), (124, "early\n"))

    def test_output_comes_while_it_runs(self):
        p = self.start("--", "sh", "-c", "echo now; read x; echo $x", stdin=subprocess.PIPE)
        self.assertEqual(p.stdout.readline(), "now\n")
        out, _err = p.communicate("then\n", timeout=20)
        self.assertEqual(out, "then\n")

    def test_a_reader_that_goes_away(self):
        p = subprocess.run(["sh", "-c", f"{SANDBOX} run --time 5s -- seq 1 200000 | head -n 1"], text=True, capture_output=True)
        self.assertEqual(p.stdout, "1\n")

    def test_a_full_disk_is_noticed(self):
        status, _out, err = self.run_("--stdout", "/dev/full", "--", "echo", "x")
        self.assertEqual(status, 125)
        self.assertIn("/dev/full", err)


class BadValues(Case):
    BAD = [
        (["--memory", "12Q"], "--memory: '12Q' is not a size (examples: 64M, 1G"),
        (["--memory", ""], "--memory: '' is not a size"),
        (["--memory", "-1"], "--memory: '-1' is not a size"),
        (["--memory", "1K"], "--memory: '1K' is out of range, 4M to 1T"),
        (["--memory", "2T"], "out of range"),
        (["--memory", "99999999999999999999"], "is not a size"),
        (["--memory", "20000000T"], "is not a size"),
        (["--memory", "1.M"], "is not a size"),
        (["--stack", "1K"], "--stack: '1K' is out of range, 64K to 1T"),
        (["--output", "0"], "--output: '0' is out of range, 1 to 4G"),
        (["--output", "5G"], "--output: '5G' is out of range"),
        (["--box-size", "1"], "--box-size: '1' is out of range, 4K to 1T"),
        (["--box-inodes", "1"], "--box-inodes: '1' is out of range, 16 to 1048576"),
        (["--box-inodes", "x"], "--box-inodes: 'x' is not a whole number"),
        (["--time", "fast"], "--time: 'fast' is not a duration (examples: 1s, 250ms"),
        (["--time", "0"], "--time: '0' is out of range, 1ms to 1h"),
        (["--time", "2h"], "--time: '2h' is out of range"),
        (["--time", "1 s"], "is not a duration"),
        (["--wall", "5h"], "--wall: '5h' is out of range, 1ms to 4h"),
        (["--processes", "0"], "--processes: '0' is out of range, 1 to 32768"),
        (["--processes", "1.5"], "--processes: '1.5' is not a whole number"),
        (["--processes", "+5"], "is not a whole number"),
        (["--open-files", "3"], "--open-files: '3' is out of range, 4 to 65536"),
        (["--cpus", "0"], "--cpus: '0' is out of range, 0.01 to 1024"),
        (["--cpus", "many"], "--cpus: 'many' is not a number of CPUs"),
        (["--cpu", "-1"], "--cpu: '-1' is not a whole number"),
        (["--cpu", "65536"], "--cpu: '65536' is out of range"),
        (["--net", "bridges"], "--net: 'bridges' is not none, loopback, bridge or bridge:NAME"),
        (["--net", "bridge:"], "--net: 'bridge:' is not none, loopback, bridge or bridge:NAME"),
        (["--net", "bridge:nothing"], "network: no rule 'nothing'"),
        (["--net-group", "x"], "--net-group: belongs to --net bridge"),
        (["--net", "bridge", "--net-group", "a b"], "--net-group: 'a b' is not 1 to 64 letters"),
        (["--policy", "nothing"], "--policy: 'nothing' is not one of:"),
        (["--policy", ""], "--policy: is empty"),
        (["--policy", "../seccomp/base"], "--policy: '../seccomp/base' is not one of:"),
        (["--root", "no/such"], "--root: no/such: No such file"),
        (["--root", "/etc/passwd"], "--root: /etc/passwd: is no folder, no squashfs or erofs image"),
        (["--root", "/dev/null"], "--root: /dev/null: is neither a folder nor a file"),
        (["--root", ""], "--root: is empty"),
        (["--root-cache", ""], "--root-cache: is empty"),
        (["--mount", "nocolon"], "--mount: 'nocolon' is not SRC:DST"),
        (["--mount", "a:b"], "--mount: 'a' is not SRC:DST"),
        (["--mount", "/usr:/x:ro"], "is not SRC:DST"),
        (["--mount", "no/such:/x"], "--mount: no/such: No such file"),
        (["--mount", "/usr:/../x"], "--mount"),
        (["--mount", "/usr:/box"], "--mount"),
        (["--copy-in", ":x"], "--copy-in: '' is not SRC or SRC:DST"),
        (["--copy-in", "x:"], "--copy-in: 'x' is not SRC or SRC:DST"),
        (["--copy-in", "x:/etc/x"], "with DST in /box"),
        (["--copy-in", "/etc/passwd:../x"], "'../x'"),
        (["--copy-in", "no/such"], "--copy-in: open no/such: No such file"),
        (["--copy-in", "/dev/zero"], "--copy-in: /dev/zero: is neither a regular file nor a folder"),
        (["--copy-in", "/proc/self/mem"], "--copy-in: /proc/self/mem: read:"),
        (["--copy-out", "x"], "--copy-out: 'x' is not SRC:DST with SRC in /box"),
        (["--copy-out", "/etc/passwd:x"], "is not SRC:DST with SRC in /box"),
        (["--env", "NOVALUE"], "--env: 'NOVALUE' is not NAME=VALUE"),
        (["--env", "=x"], "is not NAME=VALUE"),
        (["--stdin", "no/such"], "--stdin: open no/such: No such file"),
        (["--stdin", "/"], "--stdin: /: is a folder"),
        (["--stdout", "no/such"], "--stdout: open no/such: No such file"),
        (["--stderr", "/"], "--stderr: open /: Is a directory"),
        (["--rules", "no/such"], "no/such"),
        (["--rules", "/etc/passwd"], "/etc/passwd/roots: Not a directory"),
        (["--chdir", ""], "--chdir: is empty"),
        (["--unknown"], "'--unknown' is no option"),
        (["--mem", "64M"], "'--mem' is no option"),
        (["-x"], "'-x' is no option"),
    ]

    def test_every_one_is_refused(self):
        for options, expected in self.BAD:
            with self.subTest(options=options):
                status, out, err = self.run_(*options, "--", "echo", "ran")
                self.assertEqual((status, out), (125, ""), err)
                self.assertIn(expected, err)
                self.assertEqual(err.count("\n"), 1, err)

    def test_wrong_rules(self):
        """Whatever is wrong in a file of rules that a run asks for, it is refused, with the place."""
        policy = "seccomp/native.policy"
        cases = [
            ({policy: "raed: allow\n"}, "native.policy:1: unknown system call 'raed'"),
            ({policy: "read: allow if arg1 = 1\n"}, "native.policy:1: expected '&', '==' or '!='"),
            ({policy: "@include native\n"}, "native.policy:1: 'native' includes itself"),
            ({policy: "@include other\n", "seccomp/other.policy": "\n@include native\n"}, "other.policy:2: 'native' includes itself"),
            ({policy: "@include nothing\n"}, "nothing.policy: No such file"),
            ({policy: "@include ../../judge\n"}, "native.policy:1: expected the name of a policy"),
            ({policy: ""}, "native.policy: no rules"),
            ({policy: "read: allow\0\n"}, "native.policy:1: byte 0x00"),
            ({policy: "read: allow\n" * 100000}, "native.policy: expected at most 65536 bytes"),
            ({"roots/default.yaml": "mounts: ["}, "default.yaml"),
            ({"roots/default.yaml": ""}, "default.yaml"),
            ({"networks/default.yaml": "a: &a [*a]\n"}, "default.yaml"),
        ]
        for i, (files, expected) in enumerate(cases):
            with self.subTest(files=str(files)[:100]):
                rules = self.path(f"rules{i}")
                shutil.copytree(os.path.join(TOP, "rules"), rules)
                for name, text in files.items():
                    self.write(f"{rules}/{name}", text)
                net = "bridge:default" if "networks/default.yaml" in files else "none"
                status, out, err = self.run_("--rules", rules, "--policy", "native", "--net", net, "--", "echo", "ran")
                self.assertEqual((status, out), (125, ""), err)
                self.assertIn(expected, err)
                self.assertEqual(err.count("\n"), 1, err)

    def test_lists_that_are_too_long(self):
        for option, value in ("--env", "A=1"), ("--copy-in", "x"), ("--copy-out", "x:y"), ("--mount", "/usr:/x"):
            argv = [word for _ in range(257) for word in (option, value)]
            status, _out, err = self.run_(*argv, "--", "true")
            self.assertEqual(status, 125)
            self.assertIn(f"{option}: at most", err)

    def test_a_missing_value(self):
        status, _out, err = self.run_("--time")
        self.assertEqual(status, 125)
        self.assertIn("--time: needs a value, DURATION", err)

    def test_no_program(self):
        for argv in [], ["--"], ["--time", "1s", "--"]:
            status, _out, err = self.run_(*argv)
            self.assertEqual(status, 125)
            self.assertIn("no program is named", err)

    def test_commands(self):
        for argv, expected in ([], "sandbox run"), (["walk"], "'walk' is no command; there are: run, doctor"):
            p = subprocess.run([SANDBOX, *argv], text=True, capture_output=True)
            self.assertEqual((p.returncode, p.stdout), (125, ""))
            self.assertIn(expected, p.stderr)

    def test_help_and_version(self):
        for argv in ["--help"], ["run", "--help"], ["run", "--time", "1s", "--help"]:
            p = subprocess.run([SANDBOX, *argv], text=True, capture_output=True)
            self.assertEqual((p.returncode, p.stderr), (0, ""))
            self.assertIn("--copy-out SRC:DST", p.stdout)
        p = subprocess.run([SANDBOX, "--version"], text=True, capture_output=True)
        self.assertRegex(p.stdout, r"^sandbox \d+\.\d+\.\d+\n$")

    def test_every_option_is_in_the_manual_and_tested_here(self):
        text = subprocess.run([SANDBOX, "--help"], text=True, capture_output=True).stdout
        with open(os.path.join(TOP, "man", "sandbox.1")) as f:
            manual = f.read()
        with open(__file__) as f:
            tests = f.read()
        names = [line.split()[0] for line in text.splitlines() if line.startswith("  --")]
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertIn(".It Fl Fl " + name[2:], manual.replace("\\-", "-"))
            self.assertIn(f'"{name}', tests)

    def test_options_end_at_the_program(self):
        self.assertEqual(self.output("echo", "--time", "x"), "--time x\n")
        self.assertEqual(self.output("--time=1s", "--", "echo", "--", "-x"), "-- -x\n")


class Ends(Case):
    def wait_for_run(self):
        p = self.start("--wall", "60s", "--", "sh", "-c", "echo up; sleep 60")
        self.assertEqual(p.stdout.readline(), "up\n")
        self.assertEqual(len(self.folders()), 1)
        return p

    def finish(self, p):
        p.wait(20)
        p.stdout.close()
        p.stderr.close()

    def test_signals_end_the_run_and_clean_up(self):
        for sig in signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT:
            p = self.wait_for_run()
            p.send_signal(sig)
            self.finish(p)
            self.assertEqual(p.returncode, -sig)
            self.assertEqual(self.folders(), [])

    def test_a_killed_sandbox_leaves_no_process_and_the_next_one_cleans_up(self):
        p = self.wait_for_run()
        p.kill()
        self.finish(p)
        for _ in range(500):
            if self.version == 1:
                self.output("--", "true", where=0)
            else:
                self.remove_folders()
            if not self.folders():
                break
            time.sleep(0.01)
        self.assertEqual(self.folders(), [])

    def remove_folders(self):
        """As systemd does with a scope that has ended: on v2 it has handed its controllers down, and no process can enter it any
        more. It only works when nothing lives in there."""
        for folder, _, _ in os.walk(os.path.join(self.cgroup, "0"), topdown=False):
            if "/gavel-" in folder:
                with contextlib.suppress(OSError):
                    os.rmdir(folder)

    def test_processes_that_outlive_the_program(self):
        self.output("--", "sh", "-c", "setsid sleep 60 >/dev/null 2>&1 & exit 0")

    def test_two_at_once(self):
        first = self.wait_for_run()
        self.assertEqual(self.output("--", "echo", "second"), "second\n")
        self.assertIsNone(first.poll())
        first.terminate()
        self.finish(first)


if __name__ == "__main__":
    if not os.access(SANDBOX, os.X_OK):
        sys.exit(f"{SANDBOX} is not built: make")
    unittest.main()
