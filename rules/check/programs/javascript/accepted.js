const lines = require('fs').readFileSync(0, 'utf8').split('\n')
const n = parseInt(lines[0])
for (let i = 1; i <= n; i++) {
	const [a, b] = lines[i].split(' ').map(Number)
	console.log(a + b)
}
