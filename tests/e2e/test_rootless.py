#!/usr/bin/python3
"""Cells without root: a plain user with subordinate ids and a delegated cgroup has them all, and judges; whatever is missing is
named, with what mends it, and nothing runs. Needs root, to make that user; on cgroup v1 there is one answer to everything."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
import plain_user  # noqa: E402
from plain_user import PlainUser  # noqa: E402

PROGRAMS = os.path.join(TOP, "build/bin")
SANDBOX, SANDBOXD, JUDGE = (os.path.join(PROGRAMS, name) for name in ("sandbox", "sandboxd", "judge"))
RULES = os.path.join(TOP, "rules")
SUBMISSIONS = {"accepted/sum.c": "AC", "wrong_answer/int32.c": "WA", "time_limit_exceeded/busy.c": "TLE",
               "run_time_error/memory_hog.c": "MLE", "run_time_error/forbidden.c": "SV", "compile_error/semicolon.c": "CE"}


def until(what, look):
    ends = time.monotonic() + 60
    while not look():
        if time.monotonic() > ends:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


@unittest.skipIf(os.geteuid() != 0, "needs root, to make the plain user")
class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="gavel-rootless-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)

    def user(self, **how):
        user = PlainUser(**how)
        user.__enter__()
        self.addCleanup(user.__exit__)
        return user

    def crowded_user(self):
        """One who has something else in his leaf: an instance that is alone there takes it for itself."""
        user = self.user()
        somebody = user.start(["/bin/sleep", "600"])
        self.addCleanup(somebody.wait)
        self.addCleanup(somebody.kill)
        return user

    def sandbox(self, user, *options, program=("/bin/true",)):
        return user.run([SANDBOX, "run", *options, "--", *program])

    def refused(self, user, *words, options=(), before=()):
        """Nothing runs, and the reason has these words."""
        status, said = user.run([*before, SANDBOX, "run", *options, "--", "/bin/echo", "it ran"])
        self.assertEqual(status, 125, said)
        self.assertNotIn("it ran", said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(user.left(), [])


@unittest.skipIf(plain_user.has_cgroup_v2(), "for machines with cgroup v1")
class OnCgroupV1(Case):
    def test_v1_is_not_for_plain_users(self):
        user = self.user()
        reason = "cgroup v1, which cannot be handed to a plain user safely: boot with systemd.unified_cgroup_hierarchy=1"
        self.refused(user, "without root: ", reason)
        status, said = user.run([SANDBOXD, "--rules", RULES])
        self.assertEqual(status, 1, said)
        self.assertIn(reason, said)
        status, said = user.run([JUDGE, "verify", "--rules", RULES, os.path.join(TOP, "problems/aplusb")])
        self.assertEqual(status, 3, said)
        self.assertIn(reason, said)
        status, said = user.run([SANDBOX, "doctor", "--json"])
        self.assertEqual(status, 1, said)
        found = json.loads(said)
        self.assertFalse(found["usable"])
        self.assertIn(reason, found["checks"][-1]["detail"])


@unittest.skipUnless(plain_user.has_cgroup_v2(), "needs cgroup v2")
class Sandbox(Case):
    def test_a_program_in_a_cell(self):
        user = self.user()
        status, said = self.sandbox(user, program=("/bin/cat", "/proc/self/uid_map"))
        self.assertEqual(status, 0, said)
        (zero, init, one), (inside, program, one_too) = (map(int, line.split()) for line in said.splitlines())
        self.assertEqual((zero, one, inside, one_too), (0, 1, 1000, 1))
        self.assertEqual((init % 2, program), (0, init + 1))
        self.assertTrue(700001 <= init < program < 700001 + 65536)
        self.assertEqual(user.left(), [])

    def test_limits_hold(self):
        user = self.user()
        for options, script, expected in (
                (("--time", "100ms"), "while :; do :; done", "cpu_time_limit"),
                (("--memory", "16M"), "head -c 64M /dev/zero | tail", "memory_limit"),
                (("--output", "1K"), "yes", "output_limit"),
                (("--wall", "300ms"), "sleep 100", "wall_time_limit")):
            with self.subTest(expected):
                status, said = self.sandbox(user, *options, "--stdout", "/dev/null", "--report", "-",
                                            program=("/bin/sh", "-c", script))
                self.assertEqual(status, 124, said)
                self.assertIn(f'"status": "{expected}"', said)
        status, said = self.sandbox(user, "--processes", "4", program=("/bin/sh", "-c", "for i in 1 2 3 4 5 6; do sleep 1 & done"))
        self.assertNotEqual(status, 0)
        self.assertIn("ork", said)
        self.assertEqual(user.left(), [])

    def test_supplementary_groups_stay_outside(self):
        user = self.user()
        command = user.command([SANDBOX, "run", "--", "/usr/bin/id", "-G"])
        command[command.index("--clear-groups")] = "--groups=4,24,27"
        done = subprocess.run(command, preexec_fn=user.enter, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "1000\n"), done.stderr)

    def test_in_a_cgroup_that_is_not_empty(self):
        """As under systemd-run: the shell, and whatever else was started there, is in the delegated cgroup itself."""
        user = self.user(leaf=False)
        script = f"{SANDBOX} run -- /bin/sleep 1 & {SANDBOX} run -- /bin/echo one && {SANDBOX} run -- /bin/echo two && wait %1"
        status, said = user.run(["/bin/bash", "-c", script])
        self.assertEqual((status, said), (0, "one\ntwo\n"))
        self.assertEqual([os.path.basename(path) for path in user.left()], ["gavel-leaf"])

    def test_alone_it_leaves_its_cgroup_as_it_was(self):
        user = self.user(leaf=False)
        status, said = self.sandbox(user, program=("/bin/echo", "one"))
        self.assertEqual((status, said), (0, "one\n"))
        self.assertEqual(user.left(), [])

    def test_of_systemd_only_what_it_has_marked(self):
        if not os.path.exists("/run/systemd/system"):
            if os.uname().nodename != "gavel-vm":
                self.skipTest("no systemd")
            os.makedirs("/run/systemd/system")
            self.addCleanup(shutil.rmtree, "/run/systemd")
        for leaf in True, False:
            reason = "has other processes in it"
            with self.subTest(leaf=leaf), PlainUser(leaf=leaf, marked=False) as user, user.start(["/bin/sleep", "600"]) as somebody:
                self.refused(user, reason)
                somebody.kill()
            with self.subTest(leaf=leaf), PlainUser(leaf=leaf) as user, user.start(["/bin/sleep", "600"]) as somebody:
                self.assertEqual(self.sandbox(user, program=("/bin/echo", "one")), (0, "one\n"))
                somebody.kill()

    def test_what_root_alone_can_do(self):
        user = self.user()
        self.refused(user, "only root can make private networks", options=("--net", "bridge"))
        image = os.path.join(self.dir, "image")
        with open(image, "wb") as f:
            f.write(b"hsqs" + bytes(4096))
        self.refused(user, "only root can mount an image", options=("--root", image))
        self.assertEqual(self.sandbox(user, "--net", "loopback"), (0, ""))

    def test_nobody_else_can_make_the_cache_of_roots(self):
        """In /var/tmp anybody may have made its folder first, and could change what is beneath."""
        user = self.user()
        layout = os.path.join(self.dir, "layout")
        os.mkdir(layout)
        for name, text in ("oci-layout", '{"imageLayoutVersion": "1.0.0"}'), ("index.json", "{}"):
            with open(os.path.join(layout, name), "w", encoding="utf-8") as f:
                f.write(text)
        folder = f"/var/tmp/gavel-{plain_user.UID}"
        os.mkdir(folder)
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, 65534, 65534)
        os.chmod(folder, 0o777)
        self.refused(user, f"{folder}: must belong to user {plain_user.UID}, and nobody else", options=("--root", layout))

    def test_doctor(self):
        status, said = self.user().run([SANDBOX, "doctor", "--json"])
        self.assertEqual(status, 0, said)
        found = json.loads(said)
        self.assertTrue(found["usable"])
        self.assertEqual([c for c in found["checks"] if c["state"] == "missing"], [])
        detail, = (c["detail"] for c in found["checks"] if c["name"] == "subordinate ids")
        self.assertIn("700001 to 765536", detail)

    def test_ps(self):
        """The user's cells, as the user and as root see them."""
        user = self.crowded_user()
        running = user.start([SANDBOX, "run", "--wall", "600s", "--", "/bin/sleep", "600"])
        self.addCleanup(running.wait)
        self.addCleanup(running.terminate)

        def cells(said):
            return [(cell["name"], cell["tasks"]) for i in json.loads(said)["instances"] if i["uid"] == plain_user.UID for cell in i["cells"]]
        until("the program", lambda: cells(user.run([SANDBOX, "ps", "--json"])[1]) == [("sandbox", 2)])
        root = subprocess.run([SANDBOX, "ps", "--json"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(cells(root), [("sandbox", 2)])

    def test_ids_that_were_not_given(self):
        for subuid, subgid, *words in (
                ("", plain_user.SUBGID, "/etc/subuid gives user cells no ids", "usermod --add-subuids"),
                (plain_user.SUBUID, "", "/etc/subgid gives user cells no ids", "usermod --add-subuids"),
                ("cells:100000", plain_user.SUBGID, "/etc/subuid:1: is not NAME:FIRST:COUNT"),
                ("root:1:2\ncells:many:65536", plain_user.SUBGID, "/etc/subuid:2: is not NAME:FIRST:COUNT"),
                ("cells:0:65536", plain_user.SUBGID, "/etc/subuid:1: gives away id 0"),
                ("cells:100000:2", plain_user.SUBGID, "2 ids: a cell takes two, so give 65536"),
                (plain_user.SUBUID, "61010:100000:1", "1 ids: a cell takes two, so give 65536")):
            with self.subTest(words[0]), PlainUser(subuid, subgid) as user:
                self.refused(user, *words)
                status, said = user.run([SANDBOX, "doctor", "--json"])
                self.assertEqual(status, 1, said)
                check, = (c for c in json.loads(said)["checks"] if c["name"] == "subordinate ids")
                self.assertEqual(check["state"], "missing")
                self.assertIn(words[0], check["detail"])

    def test_a_few_ids_are_enough_for_one_cell(self):
        user = self.user(subuid="cells:100001:3", subgid="cells:100001:3")
        self.assertEqual(self.sandbox(user, program=("/bin/echo", "one")), (0, "one\n"))
        script = f"{SANDBOX} run -- /bin/sleep 2 & sleep 1; {SANDBOX} run -- /bin/echo two; wait %1"
        status, said = user.run(["/bin/bash", "-c", script])
        self.assertEqual(status, 0)
        self.assertIn("no free user ids from 100001 to 100003", said)

    def test_ids_that_newuidmap_refuses(self):
        """The program that writes the maps is asked, whatever we read; its reason is passed on."""
        user = self.user()
        lying = os.path.join(self.dir, "newuidmap")
        with open(lying, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\necho 'newuidmap: not today' >&2\nexit 1\n")
        os.chmod(lying, 0o755)
        self.refused(user, "without root: newuidmap: not today", before=("/usr/bin/env", f"PATH={self.dir}"))
        self.refused(user, "newuidmap: No such file or directory: install the package uidmap",
                     before=("/usr/bin/env", "PATH=/nonexistent"))
        self.refused(user, "no_new_privs is set", before=("/usr/bin/setpriv", "--no-new-privs"))

    def test_user_namespaces_switched_off(self):
        path = "/proc/sys/user/max_user_namespaces"
        if os.uname().nodename != "gavel-vm":
            self.skipTest("would switch them off for the whole machine")
        with open(path, encoding="utf-8") as f:
            most = f.read()
        self.addCleanup(plain_user.write, path, most)
        user = self.user()
        plain_user.write(path, "0")
        self.refused(user, "plain users cannot make user namespaces here")

    def test_cgroups_that_were_not_given(self):
        self.refused(self.user(delegated=False), "/leaf not writable", "systemd-run --scope -p Delegate=yes", "--user")
        self.refused(self.user(controllers=("cpu", "pids")), "the controllers memory and pids are not delegated")
        few = self.user(controllers=("memory", "pids"))
        self.refused(few, "cpu_milli 1000 cannot be enforced: the controller is not delegated")
        most = self.user(controllers=("cpu", "memory", "pids"))
        self.refused(most, "cpu 0 cannot be enforced: the controller is not delegated", options=("--cpu", "0"))
        self.assertEqual(self.sandbox(most, program=("/bin/echo", "one")), (0, "one\n"))


@unittest.skipUnless(plain_user.has_cgroup_v2(), "needs cgroup v2")
class Judging(Case):
    def sandboxd(self, user, *options):
        log = open(os.path.join(self.dir, "log"), "w+", encoding="utf-8")
        self.addCleanup(log.close)
        process = user.start([SANDBOXD, "--rules", RULES, "--cells", "1", "--jury-cells", "1", *options], stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process, log.name

    def test_sandboxd_serves_its_own_user_alone(self):
        user = self.crowded_user()
        for options, words in ((("--allow-uid", "0"), "--allow-uid 0: started by user 61010, sandboxd can serve nobody else"),
                               (("--ids", "1900000000:65536"), "is not within 700001:65536, the subordinate ids"),
                               (("--ids", "765530:8"), "is not within 700001:65536")):
            process, log = self.sandboxd(user, *options)
            self.assertEqual(process.wait(60), 1)
            with open(log, encoding="utf-8") as f:
                self.assertIn(words, f.read())
        process, log = self.sandboxd(user, "--allow-uid", str(plain_user.UID), "--ids", "765529:8")
        path = f"{user.etc}/runtime/gavel/program.sock"
        until("the socket", lambda: process.poll() is not None or os.path.exists(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as root:
            root.settimeout(60)
            root.connect(path)  # root may; but is nobody in there
            self.assertEqual(root.recv(65536), b"")
        script = ("import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(sys.argv[1]);"
                  "sys.stdout.buffer.write(s.recv(65536))")
        status, welcome = user.run(["/usr/bin/python3", "-c", script, path])
        self.assertEqual(status, 0, welcome)
        for layer in ("user namespace", "seccomp", "memory limit", "cpu quota", "own uid and gid", "no capabilities"):
            self.assertIn(layer, welcome)
        self.assertNotIn("device list", welcome)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(user.left(), [])

    def test_sockets_are_where_nobody_else_can_put_any(self):
        user = self.user()
        somebody = user.start(["/bin/sleep", "600"])
        self.addCleanup(somebody.wait)
        self.addCleanup(somebody.kill)
        for name, owner, mode in ("open", plain_user.UID, 0o777), ("of-root", 0, 0o755), ("of-a-stranger", 65534, 0o777):
            folder = os.path.join(self.dir, name)
            os.mkdir(folder)
            os.chown(folder, owner, owner)
            os.chmod(folder, mode)
            process, log = self.sandboxd(user, "--socket", folder)
            self.assertEqual(process.wait(60), 1)
            with open(log, encoding="utf-8") as f:
                self.assertIn(f"{folder}: must belong to user {plain_user.UID}, and nobody else may write to it", f.read())
            self.assertEqual(os.listdir(folder), [])
        self.assertEqual(user.left(), [])

    def test_verify(self):
        """judge verify starts sandboxd as its own user, and judges."""
        for leaf in True, False:
            with self.subTest(leaf=leaf), PlainUser(leaf=leaf) as user:
                package = os.path.join(self.dir, f"problem-{leaf}")
                shutil.copytree(os.path.join(TOP, "problems/aplusb"), package, ignore=shutil.ignore_patterns("submissions"))
                for name in SUBMISSIONS if leaf else ["accepted/sum.c"]:
                    path = os.path.join(package, "submissions", name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    shutil.copy(os.path.join(TOP, "problems/aplusb/submissions", name), path)
                status, said = user.run([JUDGE, "verify", "--json", "--rules", RULES, package])
                self.assertEqual(status, 0, said)
                self.assertEqual([os.path.basename(path) for path in user.left()], [] if leaf else ["gavel-leaf"])


if __name__ == "__main__":
    unittest.main()
