#!/usr/bin/python3
"""Run a command as root in a virtual machine: another kernel, and cgroup v2 alone.

    vm.py [--memory MIB] [--cpus N] [--limit SECONDS] [--clock host|SHIFT] [--console] COMMAND [ARG]...

The machine is QEMU's software emulation, so neither KVM nor root is needed to boot it, with Debian's cloud kernel. It sees
the host's file system as it is, this checkout included, but what it writes goes to its own memory and is gone with it;
/tmp, /run and /dev/shm are empty. The command starts in the current directory with the GAVEL_* variables of this one.

Its output is copied as it comes, and its exit status is that of vm.py; 125 means that the machine failed, and 124 that the
limit was reached. Needs `make deps-vm`.
"""
import argparse
import glob
import os
import re
import resource
import secrets
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

UNPACKED = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "build/vm")
VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
NEEDED = ("/bin/busybox", "/usr/bin/qemu-system-x86_64", VIRTIOFSD, "/sbin/modprobe", "/usr/bin/cpio", "/usr/bin/setpriv")
# Not on the boot disk of a container: the file system, the line to us, and what the sandbox may want.
MODULES = ("virtio_pci", "virtiofs", "overlay", "virtio_console", "veth", "bridge", "nf_tables", "squashfs", "erofs")
FAILED, TOO_LONG = 125, 124

# The first process: busybox in an initramfs.  @MARK@, @COMMAND@ and so on are filled in.
INIT = r"""#!/bin/busybox sh
b=/bin/busybox
fail() { $b echo "vm: $*" >/dev/console; $b echo o >/proc/sysrq-trigger; $b sleep 60; }
$b mount -t proc proc /proc && $b mount -t sysfs sysfs /sys && $b mount -t devtmpfs dev /dev || fail "no /proc, /sys, /dev"
for m in $($b cat /modules/order); do $b insmod /modules/$m || fail "module $m"; done
$b mount -t virtiofs -o ro host /lower || fail "virtiofs"
$b mount -t tmpfs -o mode=755,size=75% upper /upper && $b mkdir /upper/data /upper/work || fail "tmpfs"
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work root /root || fail "overlay"
for d in proc sys dev; do $b mount --move /$d /root/$d || fail "move $d"; done
$b mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /root/sys/fs/cgroup || fail "cgroup2"
$b mount --bind /root@HERE@ /here || fail "@HERE@"
$b mkdir -p /root/dev/pts /root/dev/shm
$b mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /root/dev/pts || fail "devpts"
for d in tmp run dev/shm; do $b mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /root/$d || fail "tmpfs on $d"; done
$b chmod 755 /root/run
# The current directory is kept where one of these covers it.
[ -e /root@HERE@ ] || { $b mkdir -p /root@HERE@; $b mount --move /here /root@HERE@ || fail "move @HERE@"; }
$b ln -s /proc/self/fd /root/dev/fd
for n in 0:stdin 1:stdout 2:stderr; do $b ln -s /proc/self/fd/${n%%:*} /root/dev/${n#*:}; done
$b hostname gavel-vm
$b ip link set lo up
$b cp /main /root/run/vm-main
exec $b switch_root /root /bin/sh /run/vm-main
fail "switch_root"
"""

# The first process once the root is in place.  systemd's hosts have shared mounts: so has this one.
MAIN = r"""mount --make-rshared /
rm /run/vm-main
exec </dev/null >"$(ls /dev/vport*p1)" 2>&1
# For each file that this kernel remembers the file server has one open, and may have no more than the host allows.
mkfifo /run/vm-pause
/bin/bash -c 'exec 3<>/run/vm-pause; rm /run/vm-pause
read first rest </proc/sys/fs/inode-nr
while :; do
	read -r -t 1 -u 3 nothing
	read known rest </proc/sys/fs/inode-nr
	((known - first < @FILES@)) || echo 3 >/proc/sys/vm/drop_caches
done' &
cd @HERE@
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
	@VARIABLES@ setsid -w @COMMAND@
echo "@MARK@ $?"
# The host ends the machine when it has read this.
sleep 3600
echo o >/proc/sysrq-trigger
"""


class Failure(Exception):
    """The machine could not be had; the text says why."""


def the_kernel():
    """The newest kernel, its version, and the folder that has /lib/modules for it: `make deps-vm` does not install one."""
    missing = [p for p in NEEDED if not os.path.exists(p)]
    found = [(p, top) for top in (UNPACKED, "/") for p in glob.glob(os.path.join(top, "boot/vmlinuz-*-cloud-amd64"))]
    if missing or not found:
        raise Failure(f"missing: {', '.join(missing or ['a kernel in build/vm/boot or /boot'])}; 'make deps-vm' gets it")
    newest, top = max(found, key=lambda f: [int(n) for n in re.findall(r"\d+", os.path.basename(f[0]))])
    return newest, os.path.basename(newest).partition("-")[2], top


def modules(version, top):
    """Files to load, in order."""
    done = subprocess.run(["/sbin/modprobe", "--dirname", top, "--set-version", version, "--show-depends", "--all", *MODULES],
                          stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise Failure(f"modprobe finds no modules of kernel {version} in {top}")
    return list(dict.fromkeys(line.split()[1] for line in done.stdout.splitlines() if line.startswith("insmod ")))


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def initramfs(folder, order, command, mark):
    """A compressed archive with busybox, the modules and the two scripts."""
    top, here = f"{folder}/initramfs", os.getcwd()
    if not re.fullmatch(r"[\w./+@:,=-]+", here):
        raise Failure(f"{here}: a checkout whose path has spaces or quotes cannot be mounted")
    for name in ("bin", "modules", "root", "proc", "sys", "dev", "lower", "upper", "here"):
        os.makedirs(f"{top}/{name}")
    shutil.copy("/bin/busybox", f"{top}/bin/busybox")
    for path in order:
        shutil.copy(path, f"{top}/modules/")
    write(f"{top}/modules/order", "\n".join(map(os.path.basename, order)) + "\n")
    values = {"HERE": here, "MARK": mark, "FILES": str(resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2), "COMMAND": shlex.join(command),
              "VARIABLES": shlex.join(f"{k}={v}" for k, v in os.environ.items() if k.startswith("GAVEL_"))}
    for name, text in (("init", INIT), ("main", MAIN)):
        write(f"{top}/{name}", re.sub("@([A-Z]+)@", lambda m: values[m[1]], text), 0o755)
    subprocess.run("find . | cpio -o -H newc --quiet | gzip -1 >../initramfs.gz", shell=True, cwd=top, check=True)
    return f"{folder}/initramfs.gz"


class Folder:
    """A temporary folder; the process that makes it removes it when this one has ended, whatever way that was."""

    KEEP = 'trap "" INT TERM HUP PIPE; f=$(mktemp -d -t gavel-vm-XXXXXX) && echo "$f" && read -r _; rm -rf "$f"'

    def __enter__(self):
        self.keeper = subprocess.Popen(["/bin/sh", "-c", self.KEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       start_new_session=True)
        path = self.keeper.stdout.readline().strip()
        if not path:
            raise Failure("no temporary folder could be made")
        return path

    def __exit__(self, *_):
        self.keeper.stdin.close()
        self.keeper.wait()


class Machine:
    """QEMU and the file server it needs.  Both die with this process, whatever way it ends."""

    def __init__(self, folder):
        self.folder, self.started = folder, []

    def start(self, name, argv):
        # Where this process died before the request to die with it, it is no longer the parent.
        with_us = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", "/bin/sh", "-c", '[ $PPID = $0 ] && exec "$@"', str(os.getpid())]
        with open(f"{self.folder}/{name}.log", "wb") as log:
            self.started.append(subprocess.Popen(with_us + argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.started[-1]

    def serve_files(self):
        path = f"{self.folder}/files"
        server = self.start("virtiofsd", [VIRTIOFSD, f"--socket-path={path}", "-o", "source=/", "-o", "sandbox=chroot",
                                          "-o", "cache=always"])
        self.await_path(path, server, "virtiofsd")
        return path

    def await_path(self, path, process, name):
        ends = time.monotonic() + 30
        while not os.path.exists(path):
            if process.poll() is not None or time.monotonic() > ends:
                raise Failure(f"{name} did not start:\n{self.log(name)}")
            time.sleep(0.01)

    def boot(self, options, kernel, initrd):
        """A socket to the machine's output."""
        line = f"{self.folder}/line"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(line)
        listener.listen(1)
        listener.settimeout(60)
        clock = [] if options.clock == "host" else ["-icount", f"shift={options.clock}"]
        thread = "multi" if options.clock == "host" else "single"
        # QEMU 7.2 pushes the addresses of a far call as the kernel would, which a machine with SMAP answers with an oops.
        # What is fast on real processors is slow here: string instructions of bytes, page tables of five levels.
        cpu = "max,-smap,-erms,-fsrm,-la57"
        line_of_kernel = "console=ttyS0 quiet panic=-1 mitigations=off rcupdate.rcu_expedited=1"
        qemu = self.start("qemu", [
            "/usr/bin/qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-accel", f"tcg,thread={thread}", *clock, "-cpu", cpu, "-smp", str(options.cpus), "-m", f"{options.memory}M",
            "-object", f"memory-backend-memfd,id=mem,size={options.memory}M,share=on", "-numa", "node,memdev=mem",
            "-kernel", kernel, "-initrd", initrd, "-append", line_of_kernel,
            "-serial", f"file:{self.folder}/console.log",
            "-chardev", f"socket,id=files,path={self.serve_files()}",
            "-device", "vhost-user-fs-pci,chardev=files,tag=host",
            "-device", "virtio-serial", "-chardev", f"socket,id=line,path={line}",
            "-device", "virtserialport,chardev=line,name=line",
        ])
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            raise Failure(f"qemu did not start:\n{self.log('qemu')}") from None
        finally:
            listener.close()
        return qemu, connection

    def log(self, name):
        try:
            with open(f"{self.folder}/{name}.log", errors="replace", encoding="utf-8") as f:
                return f.read()[-8000:]
        except FileNotFoundError:
            return ""

    def stop(self):
        for process in reversed(self.started):
            process.kill()
            process.wait()


def copy_output(connection, qemu, mark, ends):
    """Copies to our own output up to the line with the mark; the status it gives, or None if it never came."""
    selector, held = selectors.DefaultSelector(), b""
    selector.register(connection, selectors.EVENT_READ)
    wanted = re.compile(rb"(?:^|\n)" + mark.encode() + rb" (\d+)\n")
    while time.monotonic() < ends:
        ready = selector.select(min(1, max(0, ends - time.monotonic())))
        got = connection.recv(65536) if ready else b""
        if ready and not got or not ready and qemu.poll() is not None:
            break
        held += got
        found = wanted.search(held)
        # What may yet become the mark is held back.
        keep = found.start() if found else max(held.rfind(b"\n"), 0) if len(held) < 65536 else len(held)
        if not found and mark.encode()[:8] not in held[keep:] and len(held) - keep > len(mark) + 8:
            keep = len(held)
        sys.stdout.buffer.write(held[:keep])
        sys.stdout.buffer.flush()
        held = held[keep:]
        if found:
            if found.group().startswith(b"\n"):
                sys.stdout.buffer.write(b"\n")
                sys.stdout.buffer.flush()
            return int(found[1])
    sys.stdout.buffer.write(held)
    sys.stdout.buffer.flush()
    return None


def run(options, folder):
    mark = "vm-" + secrets.token_hex(16)
    kernel, version, top = the_kernel()
    print(f"vm: booting Linux {version}, {options.memory} MiB; at most {options.limit:.0f} s", file=sys.stderr, flush=True)
    machine = Machine(folder)
    ends = time.monotonic() + options.limit
    try:
        qemu, connection = machine.boot(options, kernel, initramfs(folder, modules(version, top), options.command, mark))
        status = copy_output(connection, qemu, mark, ends)
    finally:
        machine.stop()
    if options.console or status is None:
        sys.stderr.write(machine.log("console") + machine.log("qemu"))
    if status is None and time.monotonic() >= ends:
        print(f"vm: stopped after {options.limit:.0f} s", file=sys.stderr)
        return TOO_LONG
    if status is None:
        raise Failure("the machine ended by itself; above is what its console said")
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", type=int, default=3072, metavar="MIB", help="memory of the machine (3072)")
    parser.add_argument("--cpus", type=int, default=1, metavar="N", help="its processors (1)")
    parser.add_argument("--limit", type=float, default=1800, metavar="SECONDS", help="stop it after this (1800)")
    parser.add_argument("--clock", default="1", metavar="host|SHIFT",
                        help="'host', or count 2^SHIFT ns for every instruction, so that limits on time mean the same "
                        "however busy the host is (1)")
    parser.add_argument("--console", action="store_true", help="print the console of the machine at the end")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    if options.command[:1] == ["--"]:
        del options.command[0]
    if not options.command:
        parser.error("no command to run in the machine")
    if options.clock != "host" and not re.fullmatch(r"\d|10", options.clock):
        parser.error(f"--clock {options.clock}: 'host' or a number from 0 to 10")
    if options.clock != "host" and options.cpus != 1:
        parser.error("--cpus: a machine that counts instructions has one; several need --clock host")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    try:
        with Folder() as folder:
            return run(options, folder)
    except Failure as e:
        print(f"vm: {e}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main())
