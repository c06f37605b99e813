gets stdin n
for {set i 0} {$i < $n} {incr i} {
	lassign [gets stdin] a b
	puts [expr {$a + $b}]
}
