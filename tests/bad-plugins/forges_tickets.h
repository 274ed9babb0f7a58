/* SPDX-License-Identifier: Apache-2.0 */
/* How a test has forges_tickets end a run. */
#ifndef SUB0_TESTS_FORGES_TICKETS_H
#define SUB0_TESTS_FORGES_TICKETS_H

#include <stdint.h>

#define FORGES_TICKETS_EXTENSION "test.forges-tickets/1"

typedef struct forges_tickets {
  int32_t (*end)(uint64_t ticket);
  int32_t (*end_with_blob)(uint64_t ticket);
  int32_t (*fail)(uint64_t ticket);
  const int32_t* released; /* how often a blob came back */
} forges_tickets;

#endif
