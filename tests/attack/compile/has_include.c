/* attack: expect=exited:0 memory=256M time=5s layer=root why=what the compiler can be asked about is what the program could see */
/* Not even whether a file is there: each answer would be one bit in the program. */
#if __has_include(CANARY_PATH) || __has_include("/etc/shadow") || __has_include("/etc/machine-id")
#error "ESCAPED: sees files of the host"
#endif
#if __has_include("/proc/1/environ") || __has_include("/home") || __has_include("/root/.ssh/id_rsa")
#error "ESCAPED: sees what is another's"
#endif
#if __has_include("/sys/kernel/btf/vmlinux") || __has_include("/var/lib/gavel/state.db")
#error "ESCAPED: sees what the judge has"
#endif
int main(void)
{
	return 0;
}
