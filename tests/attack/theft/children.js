// attack: expect=exited:0 policy=managed memory=512M processes=64 time=10s layer=root,pidns why=a program may start others, which see no more than itself
const { spawnSync } = require("child_process");
const fs = require("fs");

function escaped(what) {
    fs.writeSync(1, "ESCAPED: " + what + "\n");
    process.exit(66);
}

for (const path of ["/etc/shadow", process.env.CANARY, "/root", "/proc/1/environ"]) {
    const child = spawnSync("/bin/cat", [path], { timeout: 3000 });
    if (child.status === 0)
        escaped("a child read " + path);
}
const victim = spawnSync("/bin/sh", ["-c", "kill -STOP " + process.env.VICTIM_PID], { timeout: 3000 });
if (victim.status === 0)
    escaped("a child stopped a process of the host");
fs.writeSync(1, "held\n");
