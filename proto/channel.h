/*
 * channel.h - frames with descriptors over a unix SOCK_SEQPACKET socket (unix(7), cmsg(3)).
 *
 * One packet is one serialized message of sandbox.proto, at most CHANNEL_FRAME_MAX bytes, with at most CHANNEL_FDS_MAX
 * descriptors.  What arrives is hostile until shown otherwise: longer packets, more descriptors, empty packets and messages
 * that are not exactly what the descriptor says (wire_check()) are errors, and every descriptor received is closed.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHANNEL_FRAME_MAX 65536
#define CHANNEL_FDS_MAX   200 /* below SCM_MAX_FD, 253 */

struct err;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

/* One received frame: the descriptors are owned, released by channel_frame_release(). */
struct channel_frame {
	size_t len;
	size_t nfds;
	int fds[CHANNEL_FDS_MAX];
	uint8_t data[CHANNEL_FRAME_MAX];
};

/* Sends one message and borrows the descriptors.  A peer that is gone is EPIPE, never a signal. */
int channel_send(int sock, const struct ProtobufCMessage *message, const int *fds, size_t nfds,
		 struct err *e);

/*
 * Waits at most timeout_ms (-1: for ever) for a frame.  Returns 1 for a frame, 0 when the peer closed the connection;
 * -1 otherwise, with e->num ETIMEDOUT when the time is over.  On 0 and -1 *f holds nothing.
 */
int channel_receive(int sock, int timeout_ms, struct channel_frame *f, struct err *e);

/* Checks and unpacks a frame; the caller frees it with protobuf_c_message_free_unpacked(). */
struct ProtobufCMessage *channel_unpack(const struct channel_frame *f,
					const struct ProtobufCMessageDescriptor *type,
					struct err *e);

void channel_frame_release(struct channel_frame *f);

/* Connects to a SOCK_SEQPACKET socket by path; returns a close-on-exec descriptor. */
int channel_connect(const char *path, struct err *e);

/*
 * The same, waiting at most timeout_ms (-1: for ever) for room in the server's backlog: e->num is ETIMEDOUT then.  A later
 * channel_send() on the socket waits no longer than that either.
 */
int channel_connect_within(const char *path, int timeout_ms, struct err *e);

/* Binds and listens, mode 0666 (peers are judged by SO_PEERCRED, not by the file): replaces a dead socket at path, refuses a live one. */
int channel_listen(const char *path, int backlog, struct err *e);

/*
 * Gives the socket of channel_listen() another mode; returns an O_PATH descriptor of it.  Never anything else: who owns the folder may
 * have put a link to another file in its place.
 */
int channel_file(const char *path, mode_t mode, struct err *e);

#endif
