all=0123456789
while :; do all=$all$all; done
