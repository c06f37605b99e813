#!/usr/bin/python3
"""`sandbox doctor`, `ps` and `inspect`, with a real sandboxd, real cells, hostile names and users without rights."""
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("SANDBOX_BIN", os.path.join(TOP, "build", "bin"))
SANDBOX = os.path.join(BIN, "sandbox")
NOBODY = 65534
PATIENCE_S = 60
COLUMNS = 100

HOSTILE = "e\033[2J\nx\\"
HOSTILE_SCRIPT = r'''f=$(printf 'e\033[2J\nx\\'); cp /bin/cat "$f"; echo ready; exec "./$f"'''


def sandbox(*argv, user=None, **more):
    """(exit status, standard output, standard error)"""
    if user is not None:
        more.update(user=user, group=user, extra_groups=[])
    p = subprocess.run([SANDBOX, *argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=PATIENCE_S, **more)
    return p.returncode, p.stdout, p.stderr


def instances(**more):
    status, out, err = sandbox("ps", "--json", **more)
    if status:
        raise AssertionError(err)
    return json.loads(out)["instances"]


def instance_of(pid):
    return next((i for i in instances() if i["pid"] == pid), None)


def until(what, look):
    ends = time.monotonic() + PATIENCE_S
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > ends:
            raise AssertionError(f"waited {PATIENCE_S} s for {what}")
        time.sleep(0.05)


class Case(unittest.TestCase):
    def safe(self, text):
        """Nothing but printable ASCII and ends of lines, and no line much wider than a terminal but for paths."""
        self.assertRegex(text, r"\A[\n\x20-\x7e]*\Z")
        for line in text.splitlines():
            if len(line) > COLUMNS:
                self.assertRegex(line, r"/\S{40,}", line)

    def start(self, script, *options):
        """A program in a cell of its own `sandbox run`, once it has said that it is ready; it lives until its input ends."""
        p = subprocess.Popen([SANDBOX, "run", *options, "--policy", "compiler", "--wall", "50s", "--", "sh", "-c", script],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, p)
        self.assertEqual(p.stdout.readline(), "ready\n")
        return p

    def end(self, p):
        p.stdin.close()
        p.stdout.close()
        self.assertEqual(p.wait(PATIENCE_S), 0)


class Arguments(Case):
    def test_bad_ones(self):
        for argv, expected in ((["doctor", "x"], "no arguments"), (["doctor", "--rules"], "needs a folder"),
                               (["ps", "--rules", "r"], "no option"), (["ps", "--jsn"], "'--jsn' is no option"),
                               (["inspect"], "CELL or PID is missing"), (["inspect", "a", "b"], "only one"),
                               (["inspect", "\033[31m", "\033[31m"], "'\\x1b[31m'")):
            status, out, err = sandbox(*argv)
            self.assertEqual((status, out), (2, ""), argv)
            self.assertIn(expected, err)
            self.safe(err)

    def test_help(self):
        for command in "doctor", "ps", "inspect":
            status, out, err = sandbox(command, "--help")
            self.assertEqual((status, err), (0, ""))
            self.assertTrue(out.startswith(f"usage: sandbox {command}"), out)

    def test_no_such_cell(self):
        for name, expected in (("no-such", "there is no cell 'no-such'"), ("0", "'0' is no process id"),
                               ("99999999999999999999", "is no process id"), ("12x", "is no process id"),
                               (str(os.getpid()), "is in no cell"), ("\033[31m", "'\\x1b[31m'"), ("", "no cell ''")):
            status, out, err = sandbox("inspect", name)
            self.assertEqual((status, out), (1, ""), name)
            self.assertIn(expected, err)
            self.safe(err)


class Doctor(Case):
    def check(self, status, text, user=None):
        found = json.loads(sandbox("doctor", "--json", user=user)[1])
        self.assertEqual(set(found), {"version", "usable", "missing", "warnings", "checks"})
        self.assertEqual(found["usable"], status == 0)
        for c in found["checks"]:
            self.assertEqual(set(c), {"group", "name", "state", "detail", "mend"}, c)
            self.assertIn(c["state"], ("ok", "warning", "missing"))
            self.assertTrue(c["detail"], c)
            if c["state"] == "missing":
                self.assertTrue(c["mend"], c)
            self.assertRegex(text, rf"(?m)^  (ok|warning|missing) +{re.escape(c['name'])} ")
        self.assertEqual(found["missing"], sum(c["state"] == "missing" for c in found["checks"]))
        self.safe(text)
        return {c["name"]: c for c in found["checks"]}

    @unittest.skipIf(os.geteuid() != 0, "cells need root")
    def test_opens_a_cell(self):
        status, text, err = sandbox("doctor")
        self.assertEqual((status, err), (0, ""), text)
        checks = self.check(status, text)
        self.assertRegex(checks["opened"]["detail"], r"^opened in .*s; a program ran in it in .*s$")
        self.assertIn("Cells can be opened", text)

    def test_no_rules(self):
        status, text, _err = sandbox("doctor", "--rules", "/nonexistent")
        self.assertEqual(status, 1)
        self.assertRegex(text, r"(?m)^  missing +rules +/nonexistent")
        self.assertIn("No cell can be opened", text)

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_a_user_without_rights(self):
        # Where a plain user may not make cgroups, which is so for this one: nothing is delegated to it.
        status, text, _err = sandbox("doctor", user=NOBODY)
        self.assertEqual(status, 1, text)
        checks = self.check(status, text, user=NOBODY)
        self.assertEqual(checks["opened"]["state"], "missing")
        self.assertEqual(checks["delegation"]["state"], "missing")

    @unittest.skipIf(os.geteuid() != 0, "cells need root")
    def test_answer_is_that_of_the_cell(self):
        """With /proc masked as in a container, whatever this kernel makes of it: status and last line agree with sandbox run."""
        mask = "mount -n --bind /dev/null /proc/timer_list && exec \"$@\""
        really = subprocess.run(["unshare", "-m", "sh", "-c", mask, "-", SANDBOX, "run", "--", "true"], stderr=subprocess.PIPE)
        p = subprocess.run(["unshare", "-m", "sh", "-c", mask, "-", SANDBOX, "doctor"], stdout=subprocess.PIPE, text=True)
        self.assertEqual(p.returncode, 0 if really.returncode == 0 else 1, really.stderr)
        self.assertRegex(p.stdout, r"(?m)^  warning +/proc +masked: /proc/timer_list")

    def test_colours_on_a_terminal_only(self):
        def on_terminal(environment):
            master, slave = pty.openpty()
            p = subprocess.Popen([SANDBOX, "doctor"], stdin=slave, stdout=slave, stderr=slave,
                                 env={**os.environ, **environment})
            os.close(slave)
            out = b""
            while True:
                try:
                    piece = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                if not piece:
                    break
                out += piece
            os.close(master)
            p.wait(PATIENCE_S)
            return out
        self.assertIn(b"\033[", on_terminal({"NO_COLOR": ""}))
        self.assertNotIn(b"\033[", on_terminal({"NO_COLOR": "1"}))
        self.assertNotIn("\033", sandbox("doctor")[1])


@unittest.skipIf(os.geteuid() != 0, "cells need root")
class Daemon(Case):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="gavel-see-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.log = open(f"{self.dir}/log", "w+")
        self.addCleanup(self.log.close)
        self.sandboxd = subprocess.Popen([f"{BIN}/sandboxd", "--socket", f"{self.dir}/run", "--rules", f"{TOP}/rules",
                                          "--cells", "2", "--jury-cells", "1"], stderr=self.log, stdin=subprocess.DEVNULL)
        self.addCleanup(self.stop)
        until("three idle cells", lambda: sorted(c["state"] for c in self.cells()) == ["idle"] * 3)

    def stop(self):
        self.sandboxd.terminate()
        self.assertEqual(self.sandboxd.wait(PATIENCE_S), 0)
        self.assertIsNone(instance_of(self.sandboxd.pid))

    def cells(self):
        if self.sandboxd.poll() is not None:
            raise AssertionError(open(f"{self.dir}/log").read())
        return (instance_of(self.sandboxd.pid) or {"cells": []})["cells"]

    def states(self):
        return {c["name"]: c["state"] for c in self.cells()}

    def test_ps(self):
        mine = instance_of(self.sandboxd.pid)
        self.assertEqual((mine["program"], mine["uid"], mine["alive"]), ("sandboxd", 0, True))
        self.assertRegex(mine["name"], r"^gavel-[0-9a-f]{8}$")
        self.assertEqual([c["name"] for c in mine["cells"]], ["jury-1", "program-1", "program-2"])
        for c in mine["cells"]:
            with open(f"/proc/{c['init_pid']}/status") as f:
                status = f.read()
            self.assertRegex(status, rf"(?m)^PPid:\t{c['keeper_pid']}$")
            self.assertRegex(status, r"(?m)^NSpid:\t\d+\t1$")
            self.assertIn(c["init_pid"], c["pids"])
            self.assertGreater(c["memory_bytes"], 0)
            self.assertIsInstance(c["cpu_time_us"], int)
            for group in c["cgroups"]:
                self.assertTrue(os.path.isdir(group["path"]), group)
        status, text, err = sandbox("ps")
        self.assertEqual((status, err), (0, ""))
        self.safe(text)
        self.assertRegex(text, rf"(?m)^{mine['name']}  sandboxd, pid {self.sandboxd.pid}, user root$")
        self.assertRegex(text, rf"(?m)^  program-2 +idle +{mine['cells'][2]['init_pid']} ")

    def test_a_client_makes_a_cell_serving(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(f"{self.dir}/run/program.sock")
            client.settimeout(PATIENCE_S)
            self.assertTrue(client.recv(65536))  # the welcome
            states = self.states()
            self.assertEqual(sorted(states.values()), ["idle", "idle", "serving"])
            self.assertEqual(states["jury-1"], "idle")
        until("all idle again", lambda: sorted(self.states().values()) == ["idle"] * 3)

    def test_a_user_without_rights(self):
        mine = next(i for i in instances(user=NOBODY) if i["name"] == instance_of(self.sandboxd.pid)["name"])
        self.assertEqual(len(mine["cells"]), 3)
        # Nothing is said that could not be seen.
        self.assertEqual({c["state"] for c in mine["cells"]} - {"unknown", "starting"}, set())
        status, text, _err = sandbox("ps", user=NOBODY)
        self.assertEqual(status, 0)
        self.assertIn("Not root", text)
        status, out, _err = sandbox("inspect", f"{mine['name']}/jury-1", "--json", user=NOBODY)
        found = json.loads(out)
        self.assertFalse(found["complete"])
        self.assertEqual({n["own"] for n in found["namespaces"]}, {None})
        self.assertIsNone(found["network"])
        text = sandbox("inspect", f"{mine['name']}/jury-1", user=NOBODY)[1]
        self.safe(text)
        self.assertIn("Not root", text)

    def test_inspect_an_idle_cell(self):
        name = instance_of(self.sandboxd.pid)["name"]
        status, out, err = sandbox("inspect", f"{name}/program-1", "--json")
        self.assertEqual((status, err), (0, ""))
        found = json.loads(out)
        self.assertEqual((found["instance"], found["cell"], found["state"], found["complete"]),
                         (name, "program-1", "idle", True))
        self.assertNotIn("program", [t["role"] for t in found["tasks"]])
        own = {n["kind"]: n["own"] for n in found["namespaces"]}
        self.assertEqual(own, {"user": True, "pid": True, "mnt": True, "net": True, "ipc": True, "uts": True,
                               "cgroup": True, "time": False})
        for n in found["namespaces"]:
            self.assertEqual(n["host"], os.stat(f"/proc/self/ns/{n['kind']}").st_ino)
        # By a process in it: the same.
        status, out, err = sandbox("inspect", str(found["init_pid"]), "--json")
        self.assertEqual(json.loads(out)["cell"], "program-1")
        self.safe(sandbox("inspect", f"{name}/program-1")[1])


@unittest.skipIf(os.geteuid() != 0, "cells need root")
class Run(Case):
    def test_a_hostile_program(self):
        p = self.start(HOSTILE_SCRIPT, "--net", "loopback", "--processes", "9", "--memory", "50M", "--cpus", "0.5")

        def program():
            mine = instance_of(p.pid)
            status, out, err = sandbox("inspect", f"{mine['name']}/sandbox", "--json")
            self.assertEqual((status, err), (0, ""))
            found = json.loads(out)
            return next(((found, t) for t in found["tasks"] if t["name"] == HOSTILE), None)
        found, task = until("the hostile program", program)
        self.assertEqual(found["state"], "running")
        self.assertEqual((task["role"], task["pids"], task["seccomp"], task["uid"]["inside"]),
                         ("program", [task["pid"], 2], "filter", 1000))
        self.assertTrue(task["no_new_privs"])
        self.assertEqual({name: names for name, names in task["capabilities"].items() if names}, {})
        self.assertEqual(task["exe"], "/box/" + HOSTILE)
        with open(f"/proc/{task['pid']}/uid_map") as f:
            self.assertEqual([[m["inside"], m["host"], m["count"]] for m in found["uid_map"]],
                             [list(map(int, line.split())) for line in f])
        self.check_groups(found, task)
        self.assertEqual([(i["name"], i["up"], i["addresses"]) for i in found["network"]],
                         [("lo", True, ["127.0.0.1/8", "::1/128"])])
        points = {m["point"]: m for m in found["mounts"]}
        with open(f"/proc/{task['pid']}/mountinfo") as f:
            self.assertEqual(list(points), [line.split()[4] for line in f])
        self.assertTrue(points["/usr"]["options"].startswith("ro,nosuid,nodev"))
        self.assertEqual(task["resource_limits"]["Max open files"], {"soft": "256", "hard": "256", "unit": "files"})
        text = sandbox("inspect", str(task["pid"]))[1]
        self.safe(text)
        self.assertIn(r"e\x1b[2J\x0ax\\", text)
        self.assertRegex(text, r"(?m)^  time +\d+ +shared with the host$|^  time .*shared with the host$")
        ps = sandbox("ps")[1]
        self.safe(ps)
        self.assertRegex(ps, rf"(?m)^  sandbox +running +{found['init_pid']} +{p.pid} ")

    def run_of(self, found, pid):
        """The group of the run that the process is in; in a hierarchy without limits for it, it stays with init."""
        return next(g for g in found["groups"] if g["name"] not in (".", "init") and
                    any(pid in h["tasks"] for h in g["hierarchies"]))

    def check_groups(self, found, task):
        groups = {g["name"]: g for g in found["groups"]}
        run = self.run_of(found, task["pid"])
        self.assertEqual((run["limits"]["memory_bytes"], run["limits"]["processes"], run["limits"]["cpu_milli"]),
                         (50 << 20, 9, 500))
        self.assertIn(run["limits"]["swap_bytes"], (0, None))
        self.assertGreaterEqual(run["use"]["processes"], 1)
        self.assertGreater(run["use"]["memory_bytes"], 0)
        self.assertGreaterEqual(run["use"]["memory_peak_bytes"] or 1 << 60, run["use"]["memory_bytes"])
        self.assertGreater(groups["."]["use"]["cpu_time_us"], 0)
        # Task → groups and group → tasks tell the same: every hierarchy that lists it is in its own list.
        for h in run["hierarchies"]:
            self.assertIn(task["pid"], h["tasks"])
            self.assertTrue(any(h["path"].endswith(g["path"]) for g in task["cgroups"] if g["path"] != "/"), h)
        self.assertIn(found["init_pid"], groups["init"]["hierarchies"][0]["tasks"])

    def test_threads(self):
        p = self.start("exec python3 -c 'import threading,sys\nt = threading.Thread(target=sys.stdin.read); t.start()\n"
                       "print(\"ready\", flush=True); t.join()'")
        found = json.loads(sandbox("inspect", f"{instance_of(p.pid)['name']}/sandbox", "--json")[1])
        program = next(t for t in found["tasks"] if t["role"] == "program")
        self.assertEqual([t["pids"][1] for t in program["threads"]], [3])
        thread = program["threads"][0]
        run = self.run_of(found, program["pid"])
        for h in run["hierarchies"]:
            self.assertIn(thread["pid"], h["tasks"])
        # A thread's number names the cell too.
        self.assertEqual(json.loads(sandbox("inspect", str(thread["pid"]), "--json")[1])["init_pid"], found["init_pid"])

    def test_two_of_one_name(self):
        a, b = (self.start("echo ready; exec cat") for _ in range(2))
        status, _out, err = sandbox("inspect", "sandbox")
        self.assertEqual(status, 1)
        self.assertIn("several instances have a cell 'sandbox'", err)
        for p in a, b:
            self.assertEqual(sandbox("inspect", f"{instance_of(p.pid)['name']}/sandbox")[0], 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[1:])
