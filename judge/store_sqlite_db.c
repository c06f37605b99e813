#include "judge/store_sqlite_db.h"

#include <errno.h>
#include <protobuf-c/protobuf-c.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge/store_ops.h"
#include "proto/err.h"
#include "proto/scope.h"

#define APPLICATION_ID 0x4741564c /* "GAVL" in the file's header: file(1) and we know our own */
#define BUSY_MS        5000       /* somebody looks at the file with another tool */

static int db_fail(const struct db *db, struct err *e)
{
	return store_refuse(e, EIO, "%s",
			    db->handle ? sqlite3_errmsg(db->handle) : "out of memory");
}

static int db_script(struct db *db, const char *text, struct err *e)
{
	if (sqlite3_exec(db->handle, text, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, e);
	return 0;
}

/* The number that a query answers. */
static int db_number(struct db *db, const char *text, int *out, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db->handle, text, -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*out = rc == SQLITE_ROW ? sqlite3_column_int(stmt, 0) : 0;
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? 0 : db_fail(db, e);
}

/*
 * How many steps of the schema the file has been through: 0 for an empty one.  Refuses a database of somebody else or of a
 * newer Gavel, unchanged.
 */
static int db_version(struct db *db, struct err *e)
{
	int version, owner, objects;

	if (db_number(db, "PRAGMA user_version", &version, e) < 0 ||
	    db_number(db, "PRAGMA application_id", &owner, e) < 0 ||
	    db_number(db, "SELECT count(*) FROM sqlite_schema", &objects, e) < 0)
		return -1;
	if (version == 0 && owner == 0 && objects == 0)
		return 0;
	if (owner != APPLICATION_ID || version < 1)
		return store_refuse(e, EIO, "a database, but not one of Gavel");
	if (version > SQL_SCHEMA_VERSION)
		return store_refuse(e, EIO,
				    "made by a newer Gavel: its schema has version %d, this one "
				    "knows %d",
				    version, SQL_SCHEMA_VERSION);
	return version;
}

/* Takes the file through the steps that it lacks, all or nothing: a crash meanwhile leaves it as it was. */
static int db_upgrade(struct db *db, int version, struct err *e)
{
	char numbers[128];
	int rc = db_script(db, "BEGIN IMMEDIATE", e);

	for (; rc == 0 && version < SQL_SCHEMA_VERSION; version++)
		rc = db_script(db, sql_schema[version], e);
	(void)snprintf(numbers, sizeof(numbers),
		       "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		       APPLICATION_ID, SQL_SCHEMA_VERSION);
	if (rc == 0 && db_script(db, numbers, e) == 0)
		return 0;
	db_abandon(db);
	return -1;
}

static int mode_is_wal(void *wal, int n, char **values, char **names)
{
	(void)names;
	*(int *)wal = n == 1 && strcmp(values[0], "wal") == 0;
	return 0;
}

static int db_prepare_writer(struct db *db, struct err *e)
{
	int wal = 0, version = db_version(db, e);

	if (version < 0)
		return -1;
	if (sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", mode_is_wal, &wal, NULL) !=
	    SQLITE_OK)
		return db_fail(db, e);
	if (!wal)
		return store_refuse(e, EIO,
				    "this file system has no shared memory for SQLite's "
				    "write-ahead log; use a local one");
	if (db_script(db,
		      "PRAGMA synchronous = FULL;"
		      "PRAGMA foreign_keys = ON;"
		      "PRAGMA journal_size_limit = 67108864",
		      e) < 0)
		return -1;
	return version < SQL_SCHEMA_VERSION ? db_upgrade(db, version, e) : 0;
}

int db_open(struct db *db, const char *path, int writable, struct err *e)
{
	int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
	int rc;

	*db = (struct db){0};
	rc = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		(void)db_fail(db, e);
	} else {
		(void)sqlite3_busy_timeout(db->handle, BUSY_MS);
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		(void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		rc = db_script(db,
			       "PRAGMA cell_size_check = ON;"
			       "PRAGMA temp_store = MEMORY",
			       e);
		if (rc == 0 && writable)
			rc = db_prepare_writer(db, e);
	}
	if (rc == 0)
		return 0;
	(void)err_wrap(e, "store: %s", path);
	db_close(db);
	return -1;
}

void db_close(struct db *db)
{
	for (size_t i = 0; i < ARRAY_LEN(db->statements); i++)
		(void)sqlite3_finalize(db->statements[i]);
	(void)sqlite3_close(db->handle);
	*db = (struct db){0};
}

static int db_bind(sqlite3_stmt *stmt, int i, const struct db_value *v)
{
	switch (v->type) {
	case DB_INT:
		return sqlite3_bind_int64(stmt, i, v->number);
	case DB_TEXT:
		return sqlite3_bind_text(stmt, i, v->data, -1, SQLITE_STATIC);
	case DB_BLOB:
		if (v->data && v->len == 0)
			return sqlite3_bind_zeroblob(stmt, i, 0);
		return sqlite3_bind_blob64(stmt, i, v->data, v->len, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

/* The statement, prepared and with its parameters; NULL on failure. */
static sqlite3_stmt *db_statement(struct db *db, enum sql id, struct db_args args, struct err *e)
{
	sqlite3_stmt **stmt = &db->statements[id];
	int rc = SQLITE_OK;

	if (!*stmt)
		rc = sqlite3_prepare_v3(db->handle, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT,
					stmt, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < args.n; i++)
		rc = db_bind(*stmt, (int)i + 1, &args.values[i]);
	if (rc == SQLITE_OK)
		return *stmt;
	(void)db_fail(db, e);
	return NULL;
}

int db_each(struct db *db, enum sql id, struct db_args args, db_row *row, void *arg, struct err *e)
{
	sqlite3_stmt *stmt = db_statement(db, id, args, e);
	int n = 0, rc, failed = !stmt;

	while (!failed && (rc = sqlite3_step(stmt)) != SQLITE_DONE) {
		if (rc != SQLITE_ROW)
			failed = db_fail(db, e);
		else if (row)
			failed = row(stmt, arg, e) < 0;
		n++;
	}
	if (stmt) {
		(void)sqlite3_reset(stmt);
		(void)sqlite3_clear_bindings(stmt);
	}
	return failed ? -1 : n;
}

int db_run(struct db *db, enum sql id, struct db_args args, struct err *e)
{
	if (db_each(db, id, args, NULL, NULL, e) < 0)
		return -1;
	return sqlite3_changes(db->handle);
}

void db_abandon(struct db *db)
{
	if (db_in_transaction(db))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

int db_in_transaction(const struct db *db)
{
	return !sqlite3_get_autocommit(db->handle);
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

char *db_get_text(sqlite3_stmt *row, int column, struct err *e)
{
	const char *text = (const char *)sqlite3_column_text(row, column);
	char *copy = strdup(text ? text : "");

	if (!copy)
		(void)err_sys(e, "store: copy of a text");
	return copy;
}

char *db_get_blob(sqlite3_stmt *row, int column, size_t *len, struct err *e)
{
	const void *data = sqlite3_column_blob(row, column);
	size_t n = (size_t)sqlite3_column_bytes(row, column);
	char *copy = malloc(n + 1);

	if (!copy || (n && !data)) {
		free(copy);
		errno = ENOMEM;
		(void)err_sys(e, "store: copy of %zu bytes", n);
		return NULL;
	}
	if (n)
		memcpy(copy, data, n);
	copy[n] = '\0';
	*len = n;
	return copy;
}

int64_t db_get_int(sqlite3_stmt *row, int column)
{
	return sqlite3_column_int64(row, column);
}

int db_is_null(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL;
}

void *db_get_message(sqlite3_stmt *row, int column, const ProtobufCMessageDescriptor *type,
		     struct err *e)
{
	const void *data = sqlite3_column_blob(row, column);
	size_t n = (size_t)sqlite3_column_bytes(row, column);
	void *message = protobuf_c_message_unpack(type, NULL, n, data);

	if (!message)
		(void)store_refuse(e, EIO, "store: a stored %s of %zu bytes cannot be read",
				   type->name, n);
	return message;
}

uint8_t *db_pack(const ProtobufCMessage *message, size_t *len, struct err *e)
{
	uint8_t *bytes;

	*len = protobuf_c_message_get_packed_size(message);
	bytes = malloc(*len + 1);
	if (bytes)
		(void)protobuf_c_message_pack(message, bytes);
	else
		(void)err_sys(e, "store: %zu bytes", *len);
	return bytes;
}

int db_list_room(struct db_list *l, struct err *e)
{
	size_t room = l->room ? 2 * l->room : 16;
	ProtobufCMessage **items;

	if (l->n < l->room)
		return 0;
	items = reallocarray(l->items, room, sizeof(ProtobufCMessage *));
	if (!items)
		return err_sys(e, "store: list of %zu", room);
	l->items = items;
	l->room = room;
	return 0;
}

void db_list_release(struct db_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		protobuf_c_message_free_unpacked(l->items[i], NULL);
	free(l->items);
	*l = (struct db_list){.type = l->type};
}

int db_list_row(struct sqlite3_stmt *row, void *arg, struct err *e)
{
	struct db_list *l = arg;

	if (db_list_room(l, e) < 0)
		return -1;
	l->items[l->n] = db_get_message(row, 0, l->type, e);
	if (!l->items[l->n])
		return -1;
	l->n++;
	return 0;
}
