#include <stdio.h>
#import <objc/Object.h>

@interface Pair : Object {
	long long a, b;
}
- (BOOL)read;
- (long long)sum;
@end

@implementation Pair
- (BOOL)read
{
	return scanf("%lld %lld", &a, &b) == 2;
}

- (long long)sum
{
	return a + b;
}
@end

int main(void)
{
	Pair *pair = class_createInstance([Pair class], 0);
	int n;

	scanf("%d", &n);
	while (n-- > 0 && [pair read])
		printf("%lld\n", [pair sum]);
	return 0;
}
