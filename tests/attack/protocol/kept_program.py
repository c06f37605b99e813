# attack: expect=exited:0 layer=frames why=what is kept is read-only and bounded, and a bad KEEP keeps nothing
from hostile import PROGRAM, Client, escaped, held, works
from peer import KEEP

client = Client(PROGRAM)
script = b"#!/bin/sh\nchmod 777 /program /program/p; echo evil >/program/p; rm -f /program/p; mv /program/p /tmp; ls /program\n"
client.put({"p": script})
if error := client.ask(KEEP, paths=["p"])["error"]:
    escaped(error)
for _ in range(3):
    reply = client.run(["/program/p"])
    if reply["error"] or reply["stdout"] != "p\n":
        escaped(f"the second run finds {reply['error']}{reply.get('stdout')!r}")
if not client.ask(KEEP, paths=["no*thing"])["error"]:
    escaped("what is not there was kept")
held()
