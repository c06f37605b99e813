n = fscanf(stdin, "%d", 1);
for i = 1:n
  pair = fscanf(stdin, "%d", 2);
  printf("%d\n", pair(1) - pair(2));
endfor
