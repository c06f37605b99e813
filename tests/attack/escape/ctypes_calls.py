# attack: expect=forbidden_syscall:{} policy=managed memory=128M processes=16 each=ptrace,mount,unshare layer=seccomp why=the managed policy forbids what the native one does
import ctypes
import sys

libc = ctypes.CDLL(None, use_errno=True)
call = {
    "ptrace": lambda: libc.ptrace(16, 1, 0, 0),
    "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, b""),
    "unshare": lambda: libc.unshare(0x10000000),
}[sys.argv[1]]
call()
print("ESCAPED:", sys.argv[1], "came back")
sys.exit(66)
