#include "sandbox/cgroup_devices.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/err.h"
#include "proto/scope.h"
#include "sandbox/cgroup_dir.h"

/* Character devices of major 1: devices.txt of the kernel. */
enum { MEMORY_DEVICES = 1, NULL_NODE = 3, ZERO = 5, FULL = 7, RANDOM = 8, URANDOM = 9 };

static const int nodes[] = {NULL_NODE, ZERO, FULL, RANDOM, URANDOM};

int cgroup_devices_list(int dir, struct err *e)
{
	char rule[32];

	if (cgroup_dir_write(dir, "devices.deny", "a", e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(rule, sizeof(rule), "c %d:%d rw", MEMORY_DEVICES, nodes[i]);
		if (cgroup_dir_write(dir, "devices.allow", rule, e) < 0)
			return -1;
	}
	return 0;
}

#define LOAD(to, field)                                                                            \
	((struct bpf_insn){.code = BPF_LDX | BPF_MEM | BPF_W,                                      \
			   .dst_reg = (to),                                                        \
			   .src_reg = BPF_REG_1,                                                   \
			   .off = offsetof(struct bpf_cgroup_dev_ctx, field)})
#define MASK(reg, value)                                                                           \
	((struct bpf_insn){.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = (reg), .imm = (value)})
#define JUMP(op, reg, value, by)                                                                   \
	((struct bpf_insn){                                                                        \
		.code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .off = (by), .imm = (value)})
#define ANSWER(value)                                                                              \
	((struct bpf_insn){                                                                        \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = (value)})
#define EXIT ((struct bpf_insn){.code = BPF_JMP | BPF_EXIT})

int cgroup_devices_load(struct err *e)
{
	/* access_type is type | access << 16, see struct bpf_cgroup_dev_ctx; jumps count from the next line. */
	const struct bpf_insn program[] = {
		LOAD(BPF_REG_2, access_type),
		LOAD(BPF_REG_3, access_type),
		LOAD(BPF_REG_4, major),
		LOAD(BPF_REG_5, minor),
		MASK(BPF_REG_2, 0xffff),
		MASK(BPF_REG_3, BPF_DEVCG_ACC_MKNOD << 16),
		JUMP(BPF_JNE, BPF_REG_2, BPF_DEVCG_DEV_CHAR, 7),
		JUMP(BPF_JNE, BPF_REG_3, 0, 6),
		JUMP(BPF_JNE, BPF_REG_4, MEMORY_DEVICES, 5),
		JUMP(BPF_JEQ, BPF_REG_5, NULL_NODE, 6),
		JUMP(BPF_JEQ, BPF_REG_5, ZERO, 5),
		JUMP(BPF_JEQ, BPF_REG_5, FULL, 4),
		JUMP(BPF_JEQ, BPF_REG_5, RANDOM, 3),
		JUMP(BPF_JEQ, BPF_REG_5, URANDOM, 2),
		ANSWER(0), /* refused, EPERM */
		EXIT,
		ANSWER(1),
		EXIT,
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.insn_cnt = ARRAY_LEN(program),
		.insns = (uintptr_t)program,
		.license = (uintptr_t) "GPL",
		.prog_name = "gavel_devices",
	};
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)); /* close-on-exec */

	return fd < 0 ? err_sys(e, "load the filter of devices") : fd;
}

int cgroup_devices_attach(int dir, int program, struct err *e)
{
	/* MULTI: beside what an administrator may have put on a parent; all are asked. */
	union bpf_attr attr = {
		.target_fd = (uint32_t)dir,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) < 0
		       ? err_sys(e, "attach the filter of devices")
		       : 0;
}
