import * as fs from 'fs'

for (const line of fs.readFileSync(0, 'utf8').split('\n').slice(1)) {
	const [a, b]: number[] = line.split(' ').map(Number)
	if (b !== undefined) console.log(a - b)
}
