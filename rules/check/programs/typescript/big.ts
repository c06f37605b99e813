const all: number[][] = []
for (;;) all.push(new Array<number>(100000).fill(1.5))
