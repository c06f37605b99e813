<?php
$n = (int) fgets(STDIN);
for ($i = 0; $i < $n; $i++) {
	fscanf(STDIN, "%d %d", $a, $b);
	echo $a + $b, "\n";
}
