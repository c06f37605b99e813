#!/usr/bin/python3
"""The command `judge` against a real Gavel: what it prints and how it exits, also while the server goes away and comes back."""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from gavel import ROOT, Gavel, until

JUDGE = os.path.join(ROOT, "build/bin/judge")
SUBMISSIONS = os.path.join(ROOT, "problems/aplusb/submissions")
TESTS = 12  # of problems/aplusb


def program(name):
    return os.path.join(SUBMISSIONS, name)


class JudgeCli(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gavel = Gavel()
        cls.gavel.__enter__()
        cls.addClassCleanup(cls.gavel.__exit__, None, None, None)
        shutil.make_archive(f"{cls.gavel.dir}/problems/deviation", "zip", f"{ROOT}/problems", "deviation")
        cls.write_open(f"{cls.gavel.dir}/problems/open")
        cls.gavel.start_sandboxd()
        cls.gavel.start_judged()
        cls.environment = {**os.environ, "JUDGE_SERVER": cls.gavel.address, "TZ": "UTC"}

    @staticmethod
    def write_open(folder):
        """A package without a time limit, for one language, with the main function in a file of its own."""
        for path, text in (("problem.yaml", "problem_format_version: 2025-09\nname: Open\nuuid: 1\nlanguages: [c]\n"
                                            "limits: {time_resolution: 0.3}\nconstants: {factor: 2}\n"),
                           ("include/c/main.c", '#include <stdio.h>\nint f(int);\nint main(int n, char **v) {\n'
                                                ' int a; scanf("%d", &a); printf("%d %s\\n", f({{factor}} * a), v[n - 1]); }\n'),
                           ("data/secret/test_group.yaml", "args: [last word]\n"),
                           ("data/secret/1.in", "3\n"), ("data/secret/1.ans", "7 last word\n"),
                           ("submissions/accepted/f.c", "int f(int a) { return a + 1; }\n")):
            os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
            with open(f"{folder}/{path}", "w") as f:
                f.write(text)

    def judge(self, *argv, status=0):
        """(standard output, standard error) of a command that must exit so."""
        done = subprocess.run([JUDGE, *argv], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout, done.stderr

    def submit(self, *argv, status=0):
        return self.judge("submit", "-p", "aplusb", *argv, status=status)[0]

    def submit_json(self, *argv, status=0):
        return [json.loads(line) for line in self.submit("--json", *argv, status=status).splitlines()]

    def test_accepted(self):
        lines = self.submit(program("accepted/sum.c")).splitlines()
        self.assertRegex(lines[0], r"^submission [0-9a-f]{32}$")
        runs = [line for line in lines if re.match(r" +\d+/12  ", line)]
        self.assertEqual(len(runs), TESTS)
        self.assertTrue(all(" accepted " in line and " ms " in line and line.endswith(" MiB") for line in runs))
        self.assertEqual(lines[-1], "accepted")
        self.assertNotIn("\033", "".join(lines))

    def test_a_package_without_a_limit_with_files_of_its_own(self):
        self.assertRegex(self.judge("problems", "open")[0], r"CPU time +0\.300 s")
        with tempfile.TemporaryDirectory() as folder:
            for name, text, status, last in (("f.c", "int f(int a) { return 1 + a; }\n", 0, "accepted"),
                                             ("g.c", "int f(int a) { return a; }\n", 1, "wrong answer on test 1 (secret/1)")):
                with open(f"{folder}/{name}", "w") as f:
                    f.write(text)
                out, _ = self.judge("submit", "-p", "open", f"{folder}/{name}", status=status)
                self.assertEqual(out.splitlines()[-1], last, out)
        _, err = self.judge("submit", "-p", "open", program("accepted/sum.py"), status=2)
        self.assertIn("takes c only, not python3", err)

    def test_not_accepted(self):
        for name, verdict in (("wrong_answer/int32.c", "wrong answer on test 6 (secret/04-int-max)"),
                              ("run_time_error/null.c", "run-time error on test 1 (sample/1)"),
                              ("compile_error/semicolon.c", "compile error")):
            with self.subTest(name):
                self.assertEqual(self.submit(program(name), status=1).splitlines()[-1], verdict)
        self.assertIn("(signal 11)", self.submit(program("run_time_error/null.c"), status=1))
        self.assertIn("semicolon.c:5:22: error:", self.submit(program("compile_error/semicolon.c"), status=1))

    def test_a_library_is_not_a_fault_of_the_judge(self):
        """What a source can make of itself: something that compiles and cannot be executed."""
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("a.go", "package a\nfunc F() {}\n"), ("a.rs", '#![crate_type = "lib"]\npub fn f() {}\n')):
                with self.subTest(name):
                    path = os.path.join(folder, name)
                    with open(path, "w") as f:
                        f.write(text)
                    self.assertIn("(exit code 126)", self.submit(path, status=1))

    def test_nothing_is_hidden_from_who_looks(self):
        """An author that looks like another row, and what a terminal would take for a command."""
        with tempfile.NamedTemporaryFile(suffix=".c") as source:
            source.write(b"int main(void) { return 1; }\n/*\033[8m hidden */\n")
            source.flush()
            answer = self.submit_json("-a", "eve\nverdict          accepted", source.name, status=1)[0]
        shown = self.judge("status", "--sources", answer["id"])[0]
        self.assertEqual(len(re.findall("(?m)^verdict ", shown)), 1)
        self.assertIn("eve verdict", shown)
        self.assertIn(" hidden */", shown)

    def submit_files(self, files, *argv, status):
        """Both outputs, for files that are made of their names and contents."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                with open(os.path.join(folder, name), "wb") as f:
                    f.write(content)
            return "".join(self.judge("submit", "-p", "aplusb", *argv,
                                      *(os.path.join(folder, name) for name in files), status=status))

    def test_other_systems_files_are_as_good_as_ours(self):
        """A byte order mark and Windows line ends, in languages that know neither the one nor the other."""
        bash = b"while read -r a b; do\necho $((a + b))\ndone\n"
        java = (b"import java.util.Scanner;\npublic class Sum {\npublic static void main(String[] a) {\n"
                b"Scanner in = new Scanner(System.in);\nSystem.out.println(in.nextLong() + in.nextLong());\n}\n}\n")
        for name, text in (("a.sh", bash), ("a.java", java)):
            with self.subTest(name):
                windows = b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n")
                self.assertIn("\naccepted\n", self.submit_files({name: windows}, status=0))

    def test_what_does_not_begin_does_not_compile(self):
        main = b"class %s { public static void main(String[] a) {} }\n"
        for files, said in (({"a.c": b"int f(void) { return 1; }\n"}, "undefined reference to [`']main'"),
                            ({"a.java": b"class A { }\n"}, r"a\.java: nowhere to begin: expected a class with"),
                            ({"a.java": main % b"A", "b.java": main % b"B"}, "2 files have a class with"),
                            ({"a.c": b"int main(void) { return 0; }\n", "main.c": b"int main(void) { return 0; }\n"},
                             "multiple definition of [`']main'"),
                            ({"a.py": b"if True\n"}, "SyntaxError")):
            with self.subTest(said):
                shown = self.submit_files(files, status=1)
                self.assertRegex(shown, said)
                self.assertTrue(shown.endswith("compile error\n"))

    def test_what_is_no_source_is_given_back(self):
        for name, content, said in (("a.c", b"int main(void) { return 1; }\n/*\0 hidden */\n",
                                     "sources[0].content: a.c:2: a NUL byte: this is no text file"),
                                    ("a.go", b"\x7fELF\2\1\1", "a.go: is a compiled program, not its source"),
                                    ("a.py", "print(1)\n".encode("utf-16"), "a.py: is UTF-16 text: save it as UTF-8"),
                                    ("a.c", b"", "sources[0].content: is empty"),
                                    ("a.txt", b"x\n", "no language on this machine has this extension")):
            with self.subTest(said):
                self.assertIn(said, self.submit_files({name: content}, status=2))
        self.assertIn("no file has an extension of python3 (.py)",
                      self.submit_files({"a.c": b"int main(void) { return 0; }\n"}, "-l", "python3", status=2))
        self.assertIn("no telling where it begins",
                      self.submit_files({"a.c": b"int a;\n", "b.c": b"int b;\n"}, "-l", "c", status=2))

    def test_json(self):
        answer, *events = self.submit_json("-a", "Zoë", program("accepted/sum.c"))
        self.assertFalse(answer["existed"])
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[-1]["verdict"], "ACCEPTED")
        tests = [e["run"] for e in events if e["kind"] == "TEST"]
        self.assertEqual([t["test"] for t in tests], list(range(1, TESTS + 1)))
        status = json.loads(self.judge("status", "--json", "--sources", answer["id"])[0])
        self.assertEqual((status["author"], status["state"], status["verdict"]), ("Zoë", "FINISHED", "ACCEPTED"))
        with open(program("accepted/sum.c")) as f:
            self.assertEqual(status["sources"], [{"name": "sum.c", "content": f.read()}])
        self.assertNotIn("sources", json.loads(self.judge("languages", "--json")[0]))
        again = [json.loads(line) for line in self.judge("watch", "--json", "--after", "3", answer["id"])[0].splitlines()]
        self.assertEqual(again, events[3:])
        self.assertIn("accepted", self.judge("watch", "--after", "1000", answer["id"])[0])

    def test_status_and_list(self):
        id = self.submit_json("-a", "someone else", program("wrong_answer/int32.c"), status=1)[0]["id"]
        shown = self.judge("status", id)[0]
        for word in (id, "aplusb", "someone else", "wrong answer", "secret/04-int-max"):
            self.assertIn(word, shown)
        listed = self.judge("list", "-a", "someone else", "--verdict", "wrong-answer", "--state", "finished")[0]
        self.assertEqual([line.split()[0] for line in listed.splitlines()], [id])
        self.assertEqual(self.judge("list", "-a", "nobody")[0], "")
        self.assertEqual(len(self.judge("list", "-n", "1")[0].splitlines()), 1)
        self.assertIn("finished already", self.judge("cancel", id, status=2)[1])

    def test_cancel(self):
        answer = self.submit_json("--no-wait", program("time_limit_exceeded/asleep.py"))[0]
        self.assertIn("cancelled", self.judge("cancel", answer["id"])[0])
        self.assertTrue(self.judge("watch", answer["id"], status=1)[0].endswith("cancelled\n"))

    def test_a_request_id_submits_once(self):
        first = self.submit_json("--no-wait", "--request-id", "e2e-1", program("accepted/sum.c"))[0]
        second = self.submit_json("--no-wait", "--request-id", "e2e-1", program("accepted/sum.c"))[0]
        self.assertEqual((first["id"], first["existed"], second["existed"]), (second["id"], False, True))
        self.assertIn("request_id: ", self.judge("submit", "-p", "aplusb", "--request-id", "e2e-1",
                                                 program("wrong_answer/int32.c"), status=2)[1])

    def test_what_the_server_has(self):
        self.assertIn("aplusb ", self.judge("problems")[0])
        self.assertIn("A plus B", self.judge("problems", "aplusb")[0])
        self.assertIn("deviation ", self.judge("problems")[0])  # came as an archive
        self.assertEqual([name for name in os.listdir(self.gavel.state) if "package" in name], [])
        self.assertRegex(self.judge("languages")[0], r"(?m)^c +yes .*gcc")
        self.assertRegex(self.judge("info")[0], r"(?m)^store +sqlite$")

    def test_wrong_usage(self):
        with tempfile.NamedTemporaryFile(suffix=".c") as empty:
            for argv, words in (
                    ((), "a command is missing"),
                    (("sumbit",), 'there is no command "sumbit"'),
                    (("submit", program("accepted/sum.c")), "-p PROBLEM is missing"),
                    (("submit", "-p", "aplusb"), "missing FILE..."),
                    (("submit", "-p", "aplusb", "--frob", "x.c"), "unrecognized option '--frob'"),
                    (("submit", "-p", "aplusb", "/nonexistent/x.c"), "/nonexistent/x.c"),
                    (("submit", "-p", "aplusb", empty.name), "sources[0].content: is empty"),
                    (("submit", "-p", "nosuch", program("accepted/sum.c")), "problem: "),
                    (("submit", "-p", "aplusb", "-l", "apl", program("accepted/sum.c")), "language: "),
                    (("status",), "missing ID"),
                    (("status", "12"), "id: must be 32 lower-case hexadecimal digits"),
                    (("status", "0" * 32), "id: unknown"),
                    (("watch", "0" * 32), "id: unknown"),
                    (("watch", "--after", "x", "0" * 32), '--after: "x" is not a number'),
                    (("list", "--verdict", "fine"), '--verdict: "fine" is not one of'),
                    (("list", "more"), '"more" is too much'),
                    (("info", "--ca", "/nonexistent/ca"), "/nonexistent/ca")):
                with self.subTest(argv):
                    self.assertIn(words, self.judge(*argv, status=2)[1])

    def test_help(self):
        commands = re.findall(r"(?m)^  ([a-z]+) ", self.judge("--help")[0])
        self.assertGreaterEqual(len(commands), 9)
        for command in commands:
            self.assertIn("usage: judge " + command, self.judge(command, "--help")[0])

    def test_nobody_there(self):
        said = self.judge("info", "--server", "127.0.0.1:1", status=3)[1]
        self.assertIn("the server is not there", said)
        started = time.monotonic()
        said = self.judge("submit", "--retry", "1", "--server", "127.0.0.1:1", "-p", "aplusb",
                          program("accepted/sum.c"), status=3)[1]
        self.assertIn("trying again for 1 s", said)
        self.assertGreater(time.monotonic() - started, 1)

    def test_the_server_dies_while_we_wait(self):
        """SIGKILL in the middle; the submission must go on, and the watcher with it."""
        waiting = subprocess.Popen([JUDGE, "submit", "--retry", "60", "-p", "aplusb",
                                    program("time_limit_exceeded/asleep.py")],
                                   env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(waiting.kill)
        id = waiting.stdout.readline().split()[1]
        until("a worker to take it", lambda: '"RUNNING"' in self.judge("status", "--json", id)[0])
        self.gavel.judged.kill()
        late = subprocess.Popen([JUDGE, "submit", "--retry", "60", "-p", "aplusb", program("accepted/sum.c")],
                                env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(late.kill)
        self.assertIn("trying again for 60 s", late.stderr.readline())
        self.gavel.start_judged()
        out, err = waiting.communicate(timeout=120)
        self.assertEqual(waiting.returncode, 1, err)
        self.assertIn("trying again for 60 s", err)
        self.assertIn("started again: ", out)
        self.assertTrue(out.endswith("time limit exceeded on test 1 (sample/1)\n"), out)
        out, err = late.communicate(timeout=120)
        self.assertEqual(late.returncode, 0, err)
        self.assertTrue(out.endswith("accepted\n"), out)

    def test_colour_on_a_terminal_only(self):
        ours, theirs = pty.openpty()
        done = subprocess.Popen([JUDGE, "submit", "-p", "aplusb", program("accepted/sum.c")],
                                env={k: v for k, v in self.environment.items() if k != "NO_COLOR"},
                                stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        os.close(ours)
        self.assertEqual(done.wait(60), 0)
        self.assertIn(b"\033[32maccepted\033[0m", said)


if __name__ == "__main__":
    unittest.main()
