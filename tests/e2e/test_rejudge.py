#!/usr/bin/python3
"""Rejudging: a problem's data was wrong, is corrected, and what was judged by it is judged again; whatever is killed meanwhile."""
import concurrent.futures
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import gavel
from gavel import ROOT, pb, until

JUDGE = os.path.join(ROOT, "build/bin/judge")
ANSWER = "problems/aplusb/data/secret/10-carry.ans"
Kind = pb.Event.Kind
State = pb.Rejudging.State


def program(name):
    return os.path.join(ROOT, "problems/aplusb/submissions", name)


def spoil(g):
    """Makes one answer wrong, so that a right program is judged wrong."""
    with open(f"{g.dir}/{ANSWER}", "w") as f:
        f.write("4711\n")


def correct(g):
    with open(f"{ROOT}/{ANSWER}") as right, open(f"{g.dir}/{ANSWER}", "w") as f:
        f.write(right.read())


def restart(g):
    """A package is read when judged starts."""
    g.judged.stop()
    g.start_judged()


class RejudgeCli(unittest.TestCase):
    """The tests share one Gavel and go from one to the next by name."""

    @classmethod
    def setUpClass(cls):
        cls.gavel = gavel.Gavel()
        cls.gavel.__enter__()
        cls.addClassCleanup(cls.gavel.__exit__, None, None, None)
        spoil(cls.gavel)
        cls.gavel.start_sandboxd()
        cls.gavel.start_judged()
        cls.environment = {**os.environ, "JUDGE_SERVER": cls.gavel.address, "TZ": "UTC"}
        cls.right = cls.submit("accepted/sum.c", "-a", "right", status=1)
        cls.python = cls.submit("accepted/sum.py", "-a", "right too", status=1)
        cls.wrong = cls.submit("wrong_answer/int32.c", "-a", "wrong", status=1)
        cls.broken = cls.submit("compile_error/semicolon.c", "-a", "broken", status=1)
        correct(cls.gavel)
        restart(cls.gavel)

    @classmethod
    def judge(cls, *argv, status=0):
        """(standard output, standard error) of a command that must exit so."""
        done = subprocess.run([JUDGE, *argv], env=cls.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)
        if done.returncode != status:
            raise AssertionError(f"{argv} ended with {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    @classmethod
    def submit(cls, name, *options, status):
        said = cls.judge("submit", "-p", "aplusb", *options, program(name), status=status)[0]
        return said.split()[1]

    def verdict(self, submission):
        return pb.Verdict.Name(self.gavel.get(submission).verdict)

    def made(self, said):
        return re.match(r"rejudging ([0-9a-f]{32})\n", said)[1]

    def test_1_wrong_usage(self):
        waiting = self.submit("time_limit_exceeded/asleep.py", "--no-wait", status=0)
        for argv, words in (
                ((), "which submissions?"),
                (("--all", "-p", "aplusb"), "filter.all: is set, but so are other fields"),
                (("-p", "nosuch"), 'filter.problem: no problem is called "nosuch"'),
                (("-l", "klingon"), 'filter.language: no language is called "klingon"'),
                (("0" * 32,), "filter.submissions: no submission '" + "0" * 32),
                (("12",), "filter.submissions[0]: must be 32 lower-case hexadecimal digits"),
                (("appyl", "0" * 32), "filter.submissions[0]: must be 32 "),
                (("--verdict", "fine", "--all"), '--verdict: "fine" is not one of'),
                (("--since", "yesterday"), '--since: "yesterday" is no moment; write 2026-01-31'),
                (("--since", "2026-02-30x"), "is no moment"),
                (("--since", "1h", "--until", "2h"), "filter.submitted_until_us: is not after"),
                (("--since", "2101-01-31"), "filter: no submission that has a verdict matches"),
                (("--until", "2001-01-31T14:05:09Z"), "filter: no submission that has a verdict matches"),
                (("-a", "nobody"), "filter: no submission that has a verdict matches"),
                ((waiting,), "has no verdict yet"),
                (("--all", "--apply", "--dry-run"), "exclude each other"),
                (("--all", "--apply", "--no-wait"), "--apply has to wait"),
                (("apply",), "the id of a rejudging is missing"),
                (("apply", "0" * 32), "id: no rejudging '" + "0" * 32),
                (("cancel", "12"), "id: must be 32 lower-case hexadecimal digits"),
                (("list", "-p", "aplusb"), "rejudge list: options that say which submissions"),
                (("list", "more"), '"more" is too much'),
                (("show", "0" * 32, "x"), '"x" is too much')):
            with self.subTest(argv):
                self.assertIn(words, self.judge("rejudge", *argv, status=2)[1])
        self.judge("cancel", waiting)
        self.assertIn("was cancelled", self.judge("rejudge", waiting, status=2)[1])
        self.assertEqual(self.judge("rejudge", "list")[0], "")

    def test_2_what_it_would_be(self):
        for argv, count in ((("--all",), 4), (("-p", "aplusb", "--verdict", "wrong-answer"), 3), (("-l", "python3"), 1),
                            (("--since", "1d"), 4), ((self.right, self.right, self.wrong), 2), (("-a", "wrong"), 1)):
            with self.subTest(argv):
                self.assertRegex(self.judge("rejudge", "--dry-run", *argv)[0], f"^{count} submissions? to judge again\n$")
        self.assertEqual(self.judge("rejudge", "list")[0], "")

    def test_3_cancelled(self):
        id = self.made(self.judge("rejudge", self.right, "--no-wait")[0])
        self.assertIn(id, self.judge("rejudge", "--all", status=2)[1])
        until("the new verdict", lambda: " 1 of 1\n" in self.judge("rejudge", "show", id)[0])
        self.assertRegex(self.judge("rejudge", "cancel", id)[0], r"(?m)^state +cancelled$")
        self.assertIn("was cancelled", self.judge("rejudge", "apply", id, status=2)[1])
        self.assertEqual(self.verdict(self.right), "WRONG_ANSWER")

    def test_4_applied(self):
        watched = self.gavel.watch(self.right, keep_open=True)
        said, _ = self.judge("rejudge", "-p", "aplusb", "--reason", "10-carry was wrong")
        id = self.made(said)
        self.assertRegex(said, r"(?m)^ +2  wrong answer +accepted$")
        self.assertRegex(said, r"(?m)^ +1  wrong answer +the same$")
        self.assertRegex(said, r"(?m)^ +1  compile error +the same$")
        rows = re.findall(r"(?m)^([0-9a-f]{32})  aplusb .*wrong answer +accepted +(.*)$", said)
        self.assertEqual(rows, [(self.right, "right"), (self.python, "right too")])
        self.assertIn(f"judge rejudge apply {id}", said)
        self.assertEqual(self.verdict(self.right), "WRONG_ANSWER", "not before it is applied")
        self.assertEqual(len([e for e in self.gavel.watch(self.right) if e.kind == Kind.REJUDGED]), 0)
        self.assertRegex(self.judge("rejudge", "list")[0].splitlines()[0], rf"^{id} .* ready .* 4 of 4 .*10-carry was wrong$")
        self.assertRegex(self.judge("rejudge", "apply", id)[0], r"(?m)^state +applied$")
        self.judge("rejudge", "apply", id)
        for event in watched:
            if event.kind == Kind.REJUDGED:
                break
        watched.cancel()
        self.assertEqual((event.verdict, event.message), (pb.ACCEPTED, "10-carry was wrong"))
        self.assertEqual([self.verdict(s) for s in (self.right, self.python, self.wrong, self.broken)],
                         ["ACCEPTED", "ACCEPTED", "WRONG_ANSWER", "COMPILE_ERROR"])
        self.assertTrue(self.judge("watch", self.right)[0].endswith("rejudged: accepted: 10-carry was wrong\n"))
        shown = self.judge("status", "--judgements", self.right)[0]
        self.assertEqual(re.findall("(?m)^verdict +(.*)$", shown), ["accepted", "wrong answer", "accepted", "accepted"])
        self.assertEqual(len(re.findall(f"(?m)^rejudging +{id}$", shown)), 1)
        self.assertEqual(len(self.gavel.get(self.right).runs), 12)

    def test_5_at_once_and_as_json(self):
        said = self.judge("rejudge", "--json", "--same-version", "--apply", self.right, self.broken)[0]
        made, difference, applied = [json.loads(line) for line in said.splitlines()]
        self.assertEqual((made["state"], made["total"], applied["state"]), ("JUDGING", 2, "APPLIED"))
        self.assertEqual((difference["rejudging"]["judged"], difference["rejudging"]["changed"]), (2, 0))
        self.assertEqual(difference["changes"], [{"old_verdict": v, "new_verdict": v, "count": 1}
                                                 for v in ("ACCEPTED", "COMPILE_ERROR")])
        two = [json.loads(line) for line in self.judge("status", "--json", "--judgements", self.right)[0].splitlines()]
        self.assertEqual([j["current"] for j in two[1]["judgements"]], [False, False, False, True])
        self.assertEqual(json.loads(self.judge("rejudge", "list", "--json", "-n", "1")[0])["id"], made["id"])


class RejudgeKill(unittest.TestCase):
    """judged dies again and again while a careful client has everything judged again: once, and nothing is lost."""

    COUNT = 6
    POINTS = ("rejudge_begin.before:1", "rejudge_begin.after:1", "rejudge_add.before:1", "rejudge_add.after:1",
              "rejudge_open.before:1", "rejudge_open.after:1", "claim.after:1", "append.before:3", "finish.before:2",
              "finish.after:2", "apply.before:1", "apply.after:1", "settle.before:1", "settle.after:1")
    CANCEL_POINTS = ("cancel_rejudging.before:1", "cancel_rejudging.after:1", "settle.before:1", "settle.after:1")

    def create(self, g, request_id):
        request = pb.CreateRejudgingRequest(filter=pb.SubmissionFilter(all=True), request_id=request_id)
        return g.call("CreateRejudging", request, pb.Rejudging, again=True).id

    def cancel(self, g):
        id = self.create(g, "another")
        return g.call("CancelRejudging", pb.CancelRejudgingRequest(id=id), pb.Rejudging, again=True)

    def rejudge(self, g):
        id = self.create(g, "once")
        get = pb.GetRejudgingRequest(id=id)
        until("all new verdicts", lambda: g.call("GetRejudging", get, pb.GetRejudgingResponse,
                                                 again=True).rejudging.state == State.READY)
        return g.call("ApplyRejudging", pb.ApplyRejudgingRequest(id=id), pb.Rejudging, again=True)

    def rules_of_c(self):
        """The rules with one language, so that judged, which asks each for its version, starts quickly."""
        folder = tempfile.mkdtemp(prefix="gavel-rules-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        shutil.copytree(f"{ROOT}/rules", f"{folder}/rules")
        for name in os.listdir(f"{folder}/rules/languages"):
            if name != "c.yaml":
                os.unlink(f"{folder}/rules/languages/{name}")
        return f"{folder}/rules"

    def die_at(self, g, points):
        """One life of judged for each point, and then one that goes on."""
        g.judged.stop()
        for point in points:
            g.start_judged({"GAVEL_FAILPOINT": point}, ready=False)
            self.assertEqual(g.judged.process.wait(gavel.PATIENCE_S), -signal.SIGKILL, point)
        g.start_judged()

    def test_everywhere(self):
        with gavel.Gavel("build/debug/bin", rules=self.rules_of_c()) as g, concurrent.futures.ThreadPoolExecutor(1) as pool:
            spoil(g)
            g.start_sandboxd()
            g.start_judged()
            with open(program("accepted/sum.c"), "rb") as f:
                source = f.read()
            ids = [g.submit("aplusb", "c", "sum.c", source, request_id=f"r{i}") for i in range(self.COUNT)]
            for id in ids:
                self.assertEqual(list(g.follow(id))[-1].verdict, pb.WRONG_ANSWER)
            correct(g)
            g.judged.stop()
            applied = pool.submit(self.rejudge, g)
            self.die_at(g, self.POINTS)
            self.assertEqual(applied.result(gavel.PATIENCE_S).state, State.APPLIED)
            g.judged.stop()
            cancelled = pool.submit(self.cancel, g)
            self.die_at(g, self.CANCEL_POINTS)
            self.assertEqual(cancelled.result(gavel.PATIENCE_S).state, State.CANCELLED)
            for id in ids:
                s, events = g.get(id), list(g.follow(id))
                self.assertEqual((s.verdict, len(s.runs)), (pb.ACCEPTED, 12))
                self.assertEqual([e.seq for e in events], list(range(1, len(events) + 1)))
                self.assertEqual([e.kind for e in events[-2:]], [Kind.FINISHED, Kind.REJUDGED])
            g.stop()
            self.check_state(g)

    def check_state(self, g):
        db = sqlite3.connect(f"{g.state}/gavel.db")
        ask = lambda sql: db.execute(sql).fetchone()[0]  # noqa: E731
        self.assertEqual(ask("PRAGMA integrity_check"), "ok")
        self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
        applied, cancelled = db.execute("SELECT n, state, total, judged, changed FROM rejudging ORDER BY n").fetchall()
        self.assertEqual(applied[1:], (State.APPLIED, self.COUNT, self.COUNT, self.COUNT))
        self.assertEqual(cancelled[1:3], (State.CANCELLED, self.COUNT))
        self.assertEqual(ask("SELECT count(*) FROM judgement WHERE rejudging IS NULL AND state = 3"), self.COUNT)
        self.assertEqual(ask(f"SELECT count(*) FROM judgement WHERE rejudging = {applied[0]} AND state = 3"), self.COUNT)
        self.assertEqual(ask(f"SELECT count(*) FROM judgement WHERE rejudging = {cancelled[0]} AND state = 3"), cancelled[3])
        self.assertEqual(ask("SELECT count(*) FROM judgement WHERE state IN (1, 2)"), 0)
        self.assertEqual(ask(f"SELECT count(*) FROM judgement WHERE current = 1 AND rejudging = {applied[0]}"), self.COUNT)
        self.assertEqual(ask("SELECT count(*) FROM rejudged WHERE open = 1"), 0)
        self.assertEqual(ask("SELECT count(*) FROM event WHERE kind = 8"), self.COUNT)
        self.assertEqual(ask("SELECT count(*) FROM job"), 0)
        db.close()


if __name__ == "__main__":
    unittest.main()
