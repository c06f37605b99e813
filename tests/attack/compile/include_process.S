/* attack: expect=exited:1 memory=256M time=5s layer=proc,pidns why=/proc shows a compiler no process but its own */
	.globl main
main:	ret
	.data
	.incbin "/proc/1/environ"
	.incbin "/proc/1/cmdline"
	.incbin "/proc/1/root/etc/shadow"
	.incbin "/proc/kcore", 0, 16
