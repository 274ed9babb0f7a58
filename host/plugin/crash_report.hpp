// SPDX-License-Identifier: Apache-2.0
#pragma once

// When the process crashes (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT), the first line on stderr
// says whose code the thread was in: plugin, handler, resource and function (CallFrame), then
// signal, address and thread; a backtrace follows; then the process ends by that signal, with a
// core if the system makes some. Only what is safe in a signal handler, on a stack of its own, so
// that a stack overflow is told as well. No payload, token or setting is written. Does not
// recover.
namespace sub0::plugin {

/// THREAD: control, before other threads. Replaces the handlers of the five signals.
void installCrashReport();

/// Gives this thread a stack for crash reports, until it ends; without one, an overflow of its
/// stack ends the process without a report. Does nothing unless installed, or if there is one.
void giveCrashStack();

}  // namespace sub0::plugin
