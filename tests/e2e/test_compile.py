#!/usr/bin/python3
"""Compiling well: what was compiled before is not compiled again, and says so; nothing else changes by it.  And what a rule has
prepared is used by compilations and changed by none."""
import glob
import os
import shutil
import signal
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from gavel import Gavel, pb, ROOT  # noqa: E402

SUM = b'#include <stdio.h>\nint main(void) { long a, b; scanf("%ld %ld", &a, &b); printf("%ld\\n", a + b); }\n'
WRONG = SUM.replace(b"a + b", b"a - b")


def verdict(value):
    return pb.Verdict.Name(value)


class World(unittest.TestCase):
    """A server of its own for each test, with rules that the test may change."""
    def setUp(self):
        self.rules = tempfile.mkdtemp(prefix="gavel-rules-")
        shutil.copytree(f"{ROOT}/rules", f"{self.rules}/rules")
        os.chmod(self.rules, 0o755)
        # Those that are not used here would only be asked for their versions at each start.
        for path in glob.glob(f"{self.rules}/rules/languages/*"):
            if os.path.basename(path) not in ("c.yaml", "cpp17.yaml"):
                os.remove(path)
        self.write_rules()
        self.gavel = Gavel(rules=f"{self.rules}/rules").__enter__()
        self.gavel.start_sandboxd()
        self.gavel.start_judged()

    def tearDown(self):
        self.gavel.__exit__(None, None, None)
        shutil.rmtree(self.rules)

    def write_rules(self):
        pass

    def change_rule(self, old, new, language="c"):
        path = f"{self.rules}/rules/languages/{language}.yaml"
        with open(path) as f:
            text = f.read()
        self.assertIn(old, text)
        with open(path, "w") as f:
            f.write(text.replace(old, new))

    def judge(self, content, name="sum.c", language="c"):
        """What is judged, with what does not depend on when; and whether it came from the cache."""
        submission = self.gavel.submit("aplusb", language, name, content, os.urandom(8).hex())
        for _ in self.gavel.follow(submission):
            pass
        s = self.gavel.get(submission)
        e = s.evidence
        return (verdict(s.verdict), s.compiler_message, [(r.name, verdict(r.verdict)) for r in s.runs],
                (e.compiler_version, e.language_rule_hash, e.sandbox_rules_hash, e.cpu_limit_us, e.memory_limit_bytes)
                ), e.program_cached

    def restart(self, how=signal.SIGTERM):
        self.gavel.judged.process.send_signal(how)
        self.gavel.judged.process.wait()
        self.gavel.start_judged()

    def entries(self):
        return glob.glob(f"{self.gavel.state}/compiled/*")


class Cache(World):
    def write_rules(self):
        self.change_rule("output: 1M", "output: 16K")

    def test_what_was_compiled_is_not_compiled_again(self):
        first, cached = self.judge(SUM)
        self.assertEqual(("ACCEPTED", False), (first[0], cached))
        self.assertEqual((first, True), self.judge(SUM))
        # Another name, another text, another language, are other programs.
        self.assertFalse(self.judge(SUM, name="other.c")[1])
        self.assertFalse(self.judge(SUM, name="sum.cpp", language="cpp17")[1])
        wrong, cached = self.judge(WRONG)
        self.assertFalse(cached)
        self.assertIn("WRONG_ANSWER", wrong[0])
        self.assertEqual((wrong, True), self.judge(WRONG))
        # Errors are kept as well; what ran into a limit is not.
        error, cached = self.judge(b"int main(void) { return x; }\n")
        self.assertIn("COMPILE_ERROR", error[0])
        self.assertFalse(cached)
        self.assertEqual((error, True), self.judge(b"int main(void) { return x; }\n"))
        for _ in range(2):
            flood, cached = self.judge(b"int main(void) {" + b"".join(b"x%d;\n" % i for i in range(500)) + b"}")
            self.assertEqual(("COMPILE_ERROR", False), (flood[0], cached))
            self.assertIn("it printed more than 16 KiB", flood[1][-200:])

        # What the linker says of files that it alone knows is said of the author's.
        undefined = self.judge(b"int f(void);\nint main(void) { return f(); }\n")[0]
        self.assertIn("undefined reference", undefined[1])
        for place in ("/tmp", "/box", "/prepared", "/usr/bin"):
            self.assertNotIn(place, undefined[1])

        # It is there after a restart, however that came about.
        for how in (signal.SIGTERM, signal.SIGKILL):
            self.restart(how)
            self.assertEqual((first, True), self.judge(SUM))

        # Another rule is another compiler.
        self.change_rule("-O2", "-O1")
        self.restart()
        other, cached = self.judge(SUM)
        self.assertFalse(cached)
        self.assertEqual(first[:3], other[:3])
        self.assertNotEqual(first[3], other[3])

        # What was damaged is compiled again.
        for path in self.entries():
            with open(path, "r+b") as f:
                f.seek(os.path.getsize(path) // 2)
                f.write(b"damaged")
        self.assertEqual((other, False), self.judge(SUM))
        self.assertEqual((other, True), self.judge(SUM))
        self.assertTrue(self.gavel.judged.lines("program_cache_bad"))
        self.assertEqual(0o700, os.stat(f"{self.gavel.state}/compiled").st_mode & 0o777)

    def test_it_can_be_switched_off(self):
        self.gavel.options = ("--compile-cache", "0")
        self.restart()
        self.judge(SUM)
        self.assertFalse(self.judge(SUM)[1])
        self.assertEqual([], self.entries())


SHELL = """name: shell
title: A compiler that does what it is told
extensions: [sh]
version: [/bin/sh, -c, "echo 1"]
compile:
  command: [/bin/sh, "{main}"]
  policy: compiler
  env: ["PATH=/usr/bin:/bin"]
  time: 10s
  memory: 256M
  processes: 16
  output: 64K
  box: 16M
  artifacts: [program]
  prepare:
    command: [/bin/sh, -c, "cat main.sh /dev/fd/3 > made 2>&1; echo by us >> made"]
    source: "prepared\\n"
    file: made
run:
  command: [/bin/sh, /program/program]
  policy: managed
  processes: 4
"""
ADD = b"echo 'read a b; echo $((a + b))' > program\n"
LOOK = b"cat /dev/fd/3\n" + ADD
ATTACK = b"""exec 2>/dev/null
for f in /dev/fd/3 /proc/self/fd/3 /proc/$$/fd/3 '/prepared/bits/stdc++.h.gch'; do
    (echo evil > "$f") && echo "wrote $f"
    (echo evil >> "$f") && echo "appended to $f"
    (: <> "$f") && echo "opened $f for writing"
    truncate -s 0 "$f" && echo "cut $f"
    chmod 777 "$f" && echo "changed the mode of $f"
    touch -d 2000-01-01 "$f" && echo "changed the times of $f"
done
echo evil >&3 && echo "wrote to the descriptor"
python3 -c 'import mmap; mmap.mmap(3, 4, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)' && echo "mapped it"
rm -f /prepared/bits/* && ! test -L '/prepared/bits/stdc++.h.gch' && echo "removed the link"
touch /prepared/bits/other && echo "made a file beside the link"
echo evil > made; mkdir -p compiled; echo evil > compiled/made
ln -s /dev/fd/3 out
"""


class Prepared(World):
    def write_rules(self):
        with open(f"{self.rules}/rules/languages/shell.yaml", "w") as f:
            f.write(SHELL)
        # Says which headers are read.
        self.change_rule("-I/prepared", "-H, -I/prepared", "cpp17")

    def files(self):
        found = {}
        for path in self.entries():
            with open(path, "rb") as f:
                found[path] = f.read()
        return found

    def test_no_compilation_changes_what_was_prepared(self):
        first = self.judge(LOOK, "a.sh", "shell")[0]
        self.assertEqual("ACCEPTED", first[0], first[1])
        self.assertTrue(first[1].startswith("prepared\n"), first[1])
        self.assertTrue(first[1].endswith("by us\n"), first[1])
        before = self.files()
        attacked = self.judge(ATTACK + LOOK, "b.sh", "shell")[0]
        self.assertEqual(first[:2], attacked[:2])
        self.assertEqual(first[:2], self.judge(LOOK + b"# again", "a.sh", "shell")[0][:2])
        self.restart()
        self.assertEqual(first[:2], self.judge(LOOK + b"# later", "a.sh", "shell")[0][:2])
        after = self.files()
        self.assertEqual(before, {path: after[path] for path in before})
        # A link instead of a program is no program, of whatever it is a link.
        linked = self.judge(b"ln -s /dev/fd/3 program", "c.sh", "shell")[0]
        self.assertEqual("COMPILE_ERROR", linked[0])

    def test_who_comes_while_it_is_made_waits_for_it(self):
        self.change_rule("echo by us", "sleep 1; echo by us", "shell")
        self.restart()
        submissions = [self.gavel.submit("aplusb", "shell", "a.sh", LOOK + b"# %d" % i, os.urandom(8).hex()) for i in range(4)]
        said = set()
        for submission in submissions:
            for _ in self.gavel.follow(submission):
                pass
            s = self.gavel.get(submission)
            self.assertEqual(pb.ACCEPTED, s.verdict)
            said.add(s.compiler_message)
        self.assertEqual(1, len(said), said)
        self.assertTrue(said.pop().endswith("by us\n"))
        self.assertEqual(1, sum(b"made" in data for data in self.files().values()))

    def test_without_it_programs_compile_as_well(self):
        self.change_rule("> made 2>&1", "> made 2>&1; exit 3", "shell")
        self.restart()
        for again in (b"", b"# again"):
            self.assertEqual("ACCEPTED", self.judge(ADD + again, "a.sh", "shell")[0][0])
        self.assertEqual(1, len(self.gavel.judged.lines("not_prepared")))

    def test_a_header_is_precompiled_where_that_is_the_same(self):
        used = "! /prepared/bits/stdc++.h.gch"
        add = b"int main() { long a, b; std::cin >> a >> b; std::cout << a + b; }\n"
        include = b"#include <bits/stdc++.h>\n"
        for text, precompiled in ((include + add, True),
                                  (b"// first\n\n" + include + b"#include <bits/stdc++.h>\n" + add, True),
                                  (b"#pragma GCC optimize(\"O3\")\n" + include + add, False),
                                  (b"#define _GLIBCXX_DEBUG\n" + include + add, False),
                                  (b"#include <iostream>\n" + include + add, False)):
            result = self.judge(text, "a.cpp", "cpp17")[0]
            self.assertEqual("ACCEPTED", result[0], result[1][-600:])
            self.assertEqual(precompiled, used in result[1].splitlines(), text)


if __name__ == "__main__":
    unittest.main()
