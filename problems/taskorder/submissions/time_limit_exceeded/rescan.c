/* Looks through all tasks and all rules again for every task that it places. */
#include <stdio.h>

static int a[50000], b[50000], order[20001];
static char done[20001];

int main(void)
{
	int n, m, placed = 0;

	if (scanf("%d %d", &n, &m) != 2)
		return 1;
	for (int i = 0; i < m; i++)
		if (scanf("%d %d", &a[i], &b[i]) != 2)
			return 1;
	while (placed < n) {
		int ready = 0;

		for (int task = 1; task <= n && !ready; task++) {
			int waits = done[task];

			for (int i = 0; i < m; i++)
				waits += b[i] == task && !done[a[i]];
			if (!waits)
				ready = task;
		}
		if (!ready) {
			puts("impossible");
			return 0;
		}
		done[ready] = 1;
		order[placed++] = ready;
	}
	for (int i = 0; i < n; i++)
		printf("%d\n", order[i]);
	return 0;
}
