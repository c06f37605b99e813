// attack: expect=exited:0 policy=managed memory=256M processes=64 time=5s layer=root,environment why=the root and the environment, for a runtime that makes its own system calls
package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

func escaped(what string) {
	os.Stdout.WriteString("ESCAPED: " + what + "\n")
	os.Exit(66)
}

func main() {
	if os.Getenv("SECRET_OF_THE_HOST") != "" {
		escaped("inherited the environment")
	}
	for _, top := range []string{"/etc", "/tmp", "/box", "/program", "/dev", "/home", "/root", "/var", "/run", "/srv", "/opt"} {
		filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasPrefix(path, "/dev/") || !entry.Type().IsRegular() {
				return nil
			}
			if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text[:min(len(text), 4096)]), "SECRET-") {
				escaped("the secret is in " + path)
			}
			if file, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil && !strings.HasPrefix(path, "/box/") {
				file.Close()
				escaped("can write " + path)
			}
			return nil
		})
	}
	if _, err := os.Stat(os.Getenv("CANARY")); err == nil {
		escaped("sees the canary")
	}
	os.Stdout.WriteString("held\n")
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
