procedure Big is
   type Block;
   type Link is access Block;
   type Words is array (1 .. 200_000) of Integer;
   type Block is record
      Next : Link;
      Data : Words;
   end record;
   All_Of_It : Link := null;
begin
   loop
      All_Of_It := new Block'(All_Of_It, (others => 1));
   end loop;
end Big;
