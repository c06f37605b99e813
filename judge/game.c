#include "judge/game.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge/transcript.h"
#include "proto/err.h"
#include "proto/io.h"
#include "proto/scope.h"

#define CHUNK 65536

/*
 * What one side says to the other.  Without a transcript this is one pipe, and nothing is done here.  With one there are two, and
 * the bytes go through here, from the one to the other.  A line whose reader has ended may have a `from` and no `to`: what comes
 * is thrown away.
 */
struct line {
	enum transcript_side speaker;
	int write_end, read_end; /* copies of what the speaker and the listener hold */
	int from, to;
	char *chunk; /* on its way; none without a detour */
	size_t len, off;
	uint64_t discarded;
};

enum { PROGRAM, INTERACTOR, SIDES };

struct table {
	struct game *game;
	struct sandbox_client *clients[SIDES];
	struct sandbox_report *reports[SIDES];
	int64_t until_us[SIDES];  /* when the report must have come */
	int over[SIDES];          /* it has, or is not waited for any more */
	struct line lines[SIDES]; /* by who speaks */
	int64_t linger_us;        /* the interactor must have ended by then; 0: not yet said */
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* The program may open its standard streams by name, which asks for the owner of the pipe: nobody else can reach them. */
static int open_pipe(int *from, int *to, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	*from = ends[0];
	*to = ends[1];
	return fchmod(ends[0], 0666) < 0 ? err_sys(e, "pipe") : 0;
}

/* Ours alone: the flag is not one of the end that a program holds. */
static int set_nonblocking(int fd, struct err *e)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? err_sys(e, "pipe") : 0;
}

static int line_open(struct line *l, int detour, struct err *e)
{
	if (!detour)
		return open_pipe(&l->read_end, &l->write_end, e);
	l->chunk = malloc(CHUNK);
	if (!l->chunk)
		return err_set(e, "out of memory");
	if (open_pipe(&l->from, &l->write_end, e) < 0 || open_pipe(&l->read_end, &l->to, e) < 0 ||
	    set_nonblocking(l->from, e) < 0)
		return -1;
	return set_nonblocking(l->to, e);
}

static void line_cut(struct line *l)
{
	close_end(&l->from);
	close_end(&l->to);
	l->len = l->off = 0;
}

static void line_close(struct line *l)
{
	line_cut(l);
	close_end(&l->write_end);
	close_end(&l->read_end);
	free(l->chunk);
	l->chunk = NULL;
}

/* The listener has ended: what still comes is thrown away, or gives the speaker a SIGPIPE. */
static int line_deaf(struct line *l, int discard, struct err *e)
{
	if (!discard)
		line_cut(l);
	close_end(&l->to);
	l->len = l->off = 0;
	if (!discard || l->from >= 0 || l->chunk) {
		close_end(&l->read_end);
		return 0;
	}
	l->chunk = malloc(CHUNK);
	if (!l->chunk)
		return err_set(e, "out of memory");
	/* Whoever shared this end with us has ended. */
	l->from = fd_steal(&l->read_end);
	return set_nonblocking(l->from, e);
}

static int line_write(struct line *l, struct err *e)
{
	ssize_t n = write(l->to, l->chunk + l->off, l->len - l->off);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(e, "pipe");
	l->off += (size_t)n;
	if (l->off == l->len)
		l->len = l->off = 0;
	return 0;
}

/* Takes what has been said and passes it on. */
static int line_read(struct line *l, struct transcript *t, struct err *e)
{
	ssize_t n = read(l->from, l->chunk, CHUNK);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : err_sys(e, "pipe");
	if (n == 0) { /* nobody will say more; the other side is told */
		line_cut(l);
		return 0;
	}
	if (t)
		transcript_add(t, l->speaker, l->chunk, (size_t)n);
	if (l->to >= 0) {
		l->len = (size_t)n;
		return line_write(l, e);
	}
	l->discarded += (uint64_t)n;
	if (l->discarded > GAME_DISCARD_BYTES)
		line_cut(l);
	return 0;
}

/* Two places of a poll: only what there is something to do with. */
static void line_poll(const struct line *l, struct pollfd *p)
{
	p[0] = (struct pollfd){l->len == 0 ? l->from : -1, POLLIN, 0};
	p[1] = (struct pollfd){l->len > 0 ? l->to : -1, POLLOUT, 0};
}

static int line_serve(struct line *l, const struct pollfd *p, struct transcript *t, struct err *e)
{
	if (p[1].revents && l->to >= 0 && line_write(l, e) < 0)
		return -1;
	return p[0].revents && l->from >= 0 && l->len == 0 ? line_read(l, t, e) : 0;
}

/* What was said last, and nobody was there any more to hear. */
static void line_finish(struct line *l, struct transcript *t)
{
	struct err ignored;

	close_end(&l->to);
	l->len = 0;
	while (t && !t->full && l->from >= 0) {
		uint64_t before = l->discarded;

		if (line_read(l, t, &ignored) < 0 || l->discarded == before)
			break;
	}
}

static void table_init(struct table *t, struct game *g)
{
	*t = (struct table){
		.game = g,
		.clients = {g->program, g->interactor},
		.reports = {&g->program_report, &g->interactor_report},
		.lines = {{.speaker = TRANSCRIPT_PROGRAM}, {.speaker = TRANSCRIPT_INTERACTOR}},
	};
	for (int i = 0; i < SIDES; i++) {
		struct line *l = &t->lines[i];

		l->write_end = l->read_end = l->from = l->to = -1;
		*t->reports[i] = (struct sandbox_report){.stdout_fd = -1, .stderr_fd = -1};
	}
	g->interactor_first = g->interactor_lost = 0;
}

static int start(struct table *t, int side, struct sandbox_spec *s, struct err *e)
{
	s->stdin_is_pipe = 1;
	s->stdin_fd = t->lines[!side].read_end;
	s->stdout_pipe = t->lines[side].write_end;
	t->until_us[side] =
		io_monotonic_us() +
		sandbox_client_patience_ms(t->clients[side], s->wall_time_us) * (int64_t)1000;
	if (sandbox_client_start(t->clients[side], s, e) < 0) {
		t->over[side] = 1;
		return -1;
	}
	return 0;
}

/* The interactor first: it is up when the program, whose time is the shorter one, begins. */
static int table_open(struct table *t, struct err *e)
{
	struct game *g = t->game;

	t->over[PROGRAM] = t->over[INTERACTOR] = 1; /* nothing is to be given up yet */
	for (int i = 0; i < SIDES; i++)
		if (line_open(&t->lines[i], g->transcript != NULL, e) < 0)
			return -1;
	t->over[INTERACTOR] = 0;
	if (start(t, INTERACTOR, g->interactor_spec, e) < 0)
		return err_wrap(e, "interactor");
	t->over[PROGRAM] = 0;
	return start(t, PROGRAM, g->program_spec, e);
}

/* Of the two ends of a side the one that it read from goes first: who has read to the end finds nobody who listens. */
static int program_over(struct table *t, struct err *e)
{
	const struct game *g = t->game;
	int rc = line_deaf(&t->lines[INTERACTOR], 1, e);

	close_end(&t->lines[PROGRAM].write_end);
	if (!grade_wants_validator(&g->program_report, g->program_spec->cpu_time_us))
		t->linger_us = io_monotonic_us() + GAME_LINGER_MS * (int64_t)1000;
	return rc;
}

static int interactor_over(struct table *t, struct err *e)
{
	struct game *g = t->game;
	int rc = line_deaf(&t->lines[PROGRAM], g->said(&g->interactor_report) == GRADE_RIGHT, e);

	g->interactor_first = !t->over[PROGRAM];
	close_end(&t->lines[INTERACTOR].write_end);
	return rc;
}

static int take_report(struct table *t, int side, struct err *e)
{
	t->over[side] = 1;
	if (sandbox_client_finish(t->clients[side], t->reports[side], e) < 0)
		return side == INTERACTOR ? err_wrap(e, "interactor") : -1;
	return side == INTERACTOR ? interactor_over(t, e) : program_over(t, e);
}

static void give_up_interactor(struct table *t)
{
	sandbox_client_abort(t->clients[INTERACTOR]);
	t->over[INTERACTOR] = 1;
	t->game->interactor_lost = 1;
}

static int ms_until(const struct table *t)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < SIDES; i++)
		if (!t->over[i] && t->until_us[i] < next)
			next = t->until_us[i];
	if (t->linger_us && t->linger_us < next)
		next = t->linger_us;
	next -= io_monotonic_us();
	return next > 0 ? (int)(next / 1000) + 1 : 0;
}

static int is_late(const struct table *t, int side)
{
	return !t->over[side] && io_monotonic_us() >= t->until_us[side];
}

/*
 * One turn.  Of two reports that have both come the program's is the first: what it did, it did not do for want of the interactor.
 * A side whose report is late is asked for it too: that fails, and says so.
 */
static int table_turn(struct table *t, struct err *e)
{
	struct pollfd p[SIDES + 2 * SIDES];

	for (int i = 0; i < SIDES; i++) {
		p[i] = (struct pollfd){t->over[i] ? -1 : sandbox_client_fd(t->clients[i]), POLLIN,
				       0};
		line_poll(&t->lines[i], &p[SIDES + 2 * i]);
	}
	if (poll(p, ARRAY_LEN(p), ms_until(t)) < 0 && errno != EINTR)
		return err_sys(e, "poll");
	for (int i = 0; i < SIDES; i++)
		if (line_serve(&t->lines[i], &p[SIDES + 2 * i], t->game->transcript, e) < 0)
			return -1;
	for (int i = 0; i < SIDES; i++)
		if ((p[i].revents || is_late(t, i)) && take_report(t, i, e) < 0)
			return -1;
	if (t->linger_us && !t->over[INTERACTOR] && io_monotonic_us() >= t->linger_us)
		give_up_interactor(t);
	return 0;
}

static void table_close(struct table *t)
{
	for (int i = 0; i < SIDES; i++) {
		if (!t->over[i])
			sandbox_client_abort(t->clients[i]);
		line_finish(&t->lines[i], t->game->transcript);
		line_close(&t->lines[i]);
	}
}

int game_play(struct game *g, struct err *e)
{
	struct table t;
	int rc;

	table_init(&t, g);
	rc = table_open(&t, e);
	while (rc == 0 && !(t.over[PROGRAM] && t.over[INTERACTOR]))
		rc = table_turn(&t, e);
	table_close(&t);
	return rc;
}
