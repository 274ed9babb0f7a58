// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libpq-fe.h>

#include <functional>

namespace sub0::query {

// Asks the server to give up what a session is at, over a connection of its own, which blocks for
// as long as the server, or the network, says nothing: on a thread of its own, so that nobody waits
// for it. Takes `cancel`, which may be null; `done` is called on any thread. THREAD: any.
void cancelApart(PGcancel* cancel, const std::function<void()>& done);

}  // namespace sub0::query
