// Prints what could be ordered, also if that is not all of it.
const words = require("fs").readFileSync(0, "latin1").trim().split(/\s+/).map(Number);
const n = words[0];
const after = Array.from({ length: n + 1 }, () => []);
const waits = new Int32Array(n + 1);
for (let i = 2; i < words.length; i += 2) {
    after[words[i]].push(words[i + 1]);
    waits[words[i + 1]]++;
}
const order = [];
for (let task = 1; task <= n; task++)
    if (waits[task] === 0)
        order.push(task);
for (let at = 0; at < order.length; at++)
    for (const next of after[order[at]])
        if (--waits[next] === 0)
            order.push(next);
console.log(order.join(" "));
