#!/usr/bin/python3
"""Compiling well: what was compiled before is not compiled again, and says so; nothing else changes by it."""
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


class Cache(unittest.TestCase):
    def setUp(self):
        self.rules = tempfile.mkdtemp(prefix="gavel-rules-")
        shutil.copytree(f"{ROOT}/rules", f"{self.rules}/rules")
        os.chmod(self.rules, 0o755)
        self.change_rule("output: 1M", "output: 16K")
        self.gavel = Gavel(rules=f"{self.rules}/rules").__enter__()
        self.gavel.start_sandboxd()
        self.gavel.start_judged()

    def tearDown(self):
        self.gavel.__exit__(None, None, None)
        shutil.rmtree(self.rules)

    def change_rule(self, old, new):
        path = f"{self.rules}/rules/languages/c.yaml"
        with open(path) as f:
            text = f.read()
        self.assertIn(old, text)
        with open(path, "w") as f:
            f.write(text.replace(old, new))

    def judge(self, content, name="sum.c", language="c"):
        """What is judged, with what does not depend on when; and whether it came from the cache."""
        submission = self.gavel.submit("aplusb", language, name, content)
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


if __name__ == "__main__":
    unittest.main()
