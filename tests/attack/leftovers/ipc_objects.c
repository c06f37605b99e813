/* attack: expect=exited:0 rounds=2 policy=network layer=ipcns+seccomp why=each run has an ipc namespace of its own, and no call to make something in it */
#include "attack.h"
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { KEY = 0x6761766c };

/* Everything that System V and POSIX have for processes that never meet. */
int main(void)
{
	int first = atoi(given("ROUND")) == 1;
	int flags = first ? IPC_CREAT | 0666 : 0, made = 0;
	struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 8};

	made += shmget(KEY, first ? 4096 : 0, flags) >= 0;
	made += 2 * (semget(KEY, first ? 1 : 0, flags) >= 0);
	made += 4 * (msgget(KEY, flags) >= 0);
	made += 8 * (mq_open("/gavel-attack-mark", first ? O_RDWR | O_CREAT : O_RDWR, 0666,
			     &small) != (mqd_t)-1);
	made += 16 * (shm_open("/gavel-attack-mark", first ? O_RDWR | O_CREAT : O_RDWR, 0666) >= 0);
	made += 32 * (sem_open("/gavel-attack-mark", first ? O_CREAT : 0, 0666, 1) != SEM_FAILED);
	if (first && !(made & 16))
		broken("shm_open");
	if (!first && made)
		escaped("objects %#x are still there", (unsigned)made);
	held();
}
