#!/usr/bin/python3
"""Validators of every sad kind, and problems of several passes: what verdict each gives, and what is said of it.  With root."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGE = os.path.join(ROOT, "build/bin/judge")
LIMIT_S = 300

ONE_PASS = "limits: {memory: 64, validation_time: 1, validation_memory: 256}\nvalidation: custom\n"
PASSES = "limits: {memory: 64, validation_time: 5, validation_passes: 3}\nvalidation: custom multi-pass\n"
TALK = "limits: {memory: 64, validation_time: 5, validation_passes: 3}\nvalidation: custom interactive multi-pass\n"

PRELUDE = """import os, signal, sys, time
folder = sys.argv[3]

def write(name, text, mode="w"):
    with open(folder + name, mode) as f:
        f.write(text)

"""

ECHO = "print(input())\n"

# Name, problem.yaml, validator, program, verdict, what the message must have.
CASES = [
    ("crash", ONE_PASS, "os.abort()", ECHO, "JE", "validator: ended by signal 6"),
    ("exception", ONE_PASS, "write('judgemessage.txt', 'so far so good')\nraise ValueError('oh no')", ECHO, "JE",
     "validator: exit code 1, neither 42 nor 43\nso far so goodTraceback"),
    ("zero", ONE_PASS, "sys.exit(0)", ECHO, "JE", "validator: exit code 0, neither 42 nor 43"),
    ("asleep", ONE_PASS, "time.sleep(1000)", ECHO, "JE", "validator: over its wall limit"),
    ("busy", ONE_PASS, "while True: pass", ECHO, "JE", "validator: over its cpu limit"),
    ("greedy", ONE_PASS, "b = bytearray(1 << 30)\nfor i in range(0, len(b), 4096): b[i] = 1", ECHO, "JE",
     "validator: over its memory limit"),
    ("loud", ONE_PASS, "while True: print('x' * 65536)", ECHO, "JE", "validator: over its output limit"),
    # As much feedback as there is room for, and then an exit as if nothing had happened.
    ("ten_gigabytes", ONE_PASS,
     "f = open(folder + 'judgemessage.txt', 'wb', 0)\n"
     "try:\n    for i in range(10 * 1024): f.write(b'words ' * 174763)\nexcept OSError: pass\nsys.exit(42)", ECHO, "AC", ""),
    ("hole", ONE_PASS, "write('judgemessage.txt', 'unseen')\nos.truncate(folder + 'judgemessage.txt', 10 << 30)\nsys.exit(43)",
     ECHO, "WA", "the validator's feedback is lost: "),
    ("many_files", ONE_PASS,
     "try:\n    for i in range(100000): write(f'{i}message.txt', 'x')\nexcept OSError: pass\nsys.exit(42)", ECHO, "AC", ""),
    ("odd_files", ONE_PASS,
     "os.symlink('/etc/passwd', folder + 'judgemessage.txt')\nos.mkdir(folder + 'teammessage.txt')\n"
     "write('judgeimage.png', '\\0')\nsys.exit(43)", ECHO, "WA", None),
    ("steers", ONE_PASS, "write('judgemessage.txt', 'a\\x1b[2Jb\\0c')\nsys.exit(43)", ECHO, "WA", "a\ufffd[2Jb\ufffdc"),
    ("no_folder", ONE_PASS, "os.rmdir(folder)\nsys.exit(42)", ECHO, "AC", ""),
    ("not_asked", ONE_PASS, "write('nextpass.in', 'more')\nsys.exit(42)", ECHO, "AC", ""),

    ("endless", PASSES, "write('nextpass.in', 'again\\n')\nsys.exit(42)", ECHO, "JE",
     "validator: asked for pass 4, limits.validation_passes is 3"),
    ("both", PASSES, "write('nextpass.in', 'again\\n')\nsys.exit(43)", ECHO, "JE",
     "validator: wrote nextpass.in, but did not exit with 42"),
    ("fails", PASSES, "write('nextpass.in', 'again\\n')\nsys.exit(1)", ECHO, "JE", "validator: exit code 1, neither 42 nor 43"),
    ("three", PASSES,
     "said = sys.stdin.read().strip()\n"
     "assert not os.path.exists(folder + 'nextpass.in')\n"
     "assert open(sys.argv[1]).read() == 'first\\n'\n"
     "write('judgemessage.txt', said + ' ', 'a')\n"
     "os.makedirs(folder + 'deep/er', exist_ok=True)\nwrite('deep/er/count', 'x', 'a')\n"
     "n = len(open(folder + 'deep/er/count').read())\n"
     "if n < 3: write('nextpass.in', f'pass {n + 1}\\n')\n"
     "sys.exit(42 if n < 3 else 43)", ECHO, "WA", "first pass 2 pass 3 "),
    ("crash_in_the_second", PASSES, "write('nextpass.in', 'x\\n')\nsys.exit(42)", "assert input() == 'first'\n", "RTE", None),
    ("slow_in_the_second", PASSES, "write('nextpass.in', 'x\\n')\nsys.exit(42)",
     "if input() == 'x':\n    while True: pass\n", "TLE", None),
    ("hole_between", PASSES, "write('state', '')\nos.truncate(folder + 'state', 10 << 30)\nwrite('nextpass.in', 'x\\n')\nsys.exit(42)",
     ECHO, "JE", "the validator's feedback is lost: "),

    ("talk", TALK,
     "n = len(os.listdir(folder))\nprint(n, flush=True)\nsaid = sys.stdin.readline()\n"
     "write(str(n), said)\n"
     "if said != f'got {n}\\n': sys.exit(43)\n"
     "if n == 2: sys.exit(42)\nwrite('nextpass.in', '')\nsys.exit(42)", "print('got', input())\n", "AC", None),
    ("talk_too_long", TALK, "print(1, flush=True)\nsys.stdin.readline()\nwrite('nextpass.in', '')\nsys.exit(42)",
     "print('got', input())\n", "JE", "validator: asked for pass 4"),
    ("talk_dies_in_the_second", TALK, "if os.path.exists(folder + 'x'): os.abort()\nwrite('x', '')\nwrite('nextpass.in', '')\nsys.exit(42)",
     "import sys\nsys.stdin.read()\n", "JE", "validator: ended by signal 6"),
]

POLYGON = """<?xml version="1.0" encoding="utf-8"?>
<problem revision="1" short-name="echo" url="">
  <names><name language="english" value="Echo"/></names>
  <judging input-file="" output-file="">
    <testset name="tests">
      <time-limit>1000</time-limit><memory-limit>67108864</memory-limit><test-count>1</test-count>
      <input-path-pattern>tests/%02d</input-path-pattern><answer-path-pattern>tests/%02d.a</answer-path-pattern>
      <tests><test method="manual"/></tests>
    </testset>
  </judging>
  <assets>
    <checker type="testlib"><source path="files/check.cpp" type="cpp.g++17"/></checker>
    <interactor><source path="files/interact.cpp" type="cpp.g++17"/></interactor>
    <solutions>SOLUTIONS</solutions>
  </assets>
</problem>
"""

# In testlib's way: interact INPUT OUTPUT ANSWER.  Says the number of the input, and writes down what is said of it.
INTERACTOR = r"""
#include <fstream>
#include <iostream>
int main(int argc, char **argv)
{
	std::ifstream in(argv[1]), answer(argv[3]);
	std::string n, word, expected;
	in >> n;
	answer >> expected;
	std::cout << n << std::endl;
	if (argc < 4 || expected.empty()) return 3;
	if (!(std::cin >> word)) { std::cerr << "nothing was said"; return 2; }
	if (word == "fail") return 3;
	std::ofstream(argv[2]) << word;
	std::cerr << "heard " << word;
	return word == "no" ? 1 : 0;
}
"""

# check INPUT OUTPUT ANSWER
CHECKER = r"""
#include <fstream>
#include <iostream>
int main(int, char **argv)
{
	std::ifstream output(argv[2]), answer(argv[3]);
	std::string word, expected;
	output >> word;
	answer >> expected;
	std::cerr << "expected " << expected << ", it was " << word;
	return word == "crash" ? 3 : word == expected ? 0 : 1;
}
"""

SOLUTIONS = [  # name, program, verdict, message
    ("right", "print(int(input()) * 2)", "AC", "expected 14, it was 14"),
    ("wrong", "print(input())", "WA", "expected 14, it was 7"),
    ("refused", "print('no')", "WA", "heard no"),
    ("silent", "input()", "WA", "nothing was said"),
    ("dies", "print(int(input()) * 2, flush=True); raise SystemExit(1)", "RTE", None),
    ("bad_interactor", "print('fail')", "JE", "the interactor failed"),
    ("bad_checker", "print('crash')", "JE", "the checker failed"),
]


class Validators(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="test_validators")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)

    def write(self, path, text):
        full = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)

    def verify(self, packages, *options):
        p = subprocess.run([JUDGE, "verify", "--json", *options, *[os.path.join(self.dir, name) for name in packages]], cwd=ROOT,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=LIMIT_S)
        self.assertIn(p.returncode, (0, 1), p.stderr)
        found = {}
        for package in json.loads(p.stdout)["packages"]:
            self.assertIsNone(package["error"], package)
            found[package["name"]] = package["submissions"][0]
        return found

    def write_case(self, name, yaml, validator, program, *_):
        self.write(f"{name}/problem.yaml", yaml)
        self.write(f"{name}/.timelimit", "1\n")
        self.write(f"{name}/data/secret/1.in", "first\n")
        self.write(f"{name}/data/secret/1.ans", "first\n")
        self.write(f"{name}/output_validators/check.py", PRELUDE + validator + "\n")
        self.write(f"{name}/submissions/accepted/a.py", program)

    def test_all(self):
        for case in CASES:
            self.write_case(*case)
        found = self.verify([case[0] for case in CASES])
        for name, _, _, _, verdict, message in CASES:
            with self.subTest(name):
                got = found[name]
                self.assertEqual(got["verdict"], verdict, got)
                if message == "":
                    self.assertTrue(got["message"] is None or name == "ten_gigabytes", got)
                elif message is not None:
                    self.assertIn(message, got["message"] or "")
        # Of three passes the slowest counts: the second one ran into the limit.
        self.assertGreater(found["slow_in_the_second"]["cpu_time_us"], 900000)

    def test_interactors_and_checkers_of_polygon(self):
        solutions = "".join(f'<solution tag="{"main" if name == "right" else "rejected"}">'
                            f'<source path="solutions/{name}.py" type="python.3"/></solution>' for name, *_ in SOLUTIONS)
        for path, text in (("problem.xml", POLYGON.replace("SOLUTIONS", solutions)), ("tests/01", "7\n"), ("tests/01.a", "14\n"),
                           ("files/interact.cpp", INTERACTOR), ("files/check.cpp", CHECKER),
                           *((f"solutions/{name}.py", program + "\n") for name, program, _, _ in SOLUTIONS)):
            self.write(f"echo/{path}", text)
        p = subprocess.run([JUDGE, "verify", "--json", os.path.join(self.dir, "echo")], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                           timeout=LIMIT_S)
        package = json.loads(p.stdout)["packages"][0]
        self.assertIsNone(package["error"])
        found = {os.path.splitext(os.path.basename(s["name"]))[0]: s for s in package["submissions"]}
        for name, _, verdict, message in SOLUTIONS:
            with self.subTest(name):
                self.assertEqual(found[name]["verdict"], verdict, found[name])
                if message and verdict != "AC":
                    self.assertIn(message, found[name]["message"])

    def test_transcripts(self):
        for case in CASES:
            if case[0].startswith("talk"):
                self.write_case(*case)
        found = self.verify(["talk", "talk_too_long"], "--transcript")
        self.assertEqual(found["talk"]["transcript"], "<0\n>got 0\n---\n<1\n>got 1\n---\n<2\n>got 2\n")
        self.assertEqual(found["talk_too_long"]["transcript"], "---\n".join(["<1\n>got 1\n"] * 3))
        p = subprocess.run([JUDGE, "verify", "--transcript", os.path.join(self.dir, "talk")], cwd=ROOT, stdout=subprocess.PIPE,
                           text=True, timeout=LIMIT_S)
        self.assertIn("--- accepted/a.py\n    <0\n    >got 0\n    ---\n    <1\n", p.stdout)
        self.assertIsNone(self.verify(["talk"])["talk"]["transcript"])


if __name__ == "__main__":
    unittest.main()
