/* attack: expect=exited:1 memory=256M time=5s layer=root why=the compiler sees no more than the program */
/* What cannot be compiled is shown as an error: the diagnostics would tell the lines. */
#include "/etc/shadow"
#include CANARY_PATH
#include "/proc/1/environ"
int main(void)
{
	return 0;
}
