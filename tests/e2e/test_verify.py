#!/usr/bin/python3
"""judge verify, the program: verdicts of the example packages, wrong expectations, broken and hostile packages, and
that nothing is left behind.  Needs root; every test has a temporary folder of its own."""
import glob
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGE = os.path.join(ROOT, "build/bin/judge")
SANDBOXD = os.path.join(ROOT, "build/bin/sandboxd")
PROBLEMS = os.path.join(ROOT, "problems")
LIMIT_S = 600

READ_TWO = "a, b = map(int, input().split())\n"
GOOD = READ_TWO + "print(a + b)\n"
BAD = READ_TWO + "print(a - b)\n"


def session_members(sid):
    """Processes of a session that still run."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == sid and fields[0] != "Z":
            found.append(int(pid))
    return found


def until(condition, seconds=15):
    """Waits for something that happens soon."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Verify(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="test_verify")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir)
        self.tmp = os.path.join(self.dir, "tmp")
        os.mkdir(self.tmp)

    def write(self, path, text):
        full = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as f:
            f.write(text)

    def package(self, name="tiny"):
        """A package that is right, quick to judge."""
        self.write(f"{name}/problem.yaml", "name: Tiny\nlimits: {memory: 64}\n")
        self.write(f"{name}/.timelimit", "1\n")
        for case, text, answer in (("sample/1", "1 2", "3"), ("secret/1", "5 5", "10"), ("secret/2", "7 -7", "0")):
            self.write(f"{name}/data/{case}.in", text + "\n")
            self.write(f"{name}/data/{case}.ans", answer + "\n")
        self.write(f"{name}/submissions/accepted/good.py", GOOD)
        self.write(f"{name}/submissions/wrong_answer/bad.py", BAD)
        return os.path.join(self.dir, name)

    def start(self, *args, cwd=ROOT, user=None):
        before = (lambda: os.setuid(user)) if user else None
        return subprocess.Popen([JUDGE, "verify", *args], cwd=cwd, env={**os.environ, "TMPDIR": self.tmp},
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                start_new_session=True, preexec_fn=before)

    def verify(self, *args, **how):
        p = self.start(*args, **how)
        try:
            out, err = p.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            os.kill(p.pid, signal.SIGTERM)
            p.communicate()
            raise
        self.assert_nothing_left(p.pid)
        return p.returncode, out, err

    def assert_nothing_left(self, sid):
        self.assertTrue(until(lambda: not session_members(sid)), f"processes left: {session_members(sid)}")
        self.assertEqual(os.listdir(self.tmp), [])

    def expect_refused(self, path, *texts):
        status, out, err = self.verify(path)
        self.assertEqual(status, 1, out + err)
        for text in texts:
            self.assertIn(text, out)

    def examples(self):
        """All of them; in the machine of tests/vm, where a Java compiler takes minutes, without the programs in such languages."""
        if os.uname().nodename != "gavel-vm":
            return PROBLEMS

        def leave_out(folder, names):
            return [name for name in names if "/submissions" in folder and name.endswith((".java", ".go", ".rs", ".js"))]
        folder = os.path.join(self.dir, "problems")
        shutil.copytree(PROBLEMS, folder, ignore=leave_out)
        return folder

    def test_examples_get_their_verdicts(self):
        folder = self.examples()
        names = sorted(e.name for e in os.scandir(folder) if e.is_dir())
        self.assertGreaterEqual(len(names), 4)
        status, out, err = self.verify("--json", *[f"{folder}/{n}" for n in names])
        report = json.loads(out)
        wrong = [(p["name"], s) for p in report["packages"] for s in p["submissions"] if not s["as_expected"]]
        self.assertEqual((status, wrong, err), (0, [], ""))
        self.assertTrue(report["as_expected"])
        self.assertEqual([p["name"] for p in report["packages"]], names)
        got = {s["verdict"] for p in report["packages"] for s in p["submissions"]}
        self.assertLessEqual({"AC", "WA", "TLE", "MLE", "OLE", "RTE", "SV", "CE"}, got)
        for p in report["packages"]:
            polygon = os.path.exists(os.path.join(folder, p["name"], "problem.xml"))
            programs = glob.glob(os.path.join(folder, p["name"], "submissions/*/*")) or \
                glob.glob(os.path.join(folder, p["name"], "solutions/*"))  # of a Polygon package
            self.assertEqual(len(p["submissions"]), len(programs))

    def test_table_says_all(self):
        status, out, err = self.verify(self.package())
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("tiny: Tiny, 3 tests, 1 s, 64 MiB", out)
        self.assertRegex(out, r"ok +accepted/good\.py +python3 +AC +AC +0\.\d+ s +\d+\.\d MiB")
        self.assertRegex(out, r"ok +wrong_answer/bad\.py +python3 +WA +WA .* sample/1")
        self.assertIn("tiny: 2 of 2 as expected", out)

    def test_runs_may_have_a_cpu_to_themselves(self):
        status, out, err = self.verify("--pin", "0", "--jobs", "2", self.package())
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("tiny: 2 of 2 as expected", out)
        status, _out, err = self.verify("--pin", "none", self.package())
        self.assertEqual(status, 3)
        self.assertIn("--pin: 'none' is not a list of CPUs", err)
        status, _out, err = self.verify("--pin", "0", "--socket", "/nowhere", self.package())
        self.assertEqual(status, 2)
        self.assertIn("--pin: the sandboxd of --socket has that option itself", err)

    def test_a_wrong_expectation_is_named(self):
        package = shutil.copytree(os.path.join(PROBLEMS, "aplusb"), os.path.join(self.dir, "aplusb"))
        subs = os.path.join(package, "submissions")
        for folder in ("compile_error", "run_time_error", "time_limit_exceeded"):
            shutil.rmtree(os.path.join(subs, folder))
        for name in ("Sum.java", "sum.go", "sum.rs", "sum.js"):
            os.remove(os.path.join(subs, "accepted", name))
        os.rename(os.path.join(subs, "accepted/sum.c"), os.path.join(subs, "wrong_answer/sum.c"))
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (1, ""), out)
        self.assertRegex(out, r"(?m)^BAD wrong_answer/sum\.c +c +WA +AC ")
        self.assertIn("wrong_answer/sum.c: expected WA, got AC", out)
        self.assertEqual(out.count("BAD"), 1)
        status, out, _ = self.verify("--json", package)
        report = json.loads(out)
        bad = [s for s in report["packages"][0]["submissions"] if not s["as_expected"]]
        self.assertEqual((status, report["as_expected"]), (1, False))
        self.assertEqual([(s["name"], s["expected"], s["verdict"]) for s in bad], [("wrong_answer/sum.c", ["WA"], "AC")])

    def test_the_reason_and_the_test_are_told(self):
        package = self.package()
        self.write("tiny/submissions/accepted/late.py", READ_TWO + "print(a + b if a == 1 else 99)\n")
        self.expect_refused(package, "accepted/late.py: expected AC, got WA on secret/1: "
                            "token 1, line 1: expected '10', got '99'")

    def zip(self, package, name="tiny.zip", **more):
        """The package as an archive, with more entries."""
        path = os.path.join(self.dir, name)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for folder, _, files in os.walk(package):
                for file in files:
                    full = os.path.join(folder, file)
                    archive.write(full, os.path.relpath(full, os.path.dirname(package)))
            for entry, text in more.items():
                archive.writestr(entry.replace("_up_", "../"), text)
        return path

    def test_archives(self):
        package = self.package()
        status, out, err = self.verify(self.zip(package), self.zip(package, "other.kpp"))
        self.assertEqual((status, err), (0, ""), out)
        self.assertEqual(out.count("tiny: 2 of 2 as expected"), 2)
        self.expect_refused(self.zip(package, _up_evil="x"), '../evil: "..", "." and empty names are not allowed')
        self.write("text.zip", "hello")
        self.expect_refused(os.path.join(self.dir, "text.zip"), "not a zip archive, or its end is missing")

    def test_several_packages_one_broken(self):
        good = self.package("good")
        self.package("broken")
        self.write("broken/problem.yaml", "name: x\nlimts: {}\n")
        status, out, err = self.verify(os.path.join(self.dir, "broken"), good)
        self.assertEqual((status, err), (1, ""))
        self.assertIn('problem.yaml:2: unknown key "limts": did you mean "limits"?', out)
        self.assertIn("good: 2 of 2 as expected", out)

    def test_broken_packages_are_told_apart(self):
        for path, text, message in (
            ("problem.yaml", "type: scored\n", "problem.yaml:1: type: expected pass-fail or scoring"),
            ("problem.yaml", "validation: custom interactive\n", "validation: custom, but there is no program in output_validators"),
            (".timelimit", "never\n", ".timelimit:1: expected the time limit in seconds"),
            ("data/secret/3.in", "1 1\n", "data/secret/3.in: there is no 3.ans"),
            ("submissions/perfect/a.py", GOOD, "submissions/perfect: expected a folder that names a verdict"),
        ):
            with self.subTest(path=path, text=text):
                package = self.package()
                self.write(f"tiny/{path}", text)
                self.expect_refused(package, message)
                shutil.rmtree(package)

    def test_no_submissions_is_not_success(self):
        package = self.package()
        shutil.rmtree(os.path.join(package, "submissions"))
        self.expect_refused(package, "submissions: there is no program to judge")

    def test_a_language_that_is_not_there(self):
        package = self.package()
        self.write("tiny/submissions/accepted/good.apl", "x")
        self.expect_refused(package, 'accepted/good.apl: expected AC, got no verdict: "good.apl": no language')

    def test_expectations_of_a_2025_09_package(self):
        package = self.package()
        os.remove(os.path.join(package, ".timelimit"))
        self.write("tiny/problem.yaml", "problem_format_version: 2025-09\nname: Tiny\nuuid: 1\nlimits: {time_limit: 0.5, memory: 64}\n")
        late = "import time\n" + READ_TWO + "print(a + b if a != 7 else exec('while True: pass'))\n"
        self.write("tiny/submissions/mixed/late.py", late)
        self.write("tiny/submissions/mixed/wrong_then_late.py", late.replace("a + b if", "a - b if"))
        self.write("tiny/submissions/time_limit_exceeded/nearly.py",
                   "import time\n" + READ_TWO + "while time.process_time() < 0.6: pass\nprint(a + b)\n")
        self.write("tiny/submissions/submissions.yaml",
                   "mixed/late.py:\n  sample: {permitted: [AC]}\n  secret/{1,2}: {permitted: [AC, TLE], required: [TLE]}\n"
                   "mixed/wrong*: {permitted: [AC, WA, TLE], required: [TLE], use_for_time_limit: false}\n"
                   "wrong_answer: {message: \"expected '3'\"}\n"
                   "old/*: {permitted: [AC]}\n")
        status, out, err = self.verify("--json", package)
        report = json.loads(out)["packages"][0]
        self.assertEqual((status, err), (0, ""), out)
        got = {s["name"]: (s["verdict"], s["test"]) for s in report["submissions"]}
        self.assertEqual(got["mixed/late.py"], ("TLE", "secret/2"))
        self.assertEqual(got["mixed/wrong_then_late.py"], ("WA", "sample/1"))
        self.assertEqual(got["time_limit_exceeded/nearly.py"], ("TLE", "sample/1"))
        self.assertIn(report["time"]["slowest_accepted"]["name"], ("accepted/good.py", "wrong_answer/bad.py"))
        self.assertEqual(report["time"]["fastest_too_slow"]["name"], "time_limit_exceeded/nearly.py")
        self.assertIn("input_validators: there is none", report["warnings"].pop(1))
        self.assertEqual(len(report["warnings"]), 2, report["warnings"])
        self.assertIn("less than 1.5 times the limit of 0.5 s", report["warnings"][0])
        self.assertIn("submissions.yaml:6: old/*: matches no submission", report["warnings"][1])
        self.write("tiny/submissions/submissions.yaml", "mixed: {}\nwrong_answer: {message: nonsense}\n")
        self.expect_refused(package, "wrong_answer/bad.py: expected WA, got WA on sample/1: ",
                            '(no test has "nonsense" in the judges\' message)')

    def test_a_limit_that_is_not_given_is_measured(self):
        package = self.package()
        os.remove(os.path.join(package, ".timelimit"))
        self.write("tiny/problem.yaml", "problem_format_version: 2025-09\nname: Tiny\nuuid: 1\n"
                   "limits: {memory: 64, time_resolution: 0.25}\n")
        busy = "import time\n" + READ_TWO + "while time.process_time() < %s: pass\nprint(a + b)\n"
        self.write("tiny/submissions/accepted/slow.py", busy % 0.3)
        self.write("tiny/submissions/time_limit_exceeded/slower.py", busy % 2)
        status, out, err = self.verify("--json", package)
        report = json.loads(out)["packages"][0]
        self.assertEqual((status, err, len(report["warnings"])), (0, "", 1), out)  # there is no input validator
        self.assertEqual((report["time"]["limit_us"], report["time"]["measured"]), (750000, True))
        self.assertEqual(report["time"]["slowest_accepted"]["name"], "accepted/slow.py")
        self.write("tiny/submissions/time_limit_exceeded/slower.py", busy % 1)
        self.expect_refused(package, "warning: no limit fits: the fastest too slow one (time_limit_exceeded/slower.py)")
        self.write("tiny/submissions/accepted/bad.py", BAD)
        self.expect_refused(package, "no time limit, and submissions/accepted/bad.py cannot be measured: "
                            "WA on sample/1, where only AC may be")
        shutil.rmtree(os.path.join(package, "submissions/accepted"))
        shutil.rmtree(os.path.join(package, "submissions/wrong_answer"))
        self.expect_refused(package, "no time limit, and no accepted submission to measure: write it")

    def test_what_the_package_gives_to_programs(self):
        package = self.package()
        shutil.rmtree(os.path.join(package, "submissions"))
        os.remove(os.path.join(package, ".timelimit"))
        self.write("tiny/problem.yaml", "problem_format_version: 2025-09\nname: Tiny\nuuid: 1\n"
                   "limits: {time_limit: 2, memory: 64}\nlanguages: [c, python3]\n")
        self.write("tiny/include/c/main.c", '#include <stdio.h>\nint sum(int a, int b);\n'
                   'int main(void) { int a, b; scanf("%d %d", &a, &b); printf("%d\\n", sum(a, b)); }\n')
        self.write("tiny/include/default/words.txt", "default\n")
        self.write("tiny/include/python3/words.txt", "python\n")
        self.write("tiny/data/secret/test_group.yaml", "args: [--add, two words]\n")
        self.write("tiny/data/secret/2.files/more.txt", "100\n")
        self.write("tiny/submissions/accepted/sum.c", "int sum(int a, int b) { return a + b; }\n")
        self.write("tiny/submissions/accepted/own/sum.c", "int sum(int a, int b) { return b + a; }\n")
        self.write("tiny/submissions/accepted/own/main.c", "this is replaced\n")
        look = ("import os, sys\n" + READ_TWO +
                "assert open('words.txt').read() == 'python\\n'\n"
                "assert os.path.exists('more.txt') == (a == 7), os.listdir('.')\n"
                "assert sys.argv[1:] == ([] if a == 1 else ['--add', 'two words']), sys.argv\n"
                "open('own.txt', 'w').write('x')\n"
                "print(a + b)\n")
        self.write("tiny/submissions/accepted/look.py", look)
        self.write("tiny/submissions/wrong_answer/minus.c", "int sum(int a, int b) { return a - b; }\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("tiny: 4 of 4 as expected", out)
        self.write("tiny/submissions/accepted/sum.cpp", "int sum(int a, int b) { return a + b; }\n")
        self.expect_refused(package, "accepted/sum.cpp: expected AC, got no verdict: "
                            "problem.yaml does not have cpp in languages")

    def test_input_validators_see_every_input(self):
        package = self.package()
        self.write("tiny/input_validators/check.py", "import sys\na, b = sys.stdin.read().split()\n"
                   "if sys.argv[1:] != ['x', 'y']: sys.exit(f'called with {sys.argv[1:]}')\n"
                   "sys.exit(42 if int(b) > 0 else f'{b} is not positive')\n")
        self.write("tiny/input_validators/old.ctd", "EOF\n")
        self.write("tiny/data/testdata.yaml", "input_validator_flags: {name: check.py, flags: x y}\n")
        self.expect_refused(package, "BAD data/secret/2.in: check.py: exit code 1, expected 42: -7 is not positive",
                            "warning: input_validators/old.ctd: VIVA and Checktestdata are not run here",
                            "tiny: 2 of 2 as expected")
        status, out, _ = self.verify("--json", package)
        report = json.loads(out)["packages"][0]
        self.assertEqual((status, report["as_expected"], len(report["data_errors"])), (1, False, 1))
        self.write("tiny/data/secret/2.in", "-7 7\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.write("tiny/input_validators/own/build", "#!/bin/sh\nprintf '#!/bin/sh\\nread a b; echo saw $a $b; exit 41\\n' > run\n"
                   "chmod +x run\n")
        os.chmod(os.path.join(package, "input_validators/own/build"), 0o755)
        self.expect_refused(package, "BAD data/sample/1.in: own: exit code 41, expected 42: saw 1 2")
        self.write("tiny/input_validators/check.py", "import os\nos.abort()\n")
        self.expect_refused(package, "BAD data/sample/1.in: check.py: ended by signal 6")
        self.write("tiny/input_validators/check.py", "this is no python\n")
        self.expect_refused(package, "BAD input_validators/check.py: does not compile: ")

    def test_data_that_must_not_pass_does_not(self):
        package = self.package()
        os.remove(os.path.join(package, ".timelimit"))
        self.write("tiny/problem.yaml", "problem_format_version: 2025-09\nname: Tiny\nuuid: 1\n"
                   "limits: {time_limit: 1, memory: 64}\n")
        self.write("tiny/input_validators/check.py", "import os, sys\na, b = map(int, sys.stdin.read().split())\n"
                   "sys.exit(42 if (a == 1) == os.path.exists('more.txt') else 43)\n")
        self.write("tiny/data/sample/1.files/more.txt", "x\n")
        for name, text in (("invalid_input/word", "one 2"), ("invalid_input/three", "1 2 3"), ("invalid_output/1", "5 6"),
                           ("valid_output/1", "5 6")):
            self.write(f"tiny/data/{name}.in", text + "\n")
        for name, out in (("invalid_output/1", "12"), ("valid_output/1", " 11 ")):
            self.write(f"tiny/data/{name}.ans", "11\n")
            self.write(f"tiny/data/{name}.out", out + "\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.write("tiny/data/invalid_input/fine.in", "3 4\n")
        self.write("tiny/data/invalid_output/1.out", "11\n")
        self.write("tiny/data/valid_output/1.out", "12\n")
        self.expect_refused(package, "BAD data/invalid_input/fine.in: every input validator takes it",
                            "BAD data/invalid_output/1.out: the output validator takes it",
                            "BAD data/valid_output/1.out: the output validator does not take it")
        self.write("tiny/output_validator/check.py", "import sys\n"
                   "sys.exit(42 if sys.stdin.read().split() == open(sys.argv[2]).read().split() else 43)\n")
        self.expect_refused(package, "BAD data/valid_output/1.out: the output validator does not take it",
                            "tiny: 2 of 2 as expected")
        os.remove(os.path.join(package, "data/valid_output/1.ans"))
        self.expect_refused(package, "data/valid_output/1.in: there is no 1.ans")

    def test_tags_of_domjudge(self):
        package = self.package()
        self.write("tiny/submissions/multiple/maybe.py", "# @EXPECTED_RESULTS@: CORRECT, WRONG-ANSWER\n" + BAD)
        self.write("tiny/submissions/multiple/never.py", "# @EXPECTED_RESULTS@: TIMELIMIT\n" + BAD)
        status, out, _ = self.verify(package)
        self.assertEqual(status, 1)
        self.assertRegex(out, r"ok +multiple/maybe\.py +python3 +AC or WA +WA ")
        self.assertRegex(out, r"BAD multiple/never\.py +python3 +TLE +WA ")

    def test_code_limit_counts(self):
        package = self.package()
        self.write("tiny/problem.yaml", "limits: {code: 1}\n")
        self.write("tiny/submissions/accepted/long.py", GOOD + "#" * 2000)
        self.expect_refused(package, "accepted/long.py: expected AC, got no verdict: larger than the problem's code limit")

    def custom(self, validator):
        package = self.package()
        self.write("tiny/problem.yaml", "validation: custom\nvalidator_flags: 7 x\n")
        self.write("tiny/output_validators/check.py", validator)
        return package

    def test_several_validators_must_all_accept(self):
        package = self.custom(self.says("42 if out == ans else 43"))
        self.write("tiny/output_validators/even.py", self.says("43 if int(out) % 2 else 42", "is odd"))
        self.write("tiny/output_validators/c/last.c", "int main(void) { return 42; }\n")
        self.write("tiny/data/sample/1.in", "1 3\n")
        self.write("tiny/data/sample/1.ans", "4\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.write("tiny/data/secret/9.in", "2 3\n")
        self.write("tiny/data/secret/9.ans", "5\n")
        self.expect_refused(package, "accepted/good.py: expected AC, got WA on secret/9: is odd")

    @staticmethod
    def says(code, message=""):
        """A validator: an expression of the answer and the output."""
        return ("import sys\nans, out = open(sys.argv[2]).read().strip(), sys.stdin.read().strip()\n"
                f"open(sys.argv[3] + 'judgemessage.txt', 'w').write({message!r})\nsys.exit({code})\n")

    def test_validators_that_build_themselves(self):
        package = self.custom("")
        os.remove(os.path.join(self.dir, "tiny/output_validators/check.py"))
        own = "tiny/output_validators/own"
        self.write(f"{own}/build", "#!/bin/sh -e\ngcc -O1 -o checker check.c\nprintf '#!/bin/sh\\n"
                   "exec /program/checker \"$@\"\\n' > run\nchmod +x run\n")
        self.write(f"{own}/check.c", '#include "expected.h"\n#include <stdio.h>\nint main(int n, char **a) { FILE *f = '
                   'fopen(a[2], "r"); int x, y; return n == EXPECTED && fscanf(f, "%d", &x) == 1 && scanf("%d", &y) == 1 '
                   "&& x == y ? 42 : 43; }\n")
        self.write(f"{own}/expected.h", "#define EXPECTED 6\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.write(f"{own}/build", "#!/bin/sh\ntrue\n")
        self.expect_refused(package, "validator: build left no executable file called run")
        self.write(f"{own}/build", "#!/bin/sh\necho no way; exit 3\n")
        self.expect_refused(package, "validator: does not compile: no way")
        os.remove(os.path.join(self.dir, own, "build"))
        self.write(f"{own}/run", "#!/bin/bash\nread a < $2; read b\n(( a == b )) && exit 42; exit 43\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)

    def test_own_validators_decide(self):
        package = self.custom("import sys\n"
                              "want = open(sys.argv[2]).read().split()\n"
                              "assert sys.argv[4:] == ['7', 'x'], sys.argv\n"
                              "got = sys.stdin.read().split()\n"
                              "open(sys.argv[3] + 'judgemessage.txt', 'w').write('looked closely')\n"
                              "sys.exit(42 if got == want else 43)\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.write("tiny/submissions/accepted/bad.py", BAD)
        self.expect_refused(package, "accepted/bad.py: expected AC, got WA on sample/1: looked closely")

    def test_validators_that_are_broken(self):
        self.expect_refused(self.custom("import sys\nsys.exit(0)\n"), "expected AC, got JE on sample/1",
                            "exit code 0, neither 42 nor 43")
        self.expect_refused(self.custom("this is no python\n"), "problem tiny: validator: does not compile")

    def polygon(self, checker):
        """A Polygon package with this checker, and solutions that print one word each."""
        self.write("words/files/check.py", checker)
        solutions = ""
        for tag, word in (("main", "ok"), ("accepted", "ok"), ("wrong-answer", "wa"), ("presentation-error", "pe"),
                          ("wrong-answer", "dirt"), ("wrong-answer", "points"), ("wrong-answer", "eof"),
                          ("rejected", "part")):
            self.write(f"words/solutions/{word}.py", f"print('{word}')\n")
            solutions += f'<solution tag="{tag}"><source path="solutions/{word}.py"/></solution>'
        self.write("words/tests/1", "in\n")
        self.write("words/tests/1.a", "ok\n")
        self.write("words/problem.xml", '<problem short-name="words"><judging><testset><time-limit>1000</time-limit>'
                   "<memory-limit>67108864</memory-limit><input-path-pattern>tests/%d</input-path-pattern>"
                   "<answer-path-pattern>tests/%d.a</answer-path-pattern><tests><test/></tests></testset></judging>"
                   f'<assets><checker><source path="files/check.py"/></checker><solutions>{solutions}</solutions>'
                   "</assets></problem>")
        return os.path.join(self.dir, "words")

    def test_checkers_of_testlib(self):
        package = self.polygon("import sys\n"
                               "infile, output, answer = (open(name).read().strip() for name in sys.argv[1:])\n"
                               "assert (infile, answer) == ('in', 'ok')\n"
                               "print('partially correct (3)' if output == 'part' else output, file=sys.stderr)\n"
                               "sys.exit({'ok': 0, 'wa': 1, 'pe': 2, 'part': 3, 'dirt': 4, 'points': 7, 'eof': 8}[output])\n")
        status, out, err = self.verify(package)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("words: 8 of 8 as expected", out)
        self.write("words/files/check.py", "import sys\nprint('no answer', file=sys.stderr)\nsys.exit(3)\n")
        self.expect_refused(package, "main/ok.py: expected AC, got JE on secret/001: validator: exit code 3, the checker failed")

    def test_packages_cannot_reach_out(self):
        package = self.package()
        for target in ("/etc/shadow", "../../../outside.txt"):
            with self.subTest(target=target):
                self.write("outside.txt", "1 2\n")
                link = os.path.join(package, "data/sample/1.in")
                os.remove(link)
                os.symlink(target, link)
                self.expect_refused(package, "data/sample/1.in: a link that leads out of the package")

    def test_packages_are_not_opened_as_root(self):
        package = self.package()
        os.chmod(package, 0o700)
        self.expect_refused(package, "closed to the user that judges", "Permission denied")

    def test_rules_of_the_working_directory_are_not_used(self):
        package = self.package()
        self.write("tiny/rules/roots/default.yaml", "garbage")
        self.write("tiny/rules/languages/python3.yaml", "garbage")
        status, out, err = self.verify(".", cwd=package)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("tiny: 2 of 2 as expected", out)

    def test_terminal_is_safe_from_packages(self):
        package = self.package()
        self.write("tiny/problem.yaml", 'name: "\\e[2J"\n')
        self.expect_refused(package, "problem.yaml:1: contains a control character")
        self.write("tiny/problem.yaml", "name: x\n")
        self.write("tiny/submissions/accepted/esc.py", "print('\\x1b[2J')\n")
        _, out, _ = self.verify(package)
        self.assertNotIn("\x1b", out)

    def test_usage(self):
        for args in ((), ("--jobs", "0", "x"), ("--jobs", "many", "x"), ("--frobnicate", "x")):
            status, out, err = self.verify(*args)
            self.assertEqual((status, out), (2, ""), args)
            self.assertNotEqual(err, "")
        status, out, _ = self.verify("--help")
        self.assertEqual(status, 0)
        self.assertIn("Exit status", out)

    def test_without_root_it_says_what_it_needs(self):
        os.chmod(self.tmp, 0o777)
        status, out, err = self.verify(self.package(), user=65534)
        self.assertEqual((status, out), (3, ""))
        self.assertIn("without root: ", err)  # what sandboxd lacks: tests/e2e/test_rootless.py
        self.assertIn("sandboxd ended before the work was done: run this as root", err)

    def test_users_that_make_no_sense(self):
        for user, message in (("root", "root is what this is to protect"), ("nobody-here", "no user nobody-here")):
            status, _, err = self.verify("--user", user, self.package())
            self.assertEqual(status, 3)
            self.assertIn(message, err)

    def test_rules_that_are_not_there(self):
        status, _, err = self.verify("--rules", "/nonexistent", self.package())
        self.assertEqual(status, 3)
        self.assertIn("/nonexistent", err)

    def test_with_a_running_sandboxd_no_root_is_needed(self):
        sockets = os.path.join(self.dir, "run")
        os.mkdir(sockets, 0o755)
        os.chmod(self.tmp, 0o777)
        sandboxd = subprocess.Popen([SANDBOXD, "--socket", sockets, "--rules", os.path.join(ROOT, "rules"), "--cells", "1",
                                     "--jury-cells", "1", "--allow-uid", "65534", "--log-level", "error"])
        try:
            self.assertTrue(until(lambda: os.path.exists(os.path.join(sockets, "jury.sock"))))
            status, out, err = self.verify("--jobs", "1", "--socket", sockets, self.package(), user=65534)
            self.assertEqual((status, err), (0, ""), out)
            self.assertIsNone(sandboxd.poll(), "a sandboxd that was there is left alone")
        finally:
            sandboxd.terminate()
            sandboxd.wait()

    def start_slow(self):
        """Sleeps until the wall clock stops it: time to interrupt."""
        package = self.package()
        self.write("tiny/.timelimit", "60\n")
        self.write("tiny/submissions/time_limit_exceeded/sleep.py", "import time\ntime.sleep(1000)\n")
        p = self.start(package)
        self.addCleanup(p.stdout.close)
        self.addCleanup(p.stderr.close)
        self.assertTrue(until(lambda: len(session_members(p.pid)) > 3 and self.sleeps()), "it never started")
        return p

    def sleeps(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline") as f:
                    if "/program/sleep.py" in f.read():
                        return True
            except OSError:
                continue
        return False

    def test_interrupted_it_cleans_up(self):
        for sig in (signal.SIGTERM, signal.SIGINT):
            p = self.start_slow()
            p.send_signal(sig)
            self.assertEqual(p.wait(30), 3)
            self.assertIn("interrupted", p.stderr.read())
            self.assert_nothing_left(p.pid)

    def test_killed_it_leaves_no_process(self):
        p = self.start_slow()
        p.kill()
        p.wait()
        self.assertTrue(until(lambda: not session_members(p.pid)), f"left: {session_members(p.pid)}")
        self.assertNotEqual(os.listdir(self.tmp), [])
        self.assertEqual(self.verify(os.path.join(self.dir, "nothing"))[0], 1)  # the next one sweeps behind it


if __name__ == "__main__":
    unittest.main()
