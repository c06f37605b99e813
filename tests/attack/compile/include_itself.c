/* attack: expect=cpu_time_limit|wall_time_limit|memory_limit|output_limit|exited:1 memory=256M output=256K time=5s layer=cpu_time why=limits of the compile */
/* 200 levels are allowed, and every level includes twice: 2^200 files. */
#if __INCLUDE_LEVEL__ < 190
#include __FILE__
#include __FILE__
#endif
