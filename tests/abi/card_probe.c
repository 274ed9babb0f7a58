/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin's card in C, and the layout that the loader reads. */
#include <sub0/card.h>

_Static_assert(sizeof(sub0_card) == 168 && sizeof(sub0_card_note) == 188, "the card's layout");

SUB0_PLUGIN_CARD("org.example.probe", "1.2.3")

SUB0_EXPORT const sub0_plugin* sub0_plugin_v0(void);
const sub0_plugin* sub0_plugin_v0(void) { return NULL; }
