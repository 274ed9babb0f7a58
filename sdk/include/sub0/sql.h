/* SPDX-License-Identifier: Apache-2.0 */
/* sub0.sql/1: offered by a plugin that owns a database; used by the host for `sub0-host sql` and
 * its own tables. */
#ifndef SUB0_SQL_H
#define SUB0_SQL_H

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUB0_SQL_EXTENSION "sub0.sql/1"

/* [any] The end of one execute: SUB0_OK and the rows (an array of objects, or null where the
 * statement returns none), or a code and a text for the operator. Both live until the callback
 * returns. */
typedef void (*sub0_sql_done)(void* user, int32_t code, const sub0_value* rows,
                              const sub0_text_view* message);

typedef struct sub0_sql {
  uint32_t struct_size, reserved;
  /* [any] After start: executes one statement with parameters (an array, $1 its first; null: none)
   * on a connection of its own, not shared with any call's statements. SQL and parameters are
   * copied. */
  int32_t (*execute)(void* self, const sub0_text_view* statement, const sub0_value* parameters,
                     sub0_sql_done done, void* user);
  /* [any] The same for a script of several statements, separated by semicolons; `rows` are those of
   * all statements in one array, beside a failure those of the statements before it. Where the
   * database does not tell them they are of the last. */
  int32_t (*execute_script)(void* self, const sub0_text_view* script, sub0_sql_done done,
                            void* user);
} sub0_sql;

#ifdef __cplusplus
}
#endif

#endif /* SUB0_SQL_H */
