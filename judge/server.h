/*
 * server.h - judged from configuration to shutdown: rules, store, sandboxd, problems, workers, gRPC, in this order.
 */
#ifndef SERVER_H
#define SERVER_H

struct config;
struct err;

/*
 * Serves until SIGTERM or SIGINT, which the caller has blocked in every thread.  Then nothing more is claimed, what is being
 * judged gets some seconds to finish and is given back otherwise; 0.  -1: it could not start.
 *
 * A rule or a package that is wrong is logged and left out; it does not keep the server from starting.
 */
int server_run(const struct config *c, struct err *e);

#endif
