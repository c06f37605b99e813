/*
 * store_sqlite_db.h - one SQLite connection with its prepared statements.
 *
 * A connection belongs to one thread at a time.  A statement is prepared at its first use, kept, and always reset before the
 * function that ran it returns, so that none holds a snapshot longer than its caller means.  Failures of SQLite have e->num
 * EIO: never one of the numbers that store.h gives a meaning.
 */
#ifndef STORE_SQLITE_DB_H
#define STORE_SQLITE_DB_H

#include <stddef.h>
#include <stdint.h>

#include "judge/store_sqlite_sql.h"

struct err;
struct sqlite3;
struct sqlite3_stmt;
struct ProtobufCMessage;
struct ProtobufCMessageDescriptor;

struct db {
	struct sqlite3 *handle;
	struct sqlite3_stmt *statements[SQL_COUNT_];
};

/* Parameters ?1, ?2 ... of a statement; text and bytes are borrowed for the call. */
struct db_value {
	enum { DB_INT, DB_TEXT, DB_BLOB } type;
	int64_t number;
	const void *data; /* NULL: the SQL NULL */
	size_t len;
};

struct db_args {
	const struct db_value *values;
	size_t n;
};

static inline struct db_value db_int(int64_t number)
{
	return (struct db_value){.type = DB_INT, .number = number};
}

static inline struct db_value db_text(const char *text)
{
	return (struct db_value){.type = DB_TEXT, .data = text};
}

static inline struct db_value db_blob(const void *data, size_t len)
{
	return (struct db_value){.type = DB_BLOB, .data = data, .len = len};
}

#define DB_NONE ((struct db_args){NULL, 0})
#define DB_ARGS(...)                                                                               \
	((struct db_args){(const struct db_value[]){__VA_ARGS__},                                  \
			  sizeof((const struct db_value[]){__VA_ARGS__}) /                         \
				  sizeof(struct db_value)})

/* Opens the file; a writable one is made when it is missing and gets its schema.  On failure nothing is left open. */
int db_open(struct db *db, const char *path, int writable, struct err *e);
void db_close(struct db *db);

/* Runs a statement that gives no rows.  Returns how many rows it changed, inserted or deleted. */
int db_run(struct db *db, enum sql id, struct db_args args, struct err *e);

/* Calls row for each row of the answer; a row that returns -1 ends it.  Returns the number of rows. */
typedef int db_row(struct sqlite3_stmt *row, void *arg, struct err *e);
int db_each(struct db *db, enum sql id, struct db_args args, db_row *row, void *arg, struct err *e);

/* Rolls back whatever is open; for when the transaction is lost anyway. */
void db_abandon(struct db *db);
/* Whether a transaction is open: SQLite ends it by itself at some errors, a full disk among them. */
int db_in_transaction(const struct db *db);
int64_t db_last_id(const struct db *db);

/* For row functions: copies of a column that the caller frees; NULL on failure.  SQL NULL gives "". */
char *db_get_text(struct sqlite3_stmt *row, int column, struct err *e);
/* len + 1 bytes are copied, the last one 0. */
char *db_get_blob(struct sqlite3_stmt *row, int column, size_t *len, struct err *e);
int64_t db_get_int(struct sqlite3_stmt *row, int column);
int db_is_null(struct sqlite3_stmt *row, int column);
/* The message serialized in this column; the caller frees it with its ..._free_unpacked(). */
void *db_get_message(struct sqlite3_stmt *row, int column,
		     const struct ProtobufCMessageDescriptor *type, struct err *e);

/* Serializes a message into heap memory that the caller frees; NULL on failure. */
uint8_t *db_pack(const struct ProtobufCMessage *message, size_t *len, struct err *e);

/* A growing array of messages. */
struct db_list {
	const struct ProtobufCMessageDescriptor *type;
	struct ProtobufCMessage **items;
	size_t n, room;
};

/* Makes room for one more item. */
int db_list_room(struct db_list *l, struct err *e);
/* The row function that appends the message serialized in the first column. */
int db_list_row(struct sqlite3_stmt *row, void *list, struct err *e);
void db_list_release(struct db_list *l);

#endif
