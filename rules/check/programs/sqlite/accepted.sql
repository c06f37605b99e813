with numbers as (
  select rowid,
         cast(substr(line, 1, instr(line, ' ')) as integer) as a,
         cast(substr(line, instr(line, ' ') + 1) as integer) as b
  from input
  where rowid > 1
)
select a + b from numbers order by rowid;
