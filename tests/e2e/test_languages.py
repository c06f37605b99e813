#!/usr/bin/python3
"""judge languages --check: the languages that `make deps` installs judge right, and one that does not is told.  The
others are checked by `make languages-check`.  Needs root."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JUDGE = os.path.join(ROOT, "build/bin/judge")
INSTALLED = ["bash", "c", "cpp20", "go", "java", "javascript", "python3", "rust"]
if os.uname().nodename == "gavel-vm":  # the machine of tests/vm, where compilers take minutes
    INSTALLED = ["bash", "c", "python3"]
EXPECTED = {"accepted": "AC", "wrong": "WA", "crash": "RTE", "slow": "TLE", "big": "MLE"}
LIMIT_S = 600


def check(*args):
    done = subprocess.run([JUDGE, "languages", "--check", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    return done.returncode, done.stdout, done.stderr


class Languages(unittest.TestCase):
    def rules(self):
        """A copy of the rules, to spoil, that anybody may read."""
        folder = tempfile.mkdtemp(prefix="test_languages")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        shutil.copytree(f"{ROOT}/rules", f"{folder}/rules")
        for name in os.listdir(f"{folder}/rules/languages"):
            if name not in ("c.yaml", "bash.yaml"):
                os.remove(f"{folder}/rules/languages/{name}")
        return f"{folder}/rules"

    def test_what_is_installed_judges_right(self):
        status, out, err = check("--json", *INSTALLED)
        self.assertEqual(status, 0, out + err)
        report = json.loads(out)
        self.assertEqual((report["ok"], report["error"]), (True, None))
        self.assertEqual([row["name"] for row in report["languages"]], INSTALLED)
        for row in report["languages"]:
            with self.subTest(row["name"]):
                self.assertTrue(row["ok"] and row["version"])
                self.assertEqual({p["program"]: p["expected"] for p in row["programs"]}, EXPECTED)
                for program in row["programs"]:
                    fitting = [program["expected"], "RTE"] if program["program"] == "big" else [program["expected"]]
                    self.assertIn(program["verdict"], fitting)
                    self.assertTrue(program["ok"] and program["wall_time_us"] > 0)

    def test_every_rule_has_its_programs_and_no_other(self):
        rules = sorted(name.removesuffix(".yaml") for name in os.listdir(f"{ROOT}/rules/languages"))
        self.assertEqual(sorted(os.listdir(f"{ROOT}/rules/check/programs")), rules)
        self.assertGreaterEqual(len(rules), 50)
        for name in rules:
            stems = sorted(file.partition(".")[0] for file in os.listdir(f"{ROOT}/rules/check/programs/{name}"))
            self.assertEqual(stems, sorted(EXPECTED), name)

    def test_one_that_judges_wrong_is_told(self):
        rules = self.rules()
        c, bash = f"{rules}/check/programs/c", f"{rules}/check/programs/bash"
        shutil.copy(f"{c}/wrong.c", f"{c}/accepted.c")
        with open(f"{c}/slow.c", "w") as f:
            f.write("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
        with open(f"{c}/big.c", "w") as f:
            f.write("int main(void) { return 1; }\n")
        os.remove(f"{bash}/crash.sh")
        with open(f"{rules}/languages/broken.yaml", "w") as f:
            f.write("name: broken\n")
        status, out, err = check("--rules", rules)
        self.assertEqual(status, 1, out + err)
        for line in ("c/accepted: expected AC, got WA", "c/slow: expected TLE, got TLE (wall)", "c/big: expected MLE, got RTE",
                     "bash/crash: expected RTE, got -: check/programs/bash: expected one file called crash.* there, found 0",
                     "\n0 of 3 languages as expected\n"):
            self.assertIn(line, out)
        self.assertIn("broken.yaml:1: key", err)

    def test_what_is_not_there_is_an_error(self):
        rules = self.rules()
        with open(f"{rules}/languages/c.yaml", "r+") as f:
            text = f.read().replace("/usr/bin/gcc, --version", "/usr/bin/nowhere, --version")
            f.seek(0)
            f.write(text)
        for name, said in (("algol", "no language is called algol"), ("c", "c is not installed: ")):
            status, out, err = check("--rules", rules, name)
            self.assertEqual(status, 1, out + err)
            self.assertIn(said, out)

    def test_usage(self):
        for args, said in ((("--jobs", "65"), "--jobs: expected a number from 1 to 64"), (("--jobs", "x"), "is not a number")):
            status, _out, err = check(*args)
            self.assertEqual(status, 2, err)
            self.assertIn(said, err)
        done = subprocess.run([JUDGE, "languages", "c"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("are for --check", done.stderr)


if __name__ == "__main__":
    unittest.main()
