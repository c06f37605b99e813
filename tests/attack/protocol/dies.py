# attack: expect=exited:0 cells=2 layer=peer why=a client may die at any point: its cell ends with it, the next one is new
import os
import signal
import time

from hostile import PROGRAM, Client, broken, escaped, held, works
from peer import FETCH, PUT, RUN, Ended, encode, memfd


def asked(client, script):
    client.send(encode("Request", kind=RUN, argv=["/bin/sh", "-c", script], policy="compiler", wall_time_us=60000000,
                       env=["PATH=/bin"]), [memfd()])


def until_death(point):
    client = Client(PROGRAM)
    if point == "asked":
        asked(client, "echo left >/tmp/left")
    if point == "half_put":
        for i in range(50):
            client.send(encode("Request", kind=PUT, names=[f"left{i}"], modes=[0o644]), [memfd(bytes(100000))])
    if point == "running":
        asked(client, "for i in 1 2 3; do (while :; do :; done) & done; sleep 100")
        time.sleep(0.2)
    if point == "answered":
        asked(client, "echo left >/dev/shm/left; head -c 1000000 /dev/zero")
        time.sleep(0.3)
    if point == "fetching":
        client.put({f"file{i}": bytes(10000) for i in range(150)})
        client.send(encode("Request", kind=FETCH, fetch_bytes=1 << 30))
    if point == "in_flight":  # its own end is in the queue that it leaves
        asked(client, "sleep 1")
        client.send(encode("Request", kind=RUN), [client.socket.fileno()])
    os.kill(os.getpid(), signal.SIGKILL)


steady = Client(PROGRAM)
for point in ("connected", "asked", "half_put", "running", "answered", "fetching", "in_flight"):
    pid = os.fork()
    if pid == 0:
        try:
            until_death(point)
        finally:
            os._exit(1)
    if os.WTERMSIG(os.waitpid(pid, 0)[1]) != signal.SIGKILL:
        broken(f"the client did not come to its death: {point}")
    works(steady, f"a death when {point}")
    try:
        with Client(PROGRAM) as following:
            works(following, f"a death when {point}, for the next client")
    except Ended as e:
        escaped(f"a death when {point}: {e}")
held()
