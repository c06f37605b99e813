/* attack: expect=exited:0|sandbox_error copyout=out layer=copy_out why=names come out as they are, beneath the folder they were asked for, or not at all */
#include "attack.h"

/* Names that steer a terminal, end a line, are options, are no text, or nearly lead upwards. */
int main(void)
{
	static const char *const names[] = {"new\nline",
					    "\x1b]0;title\a\x1b[2J",
					    "-rf",
					    "--help",
					    "\xff\xfe\xc3",
					    "...",
					    "..\\..\\x",
					    " ",
					    "%s%n%s",
					    "$(reboot)",
					    "`id`",
					    "a;b|c&d",
					    "\xe2\x80\xae"
					    "fdp.c",
					    "CON",
					    "~",
					    "*"};
	static const char *const targets[] = {"out/up", "out/rename"};
	char path[300] = "out/";
	int made = 0;

	if (mkdir("out", 0777) < 0)
		broken("mkdir");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "out/%s", names[i]);
		made += open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) >= 0;
	}
	memset(path + 4, 'n', 255);
	path[259] = 0;
	made += open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) >= 0;
	for (size_t i = 0; i < 2; i++)
		if (symlink("..", targets[i]) < 0)
			broken("symlink");
	if (made < 10)
		broken("names");
	held();
}
