# attack: expect=exited:0 cells=2 each=size,count,depth,special layer=copy_out why=what leaves a box is bounded by the one who asks and by the box
import os
import sys

from hostile import PROGRAM, Client, escaped, held, works
from peer import FETCH, encode

SCRIPTS = {
    "size": "truncate -s 1T huge; head -c 3000000 /dev/zero >three",
    "count": "i=0; while [ $i -lt 3000 ]; do : >f$i; i=$((i+1)); done",
    "depth": "i=0; while [ $i -lt 300 ]; do mkdir d; cd -P d; : >f; i=$((i+1)); done",
    "special": "mkfifo pipe; ln -s /etc/passwd link; ln -s .. up; mkdir -m 0 closed; : >fine; chmod 6777 fine",
}
client, steady = Client(PROGRAM), Client(PROGRAM)
made = client.run(["/bin/sh", "-c", SCRIPTS[sys.argv[1]]], cpu_time_us=9000000, processes=8)
if made["error"] or made["status"] != "exited":
    print("BROKEN:", made["error"], made["status"], made.get("stderr"))
    sys.exit(67)
total, files = 0, 0
client.send(encode("Request", kind=FETCH, fetch_bytes=1 << 20))
while True:
    reply = client.receive()
    for fd, name in zip(reply["fds"], reply["names"]):
        st = os.fstat(fd)
        total += st.st_size
        files += 1
        if b"root:" in os.pread(fd, 100, 0) or name.startswith(("/", "..")):
            escaped(f"{name} came out")
        os.close(fd)
    if reply["last"] or reply["error"]:
        break
if total > 1 << 20:
    escaped(f"{total} bytes came out")
if sys.argv[1] == "special" and files != 1 and not reply["error"]:
    escaped(f"{files} files came out of one")
works(steady, "FETCH of another client")
held()
