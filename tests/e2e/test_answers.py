#!/usr/bin/python3
"""Handing in outputs instead of a program: what Submit takes and refuses, and what becomes of it.  With root."""
import os
import subprocess
import unittest

import gavel
from gavel import ROOT, pb

PACKAGE = f"{ROOT}/problems/squares/submissions"


def files(folder):
    found = []
    for name in sorted(os.listdir(f"{PACKAGE}/{folder}")):
        with open(f"{PACKAGE}/{folder}/{name}", "rb") as f:
            found.append((name, f.read()))
    return found


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.g = gavel.Gavel(cells=1, problems=("squares", "aplusb"))
        cls.g.__enter__()
        cls.g.start_sandboxd()
        cls.g.start_judged()

    @classmethod
    def tearDownClass(cls):
        cls.g.__exit__(None, None, None)

    def submit(self, sources, language="", problem="squares"):
        request = pb.SubmitRequest(problem=problem, language=language)
        for name, content in sources:
            request.sources.add(name=name, content=content)
        return self.g.call("Submit", request, pb.SubmitResponse).id

    def judge(self, folder, language=""):
        submission = self.submit(files(folder), language)
        events = list(self.g.follow(submission))
        return events[-1].verdict, self.g.get(submission)

    def test_outputs_are_judged(self):
        for language in ("", "none"):
            verdict, s = self.judge("accepted/all", language)
            self.assertEqual((verdict, s.language, len(s.runs)), (pb.ACCEPTED, "none", 6))
            self.assertEqual((s.runs[0].usage.cpu_time_us, s.runs[0].usage.output_bytes), (0, len("1 2 3 3\n")))
        verdict, s = self.judge("wrong_answer/one_missing")
        self.assertEqual((verdict, s.runs[-1].name, s.runs[-1].message),
                         (pb.WRONG_ANSWER, "secret/power", "no file was handed in for this test"))
        verdict, s = self.judge("compile_error/no_such_test")
        self.assertEqual((verdict, s.compiler_message), (pb.COMPILE_ERROR, "eleven.out: there is no such test"))

    def test_more_than_the_problem_allows(self):
        squares = dict(files("accepted/all"))
        limit = self.g.call("GetProblem", pb.GetProblemRequest(name="squares"), pb.Problem).code_limit_bytes
        squares["example.out"] = b"1 2 3 3" + b" " * limit
        with self.assertRaisesRegex(gavel.grpc.RpcError, "sources: .* allows"):
            self.submit(squares.items())

    def test_what_is_no_answer_is_refused(self):
        for sources, language, problem, message in (
            (files("accepted/all"), "c", "squares", 'language: problem "squares" takes outputs, not programs: expected "none"'),
            ([("", b"1 2 3 3\n")], "", "squares", "sources.0..name: is empty; expected TEST.out"),
            ([("example.out", b"")], "", "squares", "sources.0..content: is empty"),
            ([("a.c", b"int main;")], "none", "aplusb", 'language: no language is called "none"'),
        ):
            with self.subTest(message), self.assertRaisesRegex(gavel.grpc.RpcError, message):
                self.submit(sources, language, problem)

    def test_the_kind_is_told(self):
        problem = self.g.call("GetProblem", pb.GetProblemRequest(name="squares"), pb.Problem)
        self.assertEqual(list(problem.types), ["submit-answer"])
        problem = self.g.call("GetProblem", pb.GetProblemRequest(name="aplusb"), pb.Problem)
        self.assertEqual(list(problem.types), [])

    def test_with_the_client(self):
        folder = f"{PACKAGE}/accepted/all"
        p = subprocess.run([f"{ROOT}/build/bin/judge", "submit", "-s", self.g.address, "-p", "squares",
                            *[f"{folder}/{name}" for name in os.listdir(folder)]], stdout=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((p.returncode, p.stdout.splitlines()[-1]), (0, "accepted"), p.stdout)


if __name__ == "__main__":
    unittest.main()
