#!/usr/bin/python3
"""Gavel to a client that it did not write: @grpc/grpc-js of npm, which learns the API from the server's reflection and, again,
from proto/judge.proto; submits, watches every event of the verdict and reads the result."""
import base64
import json
import os
import shutil
import subprocess
import sys
import unittest

from gavel import ROOT, Gavel

HERE = os.path.join(ROOT, "tests/e2e/node")
INSTALLED = os.path.join(ROOT, "build/e2e-node")
TESTS = 12  # of problems/aplusb
SUBMISSIONS = os.path.join(ROOT, "problems/aplusb/submissions")


def install():
    """The client's packages, in build/; only when they are not there yet."""
    os.makedirs(INSTALLED, exist_ok=True)
    wanted, have = os.path.join(HERE, "package.json"), os.path.join(INSTALLED, "package.json")
    done = os.path.join(INSTALLED, "done")
    if os.path.exists(done) and open(wanted).read() == open(have).read():
        return
    shutil.copy(wanted, have)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
                   cwd=INSTALLED, check=True)
    open(done, "w").close()


def run_client(address, source_of_api, language, source):
    """What client.js printed: {"event": [...], ...}, each key with all its values in order."""
    done = subprocess.run(["node", os.path.join(HERE, "client.js"), address, source_of_api, "aplusb", language,
                           os.path.join(SUBMISSIONS, source)],
                          env={**os.environ, "NODE_PATH": os.path.join(INSTALLED, "node_modules")},
                          stdout=subprocess.PIPE, timeout=120, check=True, text=True)
    said = {}
    for line in done.stdout.splitlines():
        for key, value in json.loads(line).items():
            said.setdefault(key, []).append(value)
    return said


class GrpcJs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        install()
        cls.gavel = Gavel()
        cls.gavel.__enter__()
        cls.addClassCleanup(cls.gavel.__exit__, None, None, None)
        cls.gavel.start_sandboxd()
        cls.gavel.start_judged()

    def expect_events(self, said, kinds, verdict):
        events = said["event"]
        self.assertEqual([int(e["seq"]) for e in events], list(range(1, len(events) + 1)))
        self.assertEqual([e["kind"] for e in events], kinds)
        self.assertEqual(events[-1]["verdict"], verdict)
        submission = said["submission"][0]
        self.assertEqual(submission["id"], said["id"][0])
        self.assertEqual((submission["state"], submission["verdict"]), ("FINISHED", verdict))
        return submission, [e["run"] for e in events if e["kind"] == "TEST"]

    def test_accepted_through_reflection(self):
        said = run_client(self.gavel.address, "reflection", "c", "accepted/sum.c")
        self.assertEqual(said["services"][0], ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                               "grpc.reflection.v1alpha.ServerReflection", "judge.v1.Judge"])
        self.assertEqual(said["unknown_symbol"], [5])
        self.assertEqual(said["health"], ["SERVING"])
        submission, runs = self.expect_events(
            said, ["QUEUED", "COMPILING", "COMPILED"] + ["TEST"] * TESTS + ["FINISHED"], "ACCEPTED")
        self.assertEqual([r["test"] for r in runs], list(range(1, TESTS + 1)))
        self.assertTrue(all(r["verdict"] == "ACCEPTED" and int(r["usage"]["wall_time_us"]) > 0 for r in runs))
        self.assertEqual(len(submission["runs"]), TESTS)
        self.assertEqual(submission["author"], "grpc-js")
        with open(os.path.join(SUBMISSIONS, "accepted/sum.c"), "rb") as f:
            content = submission["sources"][0]["content"]
            self.assertEqual(bytes(content["data"]) if isinstance(content, dict) else base64.b64decode(content), f.read())

    def test_wrong_answer_through_the_file(self):
        said = run_client(self.gavel.address, os.path.join(ROOT, "proto"), "c", "wrong_answer/int32.c")
        submission, runs = self.expect_events(
            said, ["QUEUED", "COMPILING", "COMPILED"] + ["TEST"] * len(said["submission"][0]["runs"]) + ["FINISHED"],
            "WRONG_ANSWER")
        self.assertEqual([r["verdict"] for r in runs], ["ACCEPTED"] * (len(runs) - 1) + ["WRONG_ANSWER"])
        self.assertLess(len(runs), TESTS)
        self.assertEqual([(r["name"], r["verdict"]) for r in submission["runs"]], [(r["name"], r["verdict"]) for r in runs])

    def test_errors_keep_code_and_words(self):
        said = run_client(self.gavel.address, "reflection", "c", "compile_error/semicolon.c")
        self.assertEqual(said["refused"], [{"code": 5, "message": 'problem: no problem is called "../etc"'}])
        self.assertTrue(any(l["name"] == "c" and l["available"] and "gcc" in l["version"] for l in said["languages"][0]))
        submission = said["submission"][0]
        self.assertEqual(submission["verdict"], "COMPILE_ERROR")
        self.assertIn("semicolon.c", submission["compiler_message"])


if __name__ == "__main__":
    # --install is for who will run the test where there is no network.
    if sys.argv[1:] == ["--install"]:
        install()
    else:
        unittest.main()
