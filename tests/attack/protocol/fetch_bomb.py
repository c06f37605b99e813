# attack: expect=exited:0 cells=2 layer=copy_out why=what leaves a box is bounded by the one who asks and by the box
import os

from hostile import PROGRAM, Client, broken, escaped, held, works
from peer import FETCH, encode

SCRIPTS = {
    "size": "truncate -s 1T huge; head -c 3000000 /dev/zero >three",
    "count": "i=0; while [ $i -lt 3000 ]; do : >f$i; i=$((i+1)); done",
    "depth": "i=0; while [ $i -lt 300 ]; do mkdir d; cd -P d; : >f; i=$((i+1)); done",
    "special": "mkfifo pipe; ln -s /etc/passwd link; ln -s .. up; mkdir -m 0 closed; : >fine; chmod 6777 fine",
}


def fetched(client):
    """[(name, size)] of all that comes."""
    got = []
    client.send(encode("Request", kind=FETCH, fetch_bytes=1 << 20))
    while True:
        reply = client.receive()
        for fd, name in zip(reply["fds"], reply["names"]):
            if b"root:" in os.pread(fd, 100, 0) or name.startswith(("/", "..")):
                escaped(f"{name} came out")
            got.append((name, os.fstat(fd).st_size))
            os.close(fd)
        if reply["last"] or reply["error"]:
            return got


steady = Client(PROGRAM)
for kind, script in SCRIPTS.items():
    with Client(PROGRAM) as client:
        made = client.run(["/bin/sh", "-c", script], cpu_time_us=9000000, processes=8)
        if made["error"] or made["status"] != "exited":
            broken(f"{kind}: {made['error']} {made['status']}")
        files = fetched(client)
        if sum(size for _, size in files) > 1 << 20 or kind == "special" and [name for name, _ in files] not in ([], ["fine"]):
            escaped(f"{kind}: {len(files)} files with {sum(size for _, size in files)} bytes came out")
    works(steady, f"FETCH of {kind} by another client")
held()
