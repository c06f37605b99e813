#!/usr/bin/python3
"""Nothing that was acknowledged is lost or judged twice, whatever is killed while 50 submissions are on their way.

judged is killed by itself, at counted points (judge/failpoint.h): before and after the commit of each verb of the store that
a submission passes, and around compiling and running.  sandboxd and its keepers are killed when an event says that
judging has come to a certain place.
"""
import concurrent.futures
import os
import signal
import sqlite3
import unittest

import gavel
from gavel import ROOT, pb, until

PROGRAMS = "build/debug/bin"  # with failpoints
COUNT = 50
CLIENTS = 4

Kind = pb.Event.Kind

# File, verdict: the four ways through judging, in turn.
SOLUTIONS = [
    ("accepted/sum.c", pb.ACCEPTED),
    ("wrong_answer/int32.c", pb.WRONG_ANSWER),
    ("compile_error/semicolon.c", pb.COMPILE_ERROR),
    ("run_time_error/null.c", pb.RUN_TIME_ERROR),
]


def solution(i):
    path, verdict = SOLUTIONS[i % len(SOLUTIONS)]
    with open(f"{ROOT}/problems/aplusb/submissions/{path}", "rb") as f:
        return os.path.basename(path), f.read(), verdict


class Flood:
    """COUNT submissions by CLIENTS clients that repeat what was not answered."""

    def __init__(self, g):
        self.g = g
        self.pool = concurrent.futures.ThreadPoolExecutor(CLIENTS)
        self.answers = [self.pool.submit(self.submit, i) for i in range(COUNT)]

    def submit(self, i):
        name, content, _ = solution(i)
        return self.g.submit("aplusb", "c", name, content, request_id=f"request-{i}")

    def id(self, i):
        return self.answers[i].result(2 * gavel.PATIENCE_S)

    def ids(self):
        return [self.id(i) for i in range(COUNT)]

    def wait_for(self, i, kind):
        """Returns when submission number i has come to an event of this kind."""
        for event in self.g.follow(self.id(i)):
            if event.kind == kind:
                return
        raise AssertionError(f"submission {i} never came to {Kind.Name(kind)}")


class KillTest(unittest.TestCase):
    def check_all(self, g, flood):
        """Waits for all and checks each; returns how many attempts were restarted."""
        ids = flood.ids()
        restarts = sum(self.check_one(g, ids[i], solution(i)[2]) for i in range(COUNT))
        self.assertEqual(sorted(s.id for s in g.list()), sorted(ids), "each request made one submission")
        g.stop()
        self.check_state(g)
        return restarts

    def check_one(self, g, submission, verdict):
        events = list(g.follow(submission))
        kinds = [e.kind for e in events]
        story = " ".join(f"{e.seq}:{Kind.Name(e.kind)}/{e.attempt}" for e in events)
        self.assertEqual([e.seq for e in events], list(range(1, len(events) + 1)), story)
        self.assertEqual((kinds[0], kinds[-1]), (Kind.QUEUED, Kind.FINISHED), story)
        self.assertEqual((kinds.count(Kind.FINISHED), kinds.count(Kind.CANCELLED)), (1, 0), story)
        self.assertEqual(pb.Verdict.Name(events[-1].verdict), pb.Verdict.Name(verdict), f"{story} {events[-1].message}")
        s = g.get(submission)
        self.assertEqual((s.state, s.verdict), (pb.FINISHED, verdict), story)
        restarts = kinds.count(Kind.RESTARTED)
        self.assertEqual(s.attempt, restarts + 1, story)
        last = events[len(kinds) - 1 - kinds[::-1].index(Kind.RESTARTED):] if restarts else events
        tests = [(e.run.test, e.run.verdict) for e in last if e.kind == Kind.TEST]
        self.assertEqual(tests, [(r.test, r.verdict) for r in s.runs], story)
        self.assertEqual([t for t, _ in tests], list(range(1, len(tests) + 1)), story)
        self.assertEqual(len(tests) > 0, verdict != pb.COMPILE_ERROR, story)
        return restarts

    def check_state(self, g):
        """The same, asked of the database itself."""
        db = sqlite3.connect(f"{g.state}/gavel.db")
        ask = lambda sql: db.execute(sql).fetchone()[0]  # noqa: E731
        self.assertEqual(ask("PRAGMA integrity_check"), "ok")
        self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])
        self.assertEqual(ask("SELECT count(*) FROM submission"), COUNT)
        self.assertEqual(ask("SELECT count(*) FROM judgement WHERE state = 3"), COUNT)
        self.assertEqual(ask("SELECT count(DISTINCT judgement) FROM event WHERE kind = 6"), COUNT)
        self.assertEqual(ask("SELECT count(*) FROM event WHERE kind IN (6, 7)"), COUNT)
        self.assertEqual(ask("SELECT count(*) FROM job"), 0)
        db.close()

    def await_death(self, g):
        self.assertEqual(g.judged.process.wait(gavel.PATIENCE_S), -signal.SIGKILL)


class JudgedTest(KillTest):
    def kill_at(self, point, count):
        with gavel.Gavel(PROGRAMS) as g:
            g.start_sandboxd()
            g.start_judged({"GAVEL_FAILPOINT": f"{point}:{count}"})
            flood = Flood(g)
            self.await_death(g)
            self.assertLess(len(g.judged.lines("judged")), COUNT, "it was killed too late to mean anything")
            g.start_judged()
            return self.check_all(g, flood)

    def test_submit(self):
        self.kill_at("submit.before", 20)
        self.kill_at("submit.after", 20)

    def test_claim(self):
        self.kill_at("claim.before", 15)
        self.assertGreater(self.kill_at("claim.after", 15), 0)

    def test_compile(self):
        self.assertGreater(self.kill_at("compile.before", 15), 0)
        self.assertGreater(self.kill_at("compile.after", 15), 0)

    def test_run(self):
        self.assertGreater(self.kill_at("run.before", 70), 0)
        self.assertGreater(self.kill_at("run.after", 70), 0)

    def test_append(self):
        self.assertGreater(self.kill_at("append.before", 90), 0)
        self.assertGreater(self.kill_at("append.after", 90), 0)

    def test_finish(self):
        self.assertGreater(self.kill_at("finish.before", 25), 0)
        self.kill_at("finish.after", 25)

    def test_again_while_it_recovers(self):
        with gavel.Gavel(PROGRAMS) as g:
            g.start_sandboxd()
            g.start_judged({"GAVEL_FAILPOINT": "finish.before:10"})
            flood = Flood(g)
            self.await_death(g)
            for point in ("open.before:1", "open.after:1"):
                g.start_judged({"GAVEL_FAILPOINT": point}, ready=False)
                self.await_death(g)
            for point in ("claim.after:5", "finish.after:5"):
                g.start_judged({"GAVEL_FAILPOINT": point})
                self.await_death(g)
            g.start_judged()
            self.assertGreater(self.check_all(g, flood), 0)


class SandboxdTest(KillTest):
    MOMENTS = ((6, Kind.COMPILING), (16, Kind.TEST), (27, Kind.TEST), (36, Kind.COMPILED), (44, Kind.TEST))

    def test_master(self):
        with gavel.Gavel(PROGRAMS) as g:
            g.start_sandboxd()
            g.start_judged()
            flood = Flood(g)
            for moment in self.MOMENTS:
                flood.wait_for(*moment)
                g.kill_sandboxd()
                g.start_sandboxd()
            self.assertGreater(self.check_all(g, flood), 0)

    def test_keeper(self):
        with gavel.Gavel(PROGRAMS) as g:
            g.start_sandboxd()
            g.start_judged()
            flood = Flood(g)
            for killed, moment in enumerate(self.MOMENTS, 1):
                flood.wait_for(*moment)
                os.kill(until("a keeper at work", lambda: g.keepers(at_work=True))[0], signal.SIGKILL)
                g.sandboxd.wait_for("keeper_killed", killed)
                until("another keeper", lambda: len(g.keepers()) == 2 * g.cells)
            self.check_all(g, flood)


if __name__ == "__main__":
    unittest.main(verbosity=2)
