select cast(substr(line, 1, instr(line, ' ')) as integer) - cast(substr(line, instr(line, ' ')) as integer)
from input where rowid > 1 order by rowid;
