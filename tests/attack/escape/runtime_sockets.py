# attack: expect=exited:0 policy=managed memory=128M processes=16 layer=netns why=the filter and the network namespace, for a runtime
import os
import socket
import sys


def escaped(what):
    print("ESCAPED:", what)
    sys.exit(66)


for family, address in (
    (socket.AF_INET, ("127.0.0.1", int(os.environ["TCP_PORT"]))),
    (socket.AF_INET6, ("::1", int(os.environ["TCP_PORT"]))),
    (socket.AF_UNIX, "\0" + os.environ["ABSTRACT"]),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.settimeout(1)
            s.connect(address)
    except OSError:
        continue
    escaped("reached " + str(address))
print("held")
