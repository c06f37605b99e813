# attack: expect=exited:0 layer=frames why=a limit is within its range, or there is no run
from hostile import PROGRAM, Client, held, must_refuse
from peer import RUN, memfd

MOST = (1 << 64) - 1
BAD = [
    ("cpu_time_us", 1, 999, 3601000000, 1 << 63, MOST), ("wall_time_us", 1, 14401000000, MOST),
    ("memory_bytes", 1, 4096, (1 << 40) + 1, 1 << 63, MOST), ("output_bytes", 1 << 40, MOST),
    ("box_bytes", 1, 1 << 41, MOST), ("stack_bytes", 1, MOST), ("processes", 32769, (1 << 32) - 1), ("box_inodes", 1, (1 << 20) + 1),
    ("open_files", 1, 65537), ("cpu_milli", 1, (1 << 32) - 1), ("pin_cpu", -3, 100000, 1 << 31), ("attach", 1), ("kind", 0, 5, 6, 77),
]

client, fd = Client(PROGRAM), memfd()
for name, *values in BAD:
    for value in values:
        fields = {"argv": ["/bin/true"], "policy": "compiler", name: value}
        must_refuse(client, client.ask(fields.pop("kind", RUN), [fd], **fields), f"{name} {value}")
held()
