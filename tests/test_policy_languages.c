#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/policy_run.h"

/* Every compiler and runtime does real work under its policy, without one forbidden call. */
struct step {
	const char *policy;
	const char *argv[10];
};

struct job {
	const char *file;
	const char *source;
	struct step steps[3]; /* run in this order, in a folder of their own */
	const char *expect;   /* what the last one prints */
};

static int exec_step(const void *arg)
{
	const struct step *s = arg;
	char *const env[] = {"PATH=/usr/bin:/bin", "HOME=.",      "GOCACHE=off-limits",
			     "LANG=C.UTF-8",       "TMPDIR=/tmp", NULL};
	char gocache[300], cwd[256];
	int out = open("out", O_CREAT | O_TRUNC | O_WRONLY, 0600);
	int errors = open("errors", O_CREAT | O_TRUNC | O_WRONLY, 0600);
	int in = open("/dev/null", O_RDONLY);
	char *envp[ARRAY_LEN(env)];

	if (out < 0 || errors < 0 || in < 0 || !getcwd(cwd, sizeof(cwd)))
		return 96;
	dup2(in, 0);
	dup2(out, 1);
	dup2(errors, 2);
	memcpy(envp, env, sizeof(env));
	snprintf(gocache, sizeof(gocache), "GOCACHE=%s/cache", cwd);
	envp[2] = gocache;
	execve(s->argv[0], (char *const *)s->argv, envp);
	return 97;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void write_source(const struct job *j)
{
	FILE *f = fopen(j->file, "we");

	cr_assert(ne(ptr, f, NULL));
	fputs(j->source, f);
	fclose(f);
}

static void read_text(const char *file, char *buf, size_t size)
{
	FILE *f = fopen(file, "re");

	cr_assert(ne(ptr, f, NULL));
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
}

static void run_step(const struct step *s, const char *expect)
{
	struct policy p;
	struct err e = {0};
	char output[1024], errors[2048];

	cr_assert(zero(int, policy_load(&p, "seccomp", s->policy, &e)), "%s", e.msg);
	struct run_result r = policy_run(&p, exec_step, s);
	read_text("out", output, sizeof(output));
	read_text("errors", errors, sizeof(errors));
	cr_expect(eq(str, r.failure, ""));
	cr_expect(eq(str, r.call.name, ""), "%s under %s", s->argv[0], s->policy);
	cr_expect(zero(int, r.exit_code), "%s under %s: %s", s->argv[0], s->policy, errors);
	if (expect)
		cr_expect(eq(str, output, (char *)expect), "%s under %s", s->argv[0], s->policy);
	policy_release(&p);
}

static void run_job(const struct job *j)
{
	char dir[] = "/tmp/policyXXXXXX", *rules = realpath("rules/seccomp", NULL);

	cr_assert(ne(ptr, mkdtemp(dir), NULL));
	cr_assert(zero(int, chdir(dir)));
	cr_assert(zero(int, symlink(rules, "seccomp")));
	write_source(j);
	for (size_t i = 0; i < ARRAY_LEN(j->steps) && j->steps[i].policy; i++) {
		bool last = i + 1 == ARRAY_LEN(j->steps) || !j->steps[i + 1].policy;

		run_step(&j->steps[i], last ? j->expect : NULL);
	}
	cr_assert(zero(int, chdir("/")));
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(rules);
}

static const char c_source[] = "#include <stdio.h>\n"
			       "int main(void) { return puts(\"built\") < 0; }\n";

Test(policy_languages, c, .timeout = 120)
{
	run_job(&(struct job){
		"a.c",
		c_source,
		{{"compiler", {"/usr/bin/gcc", "-O2", "-pipe", "a.c", "-o", "a", "-lm"}},
		 {"native", {"./a"}}},
		"built\n"});
}

static const char cpp_source[] =
	"#include <bits/stdc++.h>\n"
	"#include <unistd.h>\n"
	"int main() {\n"
	"	std::string caught;\n"
	"	std::thread t([&] { try { throw std::runtime_error(\"thrown\"); }\n"
	"		catch (const std::exception &e) { caught = e.what(); } });\n"
	"	t.join();\n"
	"	std::vector<int> v(1000000);\n"
	"	std::iota(v.rbegin(), v.rend(), 1);\n"
	"	std::sort(v.begin(), v.end());\n"
	"	auto f = std::async(std::launch::async, [&] { return v[41]; });\n"
	"	std::mt19937 random(std::random_device{}());\n"
	"	auto now = std::chrono::steady_clock::now();\n"
	"	std::this_thread::sleep_for(std::chrono::milliseconds(1));\n"
	"	std::ofstream(\"file\") << 7;\n"
	"	int seven; std::ifstream(\"file\") >> seven;\n"
	"	if (std::chrono::steady_clock::now() <= now || random() == random()) return 1;\n"
	"	std::cout << caught << ' ' << f.get() << ' ' << seven << '\\n';\n"
	"}\n";

Test(policy_languages, cpp, .timeout = 120)
{
	run_job(&(struct job){
		"a.cpp",
		cpp_source,
		{{"compiler", {"/usr/bin/g++", "-std=c++20", "-O2", "a.cpp", "-o", "a"}},
		 {"native", {"./a"}},
		 {"base", {"./a"}}},
		"thrown 42 7\n"});
}

static const char python_source[] =
	"import asyncio, decimal, hashlib, json, multiprocessing, random, socket, subprocess\n"
	"import sys, tempfile, threading\n"
	"decimal.getcontext().prec = 30\n"
	"third = decimal.Decimal(1) / 3\n"
	"got = []\n"
	"threads = [threading.Thread(target=got.append, args=(i,)) for i in range(8)]\n"
	"[t.start() for t in threads]; [t.join() for t in threads]\n"
	"assert json.loads(json.dumps({'a': [random.random()]}))\n"
	"assert hashlib.sha256(b'x').hexdigest()\n"
	"assert subprocess.run(['/bin/echo', 'hi'], capture_output=True).stdout == b'hi\\n'\n"
	"with tempfile.TemporaryFile(dir='.') as f: f.write(b'x')\n"
	"try: socket.socket(); offline = False\n"
	"except OSError: offline = True\n"
	"async def work(): await asyncio.sleep(0.001); return 5\n"
	"five = asyncio.run(work())\n"
	"def child(pipe): pipe.send(6)\n"
	"a, b = multiprocessing.Pipe()\n"
	"p = multiprocessing.Process(target=child, args=(b,)); p.start()\n"
	"six = a.recv(); p.join()\n"
	"print(sorted(got) == list(range(8)), third, offline, five, six)\n";

Test(policy_languages, python, .timeout = 120)
{
	run_job(&(struct job){"a.py",
			      python_source,
			      {{"compiler", {"/usr/bin/python3", "-m", "py_compile", "a.py"}},
			       {"managed", {"/usr/bin/python3", "a.py"}}},
			      "True 0.333333333333333333333333333333 True 5 6\n"});
}

static const char node_source[] =
	"const { Worker, isMainThread, parentPort } = require('worker_threads');\n"
	"const fs = require('fs');\n"
	"if (!isMainThread) { parentPort.postMessage(40); } else {\n"
	"	fs.writeFileSync('file', 'two');\n"
	"	const { execFileSync } = require('child_process');\n"
	"	const echo = execFileSync('/bin/echo', ['hi']).toString().trim();\n"
	"	require('crypto').randomBytes(8);\n"
	"	require('os').cpus();\n"
	"	fs.promises.readFile('file', 'utf8').then((text) => {\n"
	"		const w = new Worker(__filename);\n"
	"		w.on('message', (n) => setTimeout(() => console.log(n, text, echo), 1));\n"
	"	});\n"
	"}\n";

Test(policy_languages, javascript, .timeout = 120)
{
	run_job(&(struct job){"a.js",
			      node_source,
			      {{"compiler", {"/usr/bin/node", "--check", "a.js"}},
			       {"managed", {"/usr/bin/node", "a.js"}}},
			      "40 two hi\n"});
}

static const char java_source[] =
	"import java.util.*; import java.util.concurrent.*; import java.nio.file.*;\n"
	"public class Main {\n"
	"	public static void main(String[] args) throws Exception {\n"
	"		ExecutorService pool = Executors.newFixedThreadPool(4);\n"
	"		Future<Long> sum = pool.submit(() -> { long s = 0;\n"
	"			for (int i = 0; i < 20_000_000; i++) s += i % 7; return s; });\n"
	"		List<int[]> garbage = new ArrayList<>();\n"
	"		for (int i = 0; i < 200; i++) { garbage.add(new int[100_000]);\n"
	"			if (i % 50 == 0) garbage.clear(); }\n"
	"		System.gc();\n"
	"		Files.writeString(Path.of(\"file\"), \"seven\");\n"
	"		String text = new "
	"Scanner(Files.newInputStream(Path.of(\"file\"))).next();\n"
	"		new java.security.SecureRandom().nextInt();\n"
	"		System.out.println(sum.get() + \" \" + text);\n"
	"		pool.shutdown();\n"
	"	}\n"
	"}\n";

Test(policy_languages, java, .timeout = 240)
{
	run_job(&(struct job){
		"Main.java",
		java_source,
		{{"compiler", {"/usr/bin/javac", "-J-XX:-UsePerfData", "Main.java"}},
		 {"managed", {"/usr/bin/java", "-Xmx256m", "-XX:-UsePerfData", "Main"}}},
		"59999997 seven\n"});
}

static const char go_source[] =
	"package main\n"
	"import (\"fmt\"; \"os\"; \"runtime\"; \"sync\"; \"time\")\n"
	"func main() {\n"
	"	var wg sync.WaitGroup; var mu sync.Mutex; sum := 0\n"
	"	for i := 0; i < 100; i++ { wg.Add(1); go func(i int) { defer wg.Done()\n"
	"		time.Sleep(time.Millisecond); mu.Lock(); sum += i; mu.Unlock() }(i) }\n"
	"	wg.Wait(); runtime.GC()\n"
	"	if err := os.WriteFile(\"file\", []byte(\"x\"), 0600); err != nil { panic(err) }\n"
	"	fmt.Println(sum)\n"
	"}\n";

Test(policy_languages, go, .timeout = 240)
{
	run_job(&(struct job){
		"a.go",
		go_source,
		{{"compiler", {"/usr/bin/go", "build", "-o", "a", "a.go"}}, {"managed", {"./a"}}},
		"4950\n"});
}

static const char rust_source[] =
	"use std::{collections::HashMap, fs, io::Write, sync::mpsc, thread};\n"
	"fn main() {\n"
	"	let (tx, rx) = mpsc::channel();\n"
	"	let workers: Vec<_> = (0..4).map(|i| { let tx = tx.clone();\n"
	"		thread::spawn(move || tx.send(i).unwrap()) }).collect();\n"
	"	drop(tx);\n"
	"	for w in workers { w.join().unwrap(); }\n"
	"	let squares: HashMap<i32, i32> = rx.iter().map(|i| (i, i * i)).collect();\n"
	"	fs::write(\"file\", \"x\").unwrap();\n"
	"	fs::copy(\"file\", \"copy\").unwrap();\n"
	"	assert!(std::panic::catch_unwind(|| panic!(\"on purpose\")).is_err());\n"
	"	writeln!(std::io::stdout(), \"{}\", squares[&3]).unwrap();\n"
	"}\n";

Test(policy_languages, rust, .timeout = 240)
{
	run_job(&(struct job){"a.rs",
			      rust_source,
			      {{"compiler", {"/usr/bin/rustc", "-O", "a.rs"}}, {"native", {"./a"}}},
			      "9\n"});
}
