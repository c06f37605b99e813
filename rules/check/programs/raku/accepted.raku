my $n = get.Int;
for ^$n {
	say [+] get.words».Int;
}
