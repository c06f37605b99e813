/* attack: expect=exited:0 verdict=wrong_answer layer=judged why=no exit code and no file of a program is taken for a validator's: 42 is accepted only from the jury's cell */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int main(void)
{
	static const char *const names[] = {"feedback/judgemessage.txt", "judgemessage.txt",
					    "score.txt", "result", "../feedback/score.txt"};

	mkdir("feedback", 0777);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		FILE *f = fopen(names[i], "w");

		if (f) {
			fputs("accepted\n1\n", f);
			fclose(f);
		}
	}
	puts("4");
	return 0;
}
