my @all;
loop { @all.push('x' x 1000000 ~ @all.elems) }
