my @all;
push @all, 'x' x 1000000 . scalar @all while 1;
