/* attack: expect=exited:0 layer=ipcns+seccomp why=ipc namespace, /dev/shm of the cell's own, filter */
#include "attack.h"
#include <mqueue.h>
#include <sys/mman.h>
#include <sys/shm.h>

/* run.py made a SysV segment and a POSIX one that everybody may use. */
int main(void)
{
	int id = shmget(atoi(given("SHM_KEY")), 0, 0);
	mqd_t queue;

	if (id >= 0)
		escaped("SysV shared memory of the host");
	if (shm_open(given("SHM_NAME"), O_RDONLY, 0) >= 0)
		escaped("POSIX shared memory of the host");
	for (id = 0; id < 1 << 16; id++) {
		struct shmid_ds ds;

		if (shmctl(id, SHM_STAT, &ds) >= 0)
			escaped("sees SysV segment %d", id);
	}
	queue = mq_open("/gavel-attack", O_RDWR | O_CREAT, 0600, NULL);
	if (queue != (mqd_t)-1) {
		mq_unlink("/gavel-attack");
		escaped("made a message queue");
	}
	held();
}
