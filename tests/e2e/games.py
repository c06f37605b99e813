"""Interactive games in which either side may do what it should not, and the verdicts that they must get.

A game is a program and an interactor.  Each of the two has a way to behave, which its source says; the interactors are one problem each.
Where both end on their own accord at about the same time either may be the first, so there are pairs with two right verdicts.
"""
import os

from gavel import pb

TIME_LIMIT = "0.3"
VALIDATION_TIME = 2

YAML = f"""name: Game
limits: {{memory: 64, output: 1, validation_time: {VALIDATION_TIME}, validation_memory: 256}}
validation: custom interactive
"""

INTERACTOR = """import os, signal, sys, time

def say(text):
    sys.stdout.write(text)
    sys.stdout.flush()

def play():
    if sys.stdin.readline(100) != "go\\n":
        sys.exit(43)
    say("ok\\n")
    sys.exit(42 if sys.stdin.readline(100) == "bye\\n" else 43)

def crash():
    os.kill(os.getpid(), signal.SIGKILL)

def silent():
    time.sleep(1000)

def listen():
    while sys.stdin.buffer.read(65536):
        pass
    sys.exit(43)

def flood():
    while True:
        say("nonsense\\n" * 1000)

def speech():
    say("blah\\n" * 200000)
    sys.exit(42)

def no():
    sys.exit(43)

def yes():
    sys.exit(42)

def zero():
    sys.exit(0)

def one():
    sys.exit(1)

"""

PROGRAM = """#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[4096];

static int play(void)
{
	puts("go");
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 3;
	puts("bye");
	return 0;
}
static int leave(void) { return 0; }
static int fail(void) { return 1; }
static int crash(void) { abort(); }
static int crash_late(void) { usleep(50000); abort(); }
static int silent(void) { sleep(1000); return 0; }
static int busy(void) { for (volatile long i = 0;; i++); }
static int flood(void) { for (;;) puts("nonsense"); }
static int listen_to_end(void) { while (fread(line, 1, sizeof(line), stdin) > 0); return 0; }
static int deaf(void) { close(0); close(1); sleep(1000); return 0; }

"""

AC, WA, TLE, RTE, JE = (pb.ACCEPTED, pb.WRONG_ANSWER, pb.TIME_LIMIT_EXCEEDED, pb.RUN_TIME_ERROR, pb.JUDGE_ERROR)

PROGRAMS = ("play", "leave", "fail", "crash", "crash_late", "silent", "busy", "flood", "listen_to_end", "deaf")

# By interactor: the verdict for each of PROGRAMS.
BROKEN = (JE, JE, (RTE, JE), (RTE, JE), (RTE, JE), JE, JE, JE, JE, JE)
VERDICTS = {
    "play": (AC, WA, RTE, RTE, RTE, TLE, TLE, WA, TLE, TLE),
    "one": BROKEN,
    "zero": BROKEN,
    "crash": BROKEN,
    "no": (WA, WA, (RTE, WA), (RTE, WA), (RTE, WA), WA, WA, WA, WA, WA),
    "yes": (RTE, AC, RTE, RTE, RTE, TLE, TLE, (RTE, TLE), AC, TLE),
    "silent": (TLE, JE, RTE, RTE, RTE, TLE, TLE, TLE, TLE, TLE),
    "listen": (TLE, WA, RTE, RTE, RTE, TLE, TLE, TLE, TLE, TLE),
    "flood": (JE, JE, RTE, RTE, RTE, TLE, TLE, TLE, TLE, TLE),
    "speech": (AC, AC, RTE, RTE, RTE, TLE, TLE, TLE, AC, TLE),
}

PAIRS = [(i, p) for i in VERDICTS for p in PROGRAMS]


def right(interactor, program):
    """The verdicts that are right."""
    v = VERDICTS[interactor][PROGRAMS.index(program)]
    return v if isinstance(v, tuple) else (v,)


def source(program):
    return (PROGRAM + f"int main(void)\n{{\n\treturn {program}();\n}}\n").encode()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def write_packages(folder):
    """A package for each interactor, called game-..."""
    for name in VERDICTS:
        base = f"{folder}/game-{name}"
        write(f"{base}/problem.yaml", YAML)
        write(f"{base}/.timelimit", TIME_LIMIT)
        write(f"{base}/data/secret/1.in", "\n")
        write(f"{base}/data/secret/1.ans", "\n")
        write(f"{base}/output_validators/{name}.py", INTERACTOR + f"{name}()\n")


class Table:
    """Plays games on a Gavel that has the packages, some at a time, and remembers what came out."""

    def __init__(self, g):
        self.g, self.wrong, self.slowest = g, [], 0.0

    def play(self, interactor, program):
        events = list(self.g.follow(self.g.submit(f"game-{interactor}", "c", "game.c", source(program))))
        runs = [e for e in events if e.kind == pb.Event.Kind.TEST]
        self.slowest = max(self.slowest, (events[-1].at_us - events[0].at_us) / 1e6)
        finished = sum(e.kind == pb.Event.Kind.FINISHED for e in events)
        if events[-1].verdict in right(interactor, program) and finished == 1:
            return
        self.wrong.append(f"{interactor} with {program}: {pb.Verdict.Name(events[-1].verdict)} "
                          f"{runs[-1].run.message if runs else events[-1].message!r}")
