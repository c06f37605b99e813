create table everything(x);
with recursive count(n) as (select 1 union all select n + 1 from count)
insert into everything select zeroblob(100000) from count;
