# attack: expect=exited:0 layer=peer root=1 why=who connects is asked for the uid that the kernel knows
import os
import socket

from hostile import JURY, PROGRAM, broken, escaped, held


def is_served(uid, path):
    """Whether a process of this uid is welcomed."""
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(10)
        try:
            s.connect(path)
            os._exit(1 if s.recv(65536) else 0)
        except OSError:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


if not is_served(0, PROGRAM):
    broken("not even root is served")
for uid in (1, 1000, 65534, 1900000000):
    for path in (PROGRAM, JURY):
        if is_served(uid, path):
            escaped(f"uid {uid} was given a cell")
held()
