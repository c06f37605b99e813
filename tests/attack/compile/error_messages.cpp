/* attack: expect=output_limit|exited:1|cpu_time_limit|wall_time_limit|memory_limit memory=512M output=256K time=8s layer=output why=output limit of the compile */
/* Each level reports an error of its own, with all the levels that led to it. */
#define A(x) x x x x x x x x x x
#define B(x) A(A(A(x)))
B(undeclared_name(undeclared_argument);)
B(B(struct { int : 99; } a;))
