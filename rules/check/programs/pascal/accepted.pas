program sums;
var
  n, i: integer;
  a, b: int64;
begin
  readln(n);
  for i := 1 to n do
  begin
    readln(a, b);
    writeln(a + b);
  end;
end.
