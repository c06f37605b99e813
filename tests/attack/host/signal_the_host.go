// attack: expect=forbidden_syscall:sethostname policy=managed memory=256M processes=64 time=5s layer=pidns,readonly,seccomp why=neither processes nor files of the host, for a runtime that makes its own system calls
package main

import (
	"os"
	"strconv"
	"syscall"
)

func escaped(what string) {
	os.Stdout.WriteString("ESCAPED: " + what + "\n")
	os.Exit(66)
}

func main() {
	victim, _ := strconv.Atoi(os.Getenv("VICTIM_PID"))
	if syscall.Kill(victim, syscall.SIGSTOP) == nil {
		escaped("stopped a process of the host")
	}
	for _, path := range []string{os.Getenv("CANARY"), "/usr/bin/env", "/etc/passwd", "/lib64/ld-linux-x86-64.so.2"} {
		if file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err == nil {
			file.Close()
			escaped("can write " + path)
		}
	}
	if os.WriteFile("/usr/lib/gavel-attack", []byte("x"), 0644) == nil {
		os.Remove("/usr/lib/gavel-attack")
		escaped("wrote to /usr/lib")
	}
	if syscall.Sethostname([]byte("attacked")) == nil {
		escaped("named the host")
	}
	os.Stdout.WriteString("held\n")
}
