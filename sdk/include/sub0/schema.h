/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.schema/1: offered by a plugin that owns a database: makes its tables what the project's
 * models say. What a table is in that database, and how it is changed, the plugin alone knows. */
#ifndef SUB0_SCHEMA_H
#define SUB0_SCHEMA_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_SCHEMA_EXTENSION "sub0.schema/1"

#define SUB0_SCHEMA_PLAN_ONLY 1u         /* nothing is changed: the steps are what would be done */
#define SUB0_SCHEMA_ALLOW_DESTRUCTIVE 2u /* steps that may lose data are done, too */

/* [any] The end of one migration. `steps`: an array of {table, text, kind}; kind "change" (done, or
 * would be), "destructive" (may lose data: done only if that was allowed), or "note" (nothing is
 * done). SUB0_OK, or a code and a text for the operator: then nothing was changed, or, where the
 * database takes definitions back in no transaction, the tables of steps of kind "done" are, and
 * another migration goes on from there. All live until the callback returns. */
typedef void (*sub0_schema_done)(void* user, int32_t code, const sub0_value* steps,
                                 const sub0_text_view* message);

typedef struct sub0_schema {
  uint32_t struct_size, reserved;
  /* [any] Before start or after it, one at a time (SUB0_BUSY): compares the database with the
   * models and changes it, as a whole or not at all where the database can. `models` is copied: an
   * array of {model, table, is_used (some SQL names that table), fields: [{name, type, optional,
   * primary_key, auto_increment, max_length, indexable, fts, foreign_key: {model, key}}], unique:
   * [[column, ...]]}; the types are those of the dialect. */
  int32_t (*migrate)(void* self, const sub0_value* models, uint32_t flags, sub0_schema_done done,
                     void* user);
} sub0_schema;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_SCHEMA_H */
