# attack: expect=exited:0 each=1000,65534 layer=peer why=who connects is asked for the uid that the kernel knows
import os
import socket
import sys

from hostile import JURY, PROGRAM, held

pid = os.fork()
if pid == 0:
    os.setgroups([])
    os.setresgid(int(sys.argv[1]), int(sys.argv[1]), int(sys.argv[1]))
    os.setresuid(int(sys.argv[1]), int(sys.argv[1]), int(sys.argv[1]))
    for path in (PROGRAM, JURY):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(10)
        try:
            s.connect(path)
            if s.recv(65536):
                os._exit(66)
        except OSError:
            pass
    os._exit(0)
if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
    print("ESCAPED: a stranger was given a cell")
    sys.exit(66)
held()
