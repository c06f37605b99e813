require('readline').createInterface({ input: process.stdin }).on('line', line => {
	const [a, b] = line.split(' ').map(Number)
	if (b !== undefined) console.log(a - b)
})
