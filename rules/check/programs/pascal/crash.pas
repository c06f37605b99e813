{$mode objfpc}
program crash;
uses sysutils;
begin
  raise Exception.Create('nobody catches this');
end.
