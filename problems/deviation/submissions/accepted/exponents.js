// Prints in scientific notation, which the comparison must read as well.
const x = require("fs").readFileSync(0, "utf8").trim().split(/\s+/).slice(1).map(Number);
const mean = x.reduce((a, v) => a + v, 0) / x.length;
const squares = x.reduce((a, v) => a + (v - mean) * (v - mean), 0);
console.log(mean.toExponential(12) + " " + Math.sqrt(squares / x.length).toExponential(12));
