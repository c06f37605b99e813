#import <Foundation/Foundation.h>

@interface Pair : NSObject {
	long long a, b;
}
- (BOOL)read;
- (NSNumber *)sum;
@end

@implementation Pair
- (BOOL)read
{
	return scanf("%lld %lld", &a, &b) == 2;
}

- (NSNumber *)sum
{
	return [NSNumber numberWithLongLong: a + b];
}
@end

int main(void)
{
	NSAutoreleasePool *pool = [NSAutoreleasePool new];
	Pair *pair = [Pair new];
	int n;

	scanf("%d", &n);
	while (n-- > 0 && [pair read])
		printf("%s\n", [[[pair sum] description] UTF8String]);
	[pool drain];
	return 0;
}
