with recursive count(n) as (select 1 union all select n + 1 from count)
select max(n) from count;
