# attack: expect=exited:0 policy=managed memory=128M processes=16 time=5s layer=root,cgroupns why=what a process is told of itself names no path of the host
import os
import sys

# Where the host keeps its own, as far as the attack was told, and what an instance calls its cgroups.
words = [os.path.dirname(os.path.dirname(os.environ["CANARY"])), "gavel-", os.environ["HOST_NAME"], ".scope", ".slice", "docker"]
names = ["cgroup", "mountinfo", "mounts", "mountstats", "maps", "smaps", "environ", "cmdline", "status", "stat", "limits", "comm",
         "io", "auxv", "fdinfo/0", "fdinfo/1", "attr/current", "cpuset", "uid_map", "gid_map", "numa_maps"]
seen = 0
for name in names:
    try:
        with open("/proc/self/" + name, "rb") as f:
            text = f.read().decode(errors="replace")
    except OSError:
        continue
    seen += 1
    if name == "environ":  # the host tells it where the canary is
        continue
    for word in words:
        if word in text:
            print(f"ESCAPED: /proc/self/{name} has {word}:", [line for line in text.splitlines() if word in line][0][:200])
            sys.exit(66)
with open("/proc/self/cgroup") as f:
    if away := [line for line in f if not line.endswith(":/\n")]:
        print("ESCAPED: the host's cgroups are", away)
        sys.exit(66)
for fd in os.listdir("/proc/self/fd"):
    try:
        link = os.readlink("/proc/self/fd/" + fd)
    except OSError:
        continue
    if any(word in link for word in words):
        print("ESCAPED: descriptor", fd, "is", link)
        sys.exit(66)
print("held" if seen > 8 else f"BROKEN: {seen} files")
