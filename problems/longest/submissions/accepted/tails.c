#include <stdio.h>

static int tail[300001];

int main(void)
{
	int n, length = 0;

	if (scanf("%d", &n) != 1)
		return 1;
	while (n--) {
		int height, low = 0, high = length;

		if (scanf("%d", &height) != 1)
			return 1;
		while (low < high) {
			int middle = (low + high) / 2;

			if (tail[middle] < height)
				low = middle + 1;
			else
				high = middle;
		}
		tail[low] = height;
		if (low == length)
			length++;
	}
	printf("%d\n", length);
	return 0;
}
