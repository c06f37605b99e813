/* attack: expect=exited:{} each=124,125,126,127,137,255 layer=report why=an exit code is an exit code, whatever `sandbox run` itself says by the same number */
#include "attack.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		broken("usage: exit_codes NUMBER");
	_exit(atoi(argv[1]));
}
