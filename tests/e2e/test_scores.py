#!/usr/bin/python3
"""Scores, seen through judge verify: graders that a package brings, right and broken ones.  Needs root."""
import json
import os
import unittest

import test_verify

HALF = """import sys
lines = [line.split() for line in sys.stdin]
right = sum(code == "AC" for code, score in lines)
print("AC" if 2 * right >= len(lines) else "WA", 10 * right + len(sys.argv) - 1)
"""


class Scores(test_verify.Verify):
    def graded(self, name, grader):
        package = self.package(name)
        self.write(f"{name}/problem.yaml", "type: scoring\nvalidation: custom\nlimits: {memory: 64}\n")
        self.write(f"{name}/output_validators/check.py", "import sys\n"
                   "sys.exit(42 if sys.stdin.read().split() == open(sys.argv[2]).read().split() else 43)\n")
        self.write(f"{name}/graders/grade.py", grader)
        self.write(f"{name}/data/testdata.yaml", "on_reject: continue\ngrader_flags: ignore_sample\n")
        self.write(f"{name}/data/secret/testdata.yaml", "on_reject: continue\ngrading: custom\ngrader_flags: a b\n")
        return package

    def result(self, package):
        _, out, err = self.verify("--json", package)
        report = json.loads(out)["packages"][0]
        self.assertEqual((report["error"], err), (None, ""))
        return {s["name"]: (s["verdict"], s["score"], s["message"]) for s in report["submissions"]}

    def test_graders_of_packages(self):
        # bad.py is right for 7 and -7 only if it adds: 1 - 2, 5 - 5 and 7 + 7 are all wrong
        got = self.result(self.graded("half", HALF))
        self.assertEqual(got["accepted/good.py"][:2], ("AC", "22"))
        self.assertEqual(got["wrong_answer/bad.py"][:2], ("WA", None))

    def test_broken_graders_are_judge_errors(self):
        for name, grader, why in (("silent", "pass\n", 'expected one line like "AC 10"'),
                                  ("dies", "raise SystemExit(3)\n", "exit code 3, expected 0"),
                                  ("talks", "print('AC 1')\nprint('AC 1')\n", 'expected one line like "AC 10"')):
            with self.subTest(name):
                verdict, score, message = self.result(self.graded(name, grader))["accepted/good.py"]
                self.assertEqual((verdict, score), ("JE", None))
                self.assertIn(why, message)


def load_tests(_loader, _tests, _pattern):
    """Only what is written here: the class brings the tests of its parent along."""
    return unittest.TestSuite(Scores(n) for n in vars(Scores) if n.startswith("test_"))


if __name__ == "__main__":
    unittest.main()
