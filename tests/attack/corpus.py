"""The attacks as their files describe themselves: groups are folders, everything else stands in the first line."""

import collections
import fnmatch
import glob
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
# What each has in common stands in README.md.
GROUPS = ("escape", "host", "theft", "leftovers", "starvation", "measure", "compile", "judge", "protocol")
LANGUAGES = {".c": "C", ".cpp": "C++", ".S": "assembly", ".py": "Python", ".java": "Java", ".js": "JavaScript", ".go": "Go", ".rs": "Rust"}
NATIVE = {".c", ".cpp", ".S", ".rs", ".go"}
STATUSES = {
    "exited", "signaled", "cpu_time_limit", "wall_time_limit", "memory_limit", "output_limit", "forbidden_syscall",
    "sandbox_error",
}
KEYS = {
    "expect", "layer", "each", "policy", "time", "wall", "memory", "processes", "output", "box", "net", "groups", "rounds",
    "beside", "peak", "later", "cpus", "copyout", "mount", "stdin", "leak", "terminal", "cells", "root", "verdict", "feedback",
}


class Attack:
    """One case: a file, the keys of its first line, and the word of `each` that it runs with."""

    def __init__(self, path, keys, why, word):
        self.path, self.word, self.why = path, word, why
        self.group, self.base = os.path.relpath(path, HERE).split("/")
        self.stem, self.ending = os.path.splitext(self.base)
        self.name = f"{self.group}/{self.base}" + (":" + word if word else "")
        self.keys = {key: value.replace("{}", word) for key, value in keys.items()}
        self.expect = self.keys["expect"].split("|")
        self.layers = set(re.split("[,+]", keys["layer"]))
        self.compiling = self.group == "compile"
        self.bridged = keys.get("net") == "bridge"
        self.seconds = float(self.keys.get("time", "1s")[:-1])
        # Far beyond the CPU limit, so that a busy machine does not turn the one into the other.
        self.wall = float(self.keys.get("wall", f"{10 * self.seconds + 10}s")[:-1])

    def matches(self, names):
        file, stem = f"{self.group}/{self.base}", f"{self.group}/{self.stem}"
        mine = {self.group, self.name, file, stem, self.base, self.stem, f"{self.stem}:{self.word}"}
        return not names or bool(mine & set(names))

    def native(self):
        """Whether it needs neither an interpreter nor a compiler in its cell."""
        return self.group not in ("compile", "protocol") and "verdict" not in self.keys and self.ending in NATIVE


def known_layers():
    with open(os.path.join(HERE, "layers.txt")) as f:
        return {line.split("|")[0].strip() for line in f if "|" in line and line[0] != "#"}


def attacks_of(path, layers):
    with open(path) as f:
        line = f.readline().strip()
    found = re.fullmatch(r"(?:/\*|//|#) attack: (.*?) why=(.+?)(?: \*/)?", line)
    if not found:
        raise ValueError(f"{path}:1: expected a comment 'attack: expect=STATUS layer=NAME [KEY=VALUE]... why=TEXT'")
    keys = dict(word.split("=", 1) for word in found[1].split())
    if set(keys) - KEYS or not {"expect", "layer"} <= set(keys):
        raise ValueError(f"{path}:1: unknown key, or no expect= or layer=: {sorted(set(keys) - KEYS)}")
    for expected in keys["expect"].split("|"):
        if expected.split(":")[0] not in STATUSES:
            raise ValueError(f"{path}:1: no status of a report: {expected}")
    attacks = [Attack(path, keys, found[2], word) for word in keys.get("each", "").split(",")]
    if unknown := attacks[0].layers - layers:
        raise ValueError(f"{path}:1: not in layers.txt: {', '.join(sorted(unknown))}")
    return attacks


def all_attacks():
    """Every case, in the order of the groups.  Files are known by their stems, so no two may share one."""
    layers, stems, attacks = known_layers(), {}, []
    for path in [p for group in GROUPS for p in sorted(glob.glob(os.path.join(HERE, group, "*.*")))]:
        attacks += attacks_of(path, layers)
        if (other := stems.setdefault(attacks[-1].stem, path)) != path:
            raise ValueError(f"{path} and {other}: the same name")
    return attacks


def named_but_gone():
    """What sandbox/README.md calls attack/NAME and is none; '*' in a name stands for anything."""
    with open(os.path.join(HERE, "../../sandbox/README.md")) as f:
        named = set(re.findall(r"`attack/([\w*]+)`", f.read()))
    stems = [attack.stem for attack in all_attacks()]
    return sorted(name for name in named if not fnmatch.filter(stems, name))


def show(attacks):
    """The table of the suite: one line for each file, then how many there are; cases of `each` count once."""
    files = list({attack.path: attack for attack in attacks}.values())
    for attack in files:
        print(f"{attack.group}/{attack.base:28} {attack.keys['layer']:28} {attack.why}")
    for title, key in (("group", lambda a: a.group), ("language", lambda a: LANGUAGES[a.ending])):
        counts = collections.Counter(map(key, files))
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in counts.most_common()))
    print(f"{len(files)} attacks, {len(attacks)} cases")
