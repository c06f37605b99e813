/*
 * grpc_method.h - the methods that the server has, as tables: one for each service.
 *
 * To add a method, write its row and its step; to add a service, write a table and name it in grpc_method.c.  What a step may
 * do is said in grpc_rpc.h.
 */
#ifndef GRPC_METHOD_H
#define GRPC_METHOD_H

#include <grpc/grpc.h>
#include <protobuf-c/protobuf-c.h>

struct rpc;

typedef void rpc_step(struct rpc *r);

enum rpc_kind {
	RPC_UNARY,  /* one request, one answer */
	RPC_STREAM, /* one request, then messages for as long as it takes */
	RPC_BIDI,   /* one answer for each request, until the client has no more */
};

struct rpc_method {
	const char *service, *name; /* "judge.v1.Judge", "Submit" */
	enum rpc_kind kind;
	const ProtobufCMessageDescriptor *request;
	rpc_step *step;
	rpc_step *close; /* releases what rpc_state() holds; may be NULL */
};

/* The services: tables that end in an empty row. */
extern const struct rpc_method grpc_judge_methods[], grpc_health_methods[],
	grpc_reflection_methods[];

/* The row for a path such as "/judge.v1.Judge/Submit"; NULL if there is none. */
const struct rpc_method *grpc_method_find(grpc_slice path);

#endif
