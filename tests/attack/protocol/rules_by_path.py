# attack: expect=exited:0 layer=frames why=a rule is one of those that were loaded, never a path
from hostile import PROGRAM, Client, held, must_refuse
from peer import RUN, memfd

client, fd = Client(PROGRAM), memfd()
for name in ("../roots/default", "/etc/passwd", "native.policy", "nothing", "native/../native", "x" * 5000, "bridge:", "bridge:../x"):
    for field in ("policy", "root", "network"):
        fields = {"argv": ["/bin/true"], "policy": "compiler", field: name}
        must_refuse(client, client.ask(RUN, [fd], **fields), f"{field} {name[:30]}")
for fields in ({"cwd": "box"}, {"env": ["=x"]}, {"env": ["x"]}, {"argv": []}, {"argv": [""]}, {"network_group": "red"}):
    must_refuse(client, client.ask(RUN, [fd], **({"argv": ["/bin/true"], "policy": "compiler"} | fields)), repr(fields))
held()
