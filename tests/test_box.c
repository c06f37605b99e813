#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/io.h"
#include "proto/scope.h"
#include "proto/wire.h"
#include "sandbox/box.h"
#include "tests/cell_fixture.h"

#define FETCH SANDBOX__REQUEST__KIND__FETCH
#define KEEP  SANDBOX__REQUEST__KIND__KEEP

static void run_same_box(struct fixture *f, const char *script, struct answer *a)
{
	char *argv[3];
	Sandbox__Request rq = fixture_shell(argv, script);

	rq.same_box = 1;
	fixture_send(f, &rq, "", a);
}

/* Whatever a box holds, an error about it is an answer: the cell goes on, and the text can be sent. */
static void expect_refused(const struct answer *a, const char *part)
{
	cr_expect_not(a->broken, "%s", a->error);
	cr_expect_not_null(strstr(a->error, part), "'%s' instead of '%s'", a->error, part);
	cr_expect_eq(wire_utf8_prefix((const uint8_t *)a->error, strlen(a->error)),
		     strlen(a->error));
}

static int has(const struct answer *a, const char *name, const char *contents)
{
	for (size_t i = 0; i < a->nfiles; i++)
		if (strcmp(a->names[i], name) == 0)
			return strcmp(a->contents[i], contents) == 0;
	return 0;
}

Test(box, names)
{
	static const char *const good[] = {"a",       "a/b", "a.b", "...",   "..a",
					   "a/..b/c", "-",   "a/",  "a b\n", "\xc3\xa9"};
	static const char *const bad[] = {
		"",     "/",   "/a",     ".",   "..",  "a/..", "a//b",  "a/./b",
		"../a", "./a", "a/../b", "a/.", "a//", "//",   "a/../", "../../etc/passwd"};
	struct err e = {0};
	char longest[BOX_PATH_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		cr_expect_eq(box_check_name(good[i], &e), 0, "%s: %s", good[i], e.msg);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_eq(box_check_name(bad[i], &e), -1, "%s", bad[i]);
	memset(longest, 'x', sizeof(longest));
	longest[255] = '\0';
	cr_expect_eq(box_check_name(longest, &e), 0);
	longest[255] = 'x';
	longest[256] = '\0';
	cr_expect_eq(box_check_name(longest, &e), -1);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '/' : 'x';
	longest[BOX_PATH_MAX] = '\0';
	cr_expect_eq(box_check_name(longest, &e), 0, "%s", e.msg);
	longest[BOX_PATH_MAX] = 'x';
	longest[BOX_PATH_MAX + 1] = '\0';
	cr_expect_eq(box_check_name(longest, &e), -1);
}

Test(box, put_makes_files_as_asked, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_put(&f, "deep/er/file", 0644, "text", &a);
	cr_expect_str_eq(a.error, "");
	fixture_put(&f, "run.sh", 0755, "#!/bin/sh\necho ran\n", &a);
	fixture_put(&f, "fixed", 0444, "old", &a);
	fixture_put(&f, "fixed", 0444, "new", &a);
	cr_expect_str_eq(a.error, "");
	fixture_put(&f, "empty/", 0755, "", &a);
	cr_expect_str_eq(a.error, "");
	fixture_run(&f,
		    "./run.sh; cat deep/er/file fixed; stat -c ' %a %u:%g %n' deep deep/er "
		    "deep/er/file run.sh fixed empty; touch deep/er/mine empty/mine && echo own",
		    &a);
	cr_expect_str_eq(a.out,
			 "ran\ntextnew 755 1000:1000 deep\n 755 1000:1000 deep/er\n"
			 " 644 1000:1000 deep/er/file\n 755 1000:1000 run.sh\n"
			 " 444 1000:1000 fixed\n 755 1000:1000 empty\nown\n",
			 "%s%s", a.out, a.err_text);
	fixture_put(&f, "../out", 0644, "", &a);
	expect_refused(&a, "name '../out'");
	fixture_put(&f, "out", 04755, "", &a);
	expect_refused(&a, "modes[0]: 4755");
	fixture_run(&f, "ls -A", &a);
	cr_expect_str_eq(a.out, "");
	fixture_close(&f);
}

/* Files are written only where nothing that a program left can lead elsewhere. */
Test(box, put_follows_nothing, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	Sandbox__Request rq = SANDBOX__REQUEST__INIT;
	static const struct {
		const char *name, *error;
	} puts[] = {
		{"link", ""},
		{"fifo", ""},
		{"hard", ""},
		{"folder", "folder"},
		{"tolink/x", "tolink/x"},
		{"fifo2/x", "fifo2/x"},
		{"tolink/", "tolink/"},
	};

	fixture_open(&f, NULL);
	fixture_run(&f,
		    "echo keep > /box/target; ln -s /box/target link; mkfifo fifo fifo2; "
		    "ln target hard; mkdir folder; ln -s /tmp tolink",
		    &a);
	for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
		struct err e = {0};
		uint32_t mode = 0644;
		char *name = (char *)puts[i].name;
		AUTO_CLOSE int fd = io_memfd_of("put", 3, &e);

		rq.kind = SANDBOX__REQUEST__KIND__PUT;
		rq.names = &name;
		rq.modes = &mode;
		rq.n_names = rq.n_modes = 1;
		rq.same_box = 1;
		fixture_send_fds(&f, &rq, &fd, name[strlen(name) - 1] == '/' ? 0 : 1, &a);
		if (puts[i].error[0])
			expect_refused(&a, puts[i].error);
		else
			cr_expect_str_eq(a.error, "", "%s: %s", name, a.error);
		rq.root = rq.network = rq.cwd = (char *)protobuf_c_empty_string;
	}
	run_same_box(&f, "cat target link fifo hard; ls -A /tmp", &a);
	cr_expect_str_eq(a.out, "keep\nputputput", "%s%s", a.out, a.err_text);
	fixture_close(&f);
}

Test(box, fetch_takes_what_is_named, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(
		&f,
		"mkdir -p d/e .h; echo 1 > a.txt; echo 2 > b.txt; echo 3 > c.bin; echo 4 > "
		"d/x.txt; "
		"echo 5 > d/e/y.txt; echo 6 > .hidden.txt; echo 7 > 'q?[x].txt'; chmod 755 c.bin",
		&a);
	fixture_paths(&f, FETCH, NULL, &a);
	cr_expect_eq(a.fetched, 7);
	fixture_paths(&f, FETCH, NULL, &a); /* again: reading moved nothing */
	cr_expect_eq(a.fetched, 7);
	cr_expect(has(&a, "d/e/y.txt", "5\n"));
	fixture_paths(&f, FETCH, "*.txt", &a);
	cr_expect_eq(a.fetched, 3);
	cr_expect(has(&a, "a.txt", "1\n") && has(&a, "b.txt", "2\n") &&
		  has(&a, "q?[x].txt", "7\n"));
	fixture_paths(&f, FETCH, "d/*.txt", &a);
	cr_expect_eq(a.fetched, 1);
	cr_expect(has(&a, "d/x.txt", "4\n"));
	fixture_paths(&f, FETCH, "d/", &a);
	cr_expect_eq(a.fetched, 2);
	fixture_paths(&f, FETCH, "d/e", &a);
	cr_expect(has(&a, "d/e/y.txt", "5\n"));
	fixture_paths(&f, FETCH, "q?[x].txt", &a);
	cr_expect_eq(a.fetched, 1);
	static const char *const missing[] = {"none", "none/x", "*.none", "a.txt/x", "d/none/*"};

	for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
		fixture_paths(&f, FETCH, missing[i], &a);
		expect_refused(&a, missing[i]);
		cr_expect_eq(a.error_number, ENOENT, "%s", missing[i]);
	}
	fixture_paths(&f, FETCH, "../etc/passwd", &a);
	expect_refused(&a, "paths[0]: name '../etc/passwd'");
	fixture_paths(&f, FETCH, "/etc/passwd", &a);
	expect_refused(&a, "must be relative");
	fixture_close(&f);
}

Test(box, fetch_many, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];

	fixture_open(&f, NULL);
	/* The longest names there can be, forty-eight to a frame. */
	fixture_run(&f,
		    "n=$(printf '%0240d' 0); mkdir -p $n/$n/$n; i=0; while [ $i -lt 200 ]; do "
		    "echo $i > $n/$n/$n/$n$i; i=$((i+1)); done",
		    &a);
	fixture_paths(&f, FETCH, NULL, &a);
	cr_expect_str_eq(a.error, "");
	cr_expect_eq(a.fetched, 200);
	cr_expect_geq(a.replies, 200 / 48);
	Sandbox__Request rq =
		fixture_shell(argv, "python3 -c 'for i in range(5000): open(str(i), \"w\")'");

	rq.box_inodes = 10000;
	fixture_send(&f, &rq, "", &a);
	fixture_paths(&f, FETCH, NULL, &a);
	expect_refused(&a, "more than 4096 files");
	cr_expect_eq(a.error_number, 0);
	fixture_paths(&f, FETCH, "4999", &a); /* and the cell is as good as before */
	cr_expect_eq(a.fetched, 1);
	fixture_close(&f);
}

struct hostile {
	const char *make, *path, *error; /* "": everything fine, `fetched` files */
	size_t fetched;
};

/* clang-format off */
static const struct hostile hostile[] = {
	{ "ln -s /etc/passwd link; ln -s /box loop; ln -s . d; echo x > real", NULL, "", 1 },
	{ "ln -s /etc/passwd link", "link", "link: No such file", 0 },
	{ "ln -s /etc d", "d/passwd", "d/passwd: No such file", 0 },
	{ "ln -s /etc d", "d/*", "d/*: No such file", 0 },
	{ "mkfifo f; echo x > real", NULL, "", 1 },
	{ "mkfifo f", "f", "f: No such file", 0 },
	{ "truncate -s 1T sparse", NULL, "files are larger than allowed: sparse", 0 },
	{ "truncate -s 2T a; truncate -s 8E b; echo x > real", "real", "", 1 },
	{ "truncate -s 600k a; truncate -s 600k b", NULL, "files are larger than allowed", 0 },
	{ "truncate -s 300k a; ln a b; ln a c; ln a d", NULL, "files are larger than allowed", 0 },
	{ "echo x > \"$(printf 'new\\nline')\"; echo y > \"$(printf 'q\\\"\\\\\\033')\"", NULL, "", 2 },
	{ "echo x > \"$(printf 'not\\377utf')\"", NULL, "not UTF-8", 0 },
	{ "echo x > \"$(printf 'not\\377utf')\"", "not*", "not UTF-8", 0 },
	{ "d=$(printf '\\377'); mkdir -p $d/$d; truncate -s 1T $d/$d/$d", NULL, "larger than allowed: ?/?/?", 0 },
	/* a message that is cut falls into the middle of a letter */
	{ "n=; for i in $(seq 100); do n=$n\303\251; done; mkdir -p $n/$n; truncate -s 1T $n/$n/x$n", NULL, "...", 0 },
	{ "i=0; while [ $i -lt 40 ]; do mkdir d && cd d; i=$((i+1)); done; touch x", NULL, "nested too deeply", 0 },
	{ "i=0; while [ $i -lt 500 ]; do mkdir -p dddddddd && cd -P dddddddd; i=$((i+1)); done", NULL, "nested too deeply", 0 },
	{ "n=$(printf '%0250d' 0); mkdir -p $n/$n/$n/$n/$n; touch $n/$n/$n/$n/$n/x", NULL, "longer than 1024", 0 },
	{ "echo x > real; chmod 000 real /box", NULL, "", 1 },
	{ "mkdir d; echo x > d/real; chmod 000 d", "d", "", 1 },
	{ "echo x > real; chmod 4755 real", NULL, "", 1 },
	{ "touch -- -rf '*' '?'; echo x > real", "real", "", 1 },
};
/* clang-format on */

Test(box, hostile_contents, .timeout = 120)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		fixture_run(&f, hostile[i].make, &a);
		cr_assert_str_eq(a.error, "", "%s: %s", hostile[i].make, a.error);
		fixture_paths(&f, FETCH, hostile[i].path, &a);
		if (hostile[i].error[0])
			expect_refused(&a, hostile[i].error);
		else
			cr_expect_str_eq(a.error, "", "%s: %s", hostile[i].make, a.error);
		cr_expect_eq(a.fetched, hostile[i].fetched, "%s: %zu", hostile[i].make, a.fetched);
	}
	fixture_run(&f, "ls -A /box /tmp /dev/shm | grep -v :", &a);
	cr_expect_str_eq(a.out, "\n\n");
	fixture_close(&f);
}

Test(box, kept_program, .timeout = 60)
{
	struct fixture f;
	struct answer a;

	fixture_open(&f, NULL);
	fixture_run(&f,
		    "mkdir d; printf '#!/bin/sh\\necho kept $1\\n' > prog; chmod 700 prog; echo x "
		    "> d/data; "
		    "echo secret > source; chmod 4711 d/data",
		    &a);
	fixture_paths(&f, KEEP, "prog", &a);
	cr_expect_str_eq(a.error, "");
	for (int i = 0; i < 3; i++) {
		fixture_run(&f,
			    "/program/prog 1; ls -A /box; stat -c '%a %u' /program/prog; "
			    "for w in 'touch /program/x' 'rm -f /program/prog' "
			    "'chmod 777 /program/prog' 'chmod 777 /program' 'mv /program/prog "
			    "/box'; do "
			    "$w 2>/dev/null && echo could $w; done; true >> /program/prog",
			    &a);
		cr_expect_str_eq(a.out, "kept 1\n555 0\n", "%s%s", a.out, a.err_text);
		cr_expect_neq(a.exit_code, 0);
	}
	/* Another takes its place; a failed one leaves none, and nothing that could be written. */
	fixture_run(&f, "mkdir d; echo x > d/data; chmod 4711 d/data", &a);
	fixture_paths(&f, KEEP, "d", &a);
	cr_expect_str_eq(a.error, "");
	fixture_run(&f, "cd /program; find . -type f; stat -c '%a' d/data", &a);
	cr_expect_str_eq(a.out, "./d/data\n555\n");
	fixture_run(&f, "echo x > a; truncate -s 1T b", &a);
	fixture_paths(&f, KEEP, NULL, &a);
	expect_refused(&a, "files are larger than allowed: b");
	fixture_run(&f,
		    "ls -A /program; touch /program/x 2>/dev/null && echo wrote; df /program | "
		    "grep -c program",
		    &a);
	cr_expect_str_eq(a.out, "0\n", "%s", a.out);
	fixture_paths(&f, KEEP, "none", &a);
	cr_expect_eq(a.error_number, ENOENT);
	fixture_run(&f, "touch /program/x", &a);
	cr_expect_neq(a.exit_code, 0);
	/* The largest number of files, each in a folder of its own. */
	char *argv[3];
	Sandbox__Request rq = fixture_shell(
		argv, "python3 -c 'import os\nfor i in range(4096): os.makedirs(f\"{i}/a/b\"); "
		      "open(f\"{i}/a/b/f\", \"w\").write(\"x\")'");

	rq.box_inodes = 50000;
	fixture_send(&f, &rq, "", &a);
	cr_assert_eq(a.exit_code, 0, "%s", a.err_text);
	fixture_paths(&f, KEEP, NULL, &a);
	cr_expect_str_eq(a.error, "");
	fixture_run(&f, "cat /program/4095/a/b/f", &a);
	cr_expect_str_eq(a.out, "x");
	fixture_close(&f);
}

Test(box, limits, .timeout = 60)
{
	struct fixture f;
	struct answer a;
	char *argv[3];

	fixture_open(&f, NULL);
	Sandbox__Request rq = fixture_shell(
		argv, "for d in /box /tmp /dev/shm; do i=0; while touch $d/$i; do i=$((i+1)); done "
		      "2>/dev/null; echo $i; rm -f $d/*; head -c 3M /dev/zero > $d/f; "
		      "stat -c %s $d/f; done 2>/dev/null");

	rq.box_bytes = 1 << 20;
	rq.box_inodes = 100;
	fixture_send(&f, &rq, "", &a);
	cr_expect_str_eq(a.out, "99\n1048576\n99\n1048576\n99\n1048576\n", "%s", a.out);
	/* What is in it no longer fits: refused, and the next box is fine. */
	rq = fixture_shell(argv, "true");
	rq.box_bytes = 4096;
	rq.same_box = 1;
	fixture_send(&f, &rq, "", &a);
	expect_refused(&a, "limit /box to size=4096");
	fixture_run(&f, "df -k --output=size /box /tmp | tr -d ' '", &a);
	cr_expect_not_null(strstr(a.out, "65536\n65536"), "%s", a.out);
	fixture_close(&f);
}
