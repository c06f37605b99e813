everything = []
while True:
    everything.append([1.5] * 100000)
