interface Pair {
	a: number
	b: number
}

const lines: string[] = require('fs').readFileSync(0, 'utf8').split('\n')
const pairs: Pair[] = lines.slice(1, 1 + Number(lines[0])).map(line => {
	const [a, b] = line.split(' ').map(Number)
	return { a, b }
})
for (const { a, b } of pairs) console.log(a + b)
