const words = require("fs").readFileSync(0, "utf8").trim().split(/\s+/);
console.log((BigInt(words[0]) + BigInt(words[1])).toString());
