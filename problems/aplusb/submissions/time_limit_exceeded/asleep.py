# Never ends, and uses no processor time at all.
import time

time.sleep(3600)
