# attack: expect=exited:0 memory=256M processes=32 time=5s layer=readonly,landlock why=a compiler writes where the program could, whatever its options say
import os
import subprocess
import sys

# Options that name files to write: dependencies, dumps, time traces, the program itself, also by a file of options.
with open("victim.c", "w") as f:
    f.write("int main(void) { return 0; }\n")
with open("options", "w") as f:
    f.write("-o /usr/bin/gavel-attack\n")
for options in (["-o", "/usr/bin/gavel-attack"], ["@options"], ["-MD", "-MF", "/etc/gavel-attack"], ["-dumpdir", "/usr/lib/gavel-attack"],
                ["-save-temps=obj", "-o", "/usr/lib/gavel-attack"], ["-Wl,-Map=/lib/gavel-attack"], ["-o", "/program/gavel-attack"],
                ["-fprofile-dir=/etc", "--coverage", "-o", "/gavel-attack"]):
    subprocess.run(["/usr/bin/gcc", "victim.c", *options], capture_output=True)
for folder in ("/usr/bin", "/usr/lib", "/etc", "/lib", "/program", "/"):
    if any(name.startswith("gavel-attack") for name in os.listdir(folder)):
        print("ESCAPED: a compiler wrote to", folder)
        sys.exit(66)
print("held")
