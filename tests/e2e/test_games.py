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


def diagonal(shift):
    """Each interactor once, each program once."""
    return [(i, games.PROGRAMS[(n + shift) % len(games.PROGRAMS)]) for n, i in enumerate(games.VERDICTS)]


class Games(unittest.TestCase):
    def open(self, *options):
        """A Gavel with the packages, for as long as the test."""
        g = gavel.Gavel(problems=(), options=options)
        self.enterContext(g)
        games.write_packages(f"{g.dir}/problems")
        g.start_sandboxd()
        g.start_judged()
        return g

    def play(self, g, pairs):
        table = games.Table(g)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda pair: table.play(*pair), pairs))
        self.assertEqual(table.wrong, [])

    def test_every_game_ends_with_the_right_verdict(self):
        self.play(self.open(), diagonal(0))

    def test_the_same_with_somebody_who_takes_it_down(self):
        g = self.open("--transcript-bytes", "4K")
        self.play(g, diagonal(3))
        run = self.finish(g, "play", "play")
        self.assertEqual((run.verdict, run.passes, run.transcript), (pb.ACCEPTED, 1, ">go\n<ok\n>bye\n"))
        run = self.finish(g, "speech", "listen_to_end")
        self.assertEqual(run.verdict, pb.ACCEPTED)
        self.assertTrue(run.transcript.startswith("<blah\n<blah\n"))
        self.assertTrue(run.transcript.endswith("[the rest is left out]\n"))
        self.assertLess(len(run.transcript), 4200)
        run = self.finish(g, "no", "silent")
        self.assertEqual((run.verdict, run.transcript), (pb.WRONG_ANSWER, ""))

    def finish(self, g, interactor, program):
        submission = g.submit(f"game-{interactor}", "c", "game.c", games.source(program))
        list(g.follow(submission))
        return g.get(submission).runs[0]

    def kill_keepers(self, g):
        at_work = g.keepers(at_work=True)
        for pid in (at_work[0], at_work[-1]):
            os.kill(pid, signal.SIGKILL)

    def kill_sandboxd(self, g):
        g.kill_sandboxd()
        g.start_sandboxd()

    def kill_judged(self, g):
        g.judged.kill()
        g.start_judged()

    def test_whatever_is_killed_there_is_one_verdict(self):
        """In the midst of games that take half a second."""
        g = self.open()
        for kill in (self.kill_keepers, self.kill_sandboxd, self.kill_judged):
            ids = [g.submit("game-play", "python3", "slow.py", SLOW, request_id=f"{kill.__name__}-{i}") for i in range(4)]
            until("games to be played", lambda: len(g.keepers(at_work=True)) == 4)
            kill(g)
            for submission in ids:
                events = list(g.follow(submission))
                with self.subTest(kill.__name__):
                    self.assertEqual([e.seq for e in events], list(range(1, len(events) + 1)))
                    self.assertEqual([e.verdict for e in events if e.kind == Kind.FINISHED], [pb.ACCEPTED])


if __name__ == "__main__":
    unittest.main()
