lines = require('fs').readFileSync(0, 'utf8').split '\n'
for line in lines[1..Number lines[0]]
  [a, b] = line.split(' ').map Number
  console.log a + b
