# attack: expect=exited:0 policy=managed memory=96M box=64M peak=48M processes=16 time=3s layer=memory why=files in /tmp and /dev/shm are memory of the run, and in its report
import os

# What does not fit into the limit of memory is put into files, which are memory too.
block = bytes(1 << 20)
for path in ("/tmp/swap", "/dev/shm/swap"):
    with open(path, "wb", buffering=0) as f:
        for _ in range(28):
            f.write(block)
for path in ("/tmp/swap", "/dev/shm/swap"):
    os.unlink(path)
print("held")
