# attack: expect=cpu_time_limit policy=managed memory=256M processes=16 layer=cpu_time why=CPU limit, inside one instruction of a runtime
print((7 ** (10**9)) % 10)
