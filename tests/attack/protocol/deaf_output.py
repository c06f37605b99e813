# attack: expect=exited:0 cells=2 layer=wall_time why=an output pipe that nobody reads, and an input pipe that nobody fills, hold a run until its time is over
import os

from hostile import PROGRAM, Client, escaped, held, works
from peer import RUN, STATUSES, memfd

client, steady = Client(PROGRAM), Client(PROGRAM)
run = {"policy": "compiler", "env": ["PATH=/bin:/usr/bin"], "wall_time_us": 1500000}
read_end, write_end = os.pipe()
for fds, fields in (([memfd(), write_end], {"stdout_pipe": 1, "argv": ["/usr/bin/head", "-c", "1000000", "/dev/zero"]}),
                    ([read_end], {"stdin_pipe": 1, "argv": ["/bin/cat"]})):
    reply = client.ask(RUN, fds, **run, **fields)
    if reply["error"] or STATUSES[reply["status"]] != "wall_time_limit":
        escaped(f"{reply['error']} {STATUSES[reply['status']]}")
    works(steady, "a run of another client that cannot go on")
works(client, "a run that could not go on")
held()
