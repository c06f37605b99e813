/* Burns CPU in so many threads or processes until it is killed: spin threads 4, spin processes 16, spin memory 1. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile unsigned long sink;

static void *burn(void *arg)
{
	unsigned long x = (unsigned long)arg;

	for (;;)
		sink = x = x * 6364136223846793005UL + 1442695040888963407UL;
	return NULL;
}

/* Busy with memory too, as a neighbour that empties the caches. */
static void walk(void)
{
	size_t size = 32 << 20;
	volatile char *at = malloc(size);

	for (size_t i = 0; at; i = (i + 4160) % size)
		at[i]++;
}

int main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[2]) : 0;
	pthread_t t;

	if (n < 1)
		return 2;
	if (strcmp(argv[1], "memory") == 0)
		walk();
	for (int i = 1; i < n; i++) {
		if (strcmp(argv[1], "threads") == 0 && pthread_create(&t, NULL, burn, NULL) != 0)
			return 3;
		if (strcmp(argv[1], "processes") == 0) {
			pid_t pid = fork();

			if (pid < 0)
				return 3;
			if (pid == 0)
				burn(NULL);
		}
	}
	burn(NULL);
	return 0;
}
