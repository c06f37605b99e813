procedure Slow is
   N : Integer := 0;
   pragma Volatile (N);
begin
   loop
      N := (N + 1) mod 1024;
   end loop;
end Slow;
