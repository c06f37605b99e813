# attack: expect=exited:0 policy=managed memory=256M processes=16 time=10s layer=root,utsns why=a root that holds nothing of the host's
import os
import sys

SECRET_NAMES = {"shadow", "gshadow", "sudoers", "id_rsa", "id_ed25519", "machine-id", "canary", ".bash_history"}
KNOWN_TOP = {"usr", "bin", "lib", "lib64", "lib32", "libx32", "sbin", "etc", "proc", "dev", "tmp", "box", "program", "prepared", "var"}


def escaped(what):
    print("ESCAPED:", what)
    sys.exit(66)


for name in os.listdir("/"):
    if name not in KNOWN_TOP:
        escaped("the root holds /" + name)
for folder, folders, _ in os.walk("/var"):  # runtimes of two languages keep their files there
    if folder.count("/") < 3:
        for name in folders:
            if name not in {"lib", "ghc", "chicken"}:
                escaped("sees " + os.path.join(folder, name))
for top in ("/etc", "/prepared", "/dev", "/tmp", "/box", "/program", "/usr/local"):
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            if name in SECRET_NAMES:
                escaped("sees " + path)
            if top != "/tmp" and top != "/box" and os.access(path, os.W_OK) and not os.path.islink(path):
                if not path.startswith("/dev/"):
                    escaped("can write " + path)
for name in os.listdir("/etc"):
    if name not in {"passwd", "group", "alternatives", "ld.so.cache", "nsswitch.conf", "hosts", "localtime"}:
        if not name.startswith(("java", "R", "fpc", "gnucobol", "mono", "nim", "racket", "ldc2.conf")):
            escaped("/etc holds " + name)
if os.environ["HOST_NAME"] == os.uname().nodename:
    escaped("knows the host's name")
print("held")
