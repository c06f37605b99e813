// attack: expect=wall_time_limit policy=managed memory=512M processes=64 time=5s wall=3s layer=wall_time why=wall limit: a runtime with nothing to do, and a timer that will fire in a year
process.on("SIGTERM", () => {});
process.on("SIGINT", () => {});
setTimeout(() => {}, 2 ** 31 - 1);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000);
