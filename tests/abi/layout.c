/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and offsets of the ABI. A line here changes only with a new minor (an addition at the end)
 * or a new major, and with a line in sdk/COMPATIBILITY.md. */
#include <stddef.h>
#include <sub0/broadcast.h>
#include <sub0/call.h>
#include <sub0/card.h>
#include <sub0/loop.h>
#include <sub0/plugin.h>
#include <sub0/pool.h>
#include <sub0/schema.h>
#include <sub0/sql.h>

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define AT(type, member, bytes) \
  _Static_assert(offsetof(type, member) == (bytes), "place of " #type "." #member)

SIZE(sub0_text_view, 16);
AT(sub0_text_view, data, 0);
AT(sub0_text_view, size, 8);

SIZE(sub0_value, 16);
AT(sub0_value, type, 0);
AT(sub0_value, count, 4);
AT(sub0_value, as, 8);

SIZE(sub0_member, 32);
AT(sub0_member, key, 0);
AT(sub0_member, value, 16);

SIZE(sub0_blob, 24);
AT(sub0_blob, value, 0);
AT(sub0_blob, release, 8);
AT(sub0_blob, owner, 16);

SIZE(sub0_error, 40);
AT(sub0_error, struct_size, 0);
AT(sub0_error, code, 4);
AT(sub0_error, log, 8);
AT(sub0_error, client, 24);

SIZE(sub0_host, 48);
AT(sub0_host, struct_size, 0);
AT(sub0_host, abi_minor, 4);
AT(sub0_host, complete, 8);
AT(sub0_host, complete_blob, 16);
AT(sub0_host, fail, 24);
AT(sub0_host, log, 32);
AT(sub0_host, extension, 40);

SIZE(sub0_preparation, 72);
AT(sub0_preparation, struct_size, 0);
AT(sub0_preparation, reserved, 4);
AT(sub0_preparation, action, 8);
AT(sub0_preparation, resource, 16);
AT(sub0_preparation, input, 24);
AT(sub0_preparation, input_of, 32);
AT(sub0_preparation, place, 40);
AT(sub0_preparation, fact, 48);
AT(sub0_preparation, error, 56);
AT(sub0_preparation, warning, 64);

SIZE(sub0_run, 96);
AT(sub0_run, struct_size, 0);
AT(sub0_run, input_count, 4);
AT(sub0_run, ticket, 8);
AT(sub0_run, inputs, 16);
AT(sub0_run, deadline_ns, 24);
AT(sub0_run, call_id, 32);
AT(sub0_run, uid, 40);
AT(sub0_run, resource, 56);
AT(sub0_run, action, 72);
AT(sub0_run, flags, 88);
AT(sub0_run, reserved, 92);

SIZE(sub0_handler, 112);
AT(sub0_handler, struct_size, 0);
AT(sub0_handler, kind, 4);
AT(sub0_handler, placement, 6);
AT(sub0_handler, max_running, 8);
AT(sub0_handler, flags, 12);
AT(sub0_handler, name, 16);
AT(sub0_handler, config_key, 32);
AT(sub0_handler, schema, 48);
AT(sub0_handler, description, 64);
AT(sub0_handler, prepare, 80);
AT(sub0_handler, run, 88);
AT(sub0_handler, cancel, 96);
AT(sub0_handler, release, 104);

SIZE(sub0_setting, 64);
AT(sub0_setting, struct_size, 0);
AT(sub0_setting, type, 4);
AT(sub0_setting, flags, 8);
AT(sub0_setting, reserved, 12);
AT(sub0_setting, name, 16);
AT(sub0_setting, default_value, 32);
AT(sub0_setting, description, 48);

SIZE(sub0_plugin, 104);
AT(sub0_plugin, struct_size, 0);
AT(sub0_plugin, abi_major, 4);
AT(sub0_plugin, abi_minor, 6);
AT(sub0_plugin, id, 8);
AT(sub0_plugin, version, 24);
AT(sub0_plugin, setting_count, 40);
AT(sub0_plugin, handler_count, 44);
AT(sub0_plugin, settings, 48);
AT(sub0_plugin, handlers, 56);
AT(sub0_plugin, create, 64);
AT(sub0_plugin, start, 72);
AT(sub0_plugin, stop, 80);
AT(sub0_plugin, destroy, 88);
AT(sub0_plugin, extension, 96);

SIZE(sub0_call_hooks, 24);
AT(sub0_call_hooks, struct_size, 0);
AT(sub0_call_hooks, reserved, 4);
AT(sub0_call_hooks, commit, 8);
AT(sub0_call_hooks, rollback, 16);

SIZE(sub0_call, 16);
AT(sub0_call, struct_size, 0);
AT(sub0_call, reserved, 4);
AT(sub0_call, set_hooks, 8);

SIZE(sub0_loop_hooks, 32);
AT(sub0_loop_hooks, struct_size, 0);
AT(sub0_loop_hooks, reserved, 4);
AT(sub0_loop_hooks, loop_start, 8);
AT(sub0_loop_hooks, loop_stop, 16);
AT(sub0_loop_hooks, end_of_turn, 24);

SIZE(sub0_loop, 96);
AT(sub0_loop, struct_size, 0);
AT(sub0_loop, reserved, 4);
AT(sub0_loop, count, 8);
AT(sub0_loop, current, 16);
AT(sub0_loop, now_ns, 24);
AT(sub0_loop, set_hooks, 32);
AT(sub0_loop, watch, 40);
AT(sub0_loop, rewatch, 48);
AT(sub0_loop, unwatch, 56);
AT(sub0_loop, start_timer, 64);
AT(sub0_loop, stop_timer, 72);
AT(sub0_loop, post, 80);
AT(sub0_loop, request_end_of_turn, 88);

SIZE(sub0_pool, 16);
AT(sub0_pool, struct_size, 0);
AT(sub0_pool, reserved, 4);
AT(sub0_pool, submit, 8);

SIZE(sub0_broadcast_message, 48);
AT(sub0_broadcast_message, struct_size, 0);
AT(sub0_broadcast_message, type, 4);
AT(sub0_broadcast_message, flags, 8);
AT(sub0_broadcast_message, reserved, 12);
AT(sub0_broadcast_message, action, 16);
AT(sub0_broadcast_message, to, 32);
AT(sub0_broadcast_message, data, 40);

SIZE(sub0_broadcast, 16);
AT(sub0_broadcast, struct_size, 0);
AT(sub0_broadcast, reserved, 4);
AT(sub0_broadcast, send, 8);

SIZE(sub0_sql, 24);
AT(sub0_sql, struct_size, 0);
AT(sub0_sql, reserved, 4);
AT(sub0_sql, execute, 8);
AT(sub0_sql, execute_script, 16);

SIZE(sub0_schema, 16);
AT(sub0_schema, struct_size, 0);
AT(sub0_schema, reserved, 4);
AT(sub0_schema, migrate, 8);

SIZE(sub0_card, 168);
AT(sub0_card, abi_major, 0);
AT(sub0_card, abi_minor, 4);
AT(sub0_card, id, 8);
AT(sub0_card, version, 72);
AT(sub0_card, glibc, 104);
AT(sub0_card, libstdcxx, 136);

SIZE(sub0_card_note, 188);
AT(sub0_card_note, owner_size, 0);
AT(sub0_card_note, card_size, 4);
AT(sub0_card_note, type, 8);
AT(sub0_card_note, owner, 12);
AT(sub0_card_note, card, 20);
