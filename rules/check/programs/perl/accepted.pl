use strict;
use warnings;
use List::Util qw(sum);

my $n = <STDIN>;
for (1 .. $n) {
	my @numbers = split ' ', <STDIN>;
	print sum(@numbers), "\n";
}
