# attack: expect=exited:0 policy=managed memory=256M processes=16 time=5s layer=pids why=pids limit, for a runtime
import os
import sys
import time

born = 0
try:
    while born < 1000:
        if os.fork() == 0:
            time.sleep(15)
            os._exit(0)
        born += 1
except OSError:
    pass
if born > 50:
    print("ESCAPED:", born, "processes at once, of 16 allowed")
    sys.exit(66)
print("held")
sys.stdout.flush()
os._exit(0)
