// attack: expect=exited:1|exited:2 memory=1024M processes=128 time=20s layer=root why=the compiler sees no more than the program
package main

// #cgo CFLAGS: -include /etc/shadow
// #include "/etc/shadow"
// int one(void) { return 1; }
import "C"

func main() {
	println(C.one())
}
