<?php
for ($n = (int) fgets(STDIN); $n > 0; $n--) {
	[$a, $b] = explode(' ', fgets(STDIN));
	echo (int) $a - (int) $b, PHP_EOL;
}
