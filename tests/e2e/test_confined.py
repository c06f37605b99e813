#!/usr/bin/python3
"""The running daemons hold no more than they need, and still judge: looked at from outside, in /proc."""
import os
import unittest

from gavel import Gavel


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def threads(pid):
    return os.listdir(f"/proc/{pid}/task")


class Confined(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gavel = Gavel()
        cls.gavel.__enter__()
        cls.gavel.start_sandboxd()
        cls.gavel.start_judged()

    @classmethod
    def tearDownClass(cls):
        cls.gavel.__exit__(None, None, None)

    def test_judged_has_a_filter_in_every_thread_and_no_capability(self):
        pid = self.gavel.judged.pid
        self.assertGreater(len(threads(pid)), 1)
        for thread in threads(pid):
            seen = status(f"{pid}/task/{thread}")
            self.assertEqual(seen["Seccomp"], "2", seen["Name"])
            self.assertEqual(seen["NoNewPrivs"], "1")
            for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(seen[key], 16), 0, key)
        log = self.log("judged")
        self.assertIn("event=confined no_new_privs=1 capabilities=0 landlock=", log)
        self.assertIn("seccomp=1", log)

    def test_keepers_have_few_of_roots_rights(self):
        for pid in self.gavel.keepers():
            seen = status(pid)
            self.assertEqual(seen["NoNewPrivs"], "1")
            self.assertLessEqual(bin(int(seen["CapPrm"], 16)).count("1"), 5)
            self.assertEqual(int(seen["CapBnd"], 16) & ~int(seen["CapPrm"], 16), 0)

    def log(self, name):
        with open(f"{self.gavel.dir}/{name}.log") as f:
            return f.read()


if __name__ == "__main__":
    unittest.main()
