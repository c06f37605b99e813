# attack: expect=exited:0 memory=512M processes=32 time=10s layer=root,pidns,environment why=code that a compiler loads is a program like any other, in the same cell
import os
import subprocess
import sys

# A plugin's constructor runs inside the compiler: what it finds it puts into the program that is compiled.
PLUGIN = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int plugin_is_GPL_compatible;
static void tell(const char *what) { printf("ESCAPED: the compiler %s\n", what); }
__attribute__((constructor)) static void load(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	if (open(getenv("CANARY"), O_RDONLY) >= 0 || open("/etc/shadow", O_RDONLY) >= 0) tell("reads the host's files");
	if (open("/usr/lib/gavel-attack", O_WRONLY | O_CREAT, 0600) >= 0) tell("writes the host's files");
	if (open("/proc/1/environ", O_RDONLY) >= 0) tell("sees init");
	if (getenv("SECRET_OF_THE_HOST")) tell("inherits the environment");
	if (getuid() == 0 || setuid(0) == 0) tell("is root");
	puts("loaded");
}
int plugin_init(void *info, void *version) { return 0; }
"""
with open("plugin.c", "w") as f:
    f.write(PLUGIN)
with open("victim.c", "w") as f:
    f.write("int main(void) { return 0; }\n")
subprocess.run(["/usr/bin/gcc", "-shared", "-fPIC", "-w", "-o", "plugin.so", "plugin.c"], check=True)
made = subprocess.run(["/usr/bin/gcc", "-fplugin=./plugin.so", "-o", "program", "victim.c"], capture_output=True, text=True)
sys.stdout.write(made.stdout)
print("held" if "loaded" in made.stdout else f"BROKEN: {made.stderr[-200:]}", flush=True)
