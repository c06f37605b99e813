const text = require("fs").readFileSync(0, "latin1");
const heights = text.slice(text.indexOf("\n") + 1).split(" ");
const tail = new Int32Array(heights.length);
let length = 0;
for (const word of heights) {
    const height = parseInt(word, 10);
    let low = 0, high = length;
    while (low < high) {
        const middle = (low + high) >> 1;
        if (tail[middle] < height)
            low = middle + 1;
        else
            high = middle;
    }
    tail[low] = height;
    if (low === length)
        length++;
}
console.log(length);
