# attack: expect=memory_limit|exited:1 policy=managed memory=64M processes=16 time=5s layer=memory why=memory limit, for a runtime
hoard = []
for mb in range(1024):
    hoard.append(bytearray(b"x" * (1 << 20)))
print("ESCAPED: 1 GB of 64 MB allowed")
