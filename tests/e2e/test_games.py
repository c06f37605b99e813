#!/usr/bin/python3
"""Interactive games with sides that die, flood and stay silent: every one ends, with the right verdict and only one.  With root."""
import concurrent.futures
import os
import signal
import unittest

import games
import gavel
from gavel import pb, until

Kind = pb.Event.Kind

CLIENTS = 4

SLOW = b"""
import time
print("go", flush=True)
time.sleep(0.25)
input()
time.sleep(0.25)
print("bye", flush=True)
"""


def open_gavel(*options):
    g = gavel.Gavel(problems=(), options=options)
    g.__enter__()
    try:
        games.write_packages(f"{g.dir}/problems")
        g.start_sandboxd()
        g.start_judged()
    except BaseException:
        g.__exit__(None, None, None)
        raise
    return g


def diagonal(shift):
    """Each interactor once, each program once."""
    return [(i, games.PROGRAMS[(n + shift) % len(games.PROGRAMS)]) for n, i in enumerate(games.VERDICTS)]


class Games(unittest.TestCase):
    def play(self, pairs, *options):
        g = open_gavel(*options)
        try:
            table = games.Table(g)
            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda pair: table.play(*pair), pairs))
            self.assertEqual(table.wrong, [])
        finally:
            g.__exit__(None, None, None)

    def test_every_game_ends_with_the_right_verdict(self):
        self.play(diagonal(0))

    def test_the_same_with_somebody_who_takes_it_down(self):
        self.play(diagonal(3), "--transcript-bytes", "4K")

    def test_transcripts(self):
        g = open_gavel("--transcript-bytes", "4K")
        try:
            run = g.get(self.finish(g, "play", "play")).runs[0]
            self.assertEqual((run.verdict, run.passes, run.transcript), (pb.ACCEPTED, 1, ">go\n<ok\n>bye\n"))
            run = g.get(self.finish(g, "speech", "listen_to_end")).runs[0]
            self.assertEqual(run.verdict, pb.ACCEPTED)
            self.assertTrue(run.transcript.startswith("<blah\n<blah\n"))
            self.assertTrue(run.transcript.endswith("[the rest is left out]\n"))
            self.assertLess(len(run.transcript), 4200)
            run = g.get(self.finish(g, "no", "silent")).runs[0]
            self.assertEqual((run.verdict, run.transcript), (pb.WRONG_ANSWER, ""))
        finally:
            g.__exit__(None, None, None)

    def finish(self, g, interactor, program):
        submission = g.submit(f"game-{interactor}", "c", "game.c", games.source(program))
        list(g.follow(submission))
        return submission

    def check_killed(self, kill):
        """Games that take half a second; whatever is killed in the midst of them, each gets its verdict, once."""
        g = open_gavel()
        try:
            ids = [g.submit("game-play", "python3", "slow.py", SLOW, request_id=f"slow-{i}") for i in range(4)]
            until("a game to be played", lambda: len(g.keepers(at_work=True)) == 4)
            kill(g)
            for submission in ids:
                events = list(g.follow(submission))
                self.assertEqual([e.seq for e in events], list(range(1, len(events) + 1)))
                self.assertEqual([e.verdict for e in events if e.kind == Kind.FINISHED], [pb.ACCEPTED])
        finally:
            g.__exit__(None, None, None)

    def test_judged_is_killed(self):
        def kill(g):
            g.judged.kill()
            g.start_judged()
        self.check_killed(kill)

    def test_a_keeper_of_either_side_is_killed(self):
        def kill(g):
            at_work = g.keepers(at_work=True)
            for pid in (at_work[0], at_work[-1]):
                os.kill(pid, signal.SIGKILL)
        self.check_killed(kill)

    def test_sandboxd_is_killed(self):
        def kill(g):
            g.kill_sandboxd()
            g.start_sandboxd()
        self.check_killed(kill)


if __name__ == "__main__":
    unittest.main()
