/* SPDX-License-Identifier: Apache-2.0 */
/* The card: an ELF note in the plugin's file, which the host reads without running anything of it.
 *
 * Section `.note.sub0`, owner "sub0", type 1, descriptor sub0_card. The macro works in C11 and
 * C++17, once in a plugin; the C++ macros of plugin.hpp contain it. `retain` keeps the note under
 * --gc-sections. The texts are zero-terminated. What the card says must equal the descriptor.
 */
#ifndef SUB0_CARD_H
#define SUB0_CARD_H

#include "plugin.h"

#ifdef __cplusplus
#include <cstddef> /* _GLIBCXX_RELEASE */
#endif

#define SUB0_CARD_SECTION ".note.sub0"
#define SUB0_CARD_OWNER "sub0"
#define SUB0_CARD_TYPE 1u

typedef struct sub0_card {
  uint32_t abi_major, abi_minor; /* abi_minor: the lowest that the plugin needs */
  char id[64];                   /* reverse-DNS: "org.example.greeting" */
  char version[32];
  char glibc[32];     /* of the build: "2.36"; empty: another C library */
  char libstdcxx[32]; /* of the build: "12"; empty: C, or another library */
} sub0_card;

/* The note as it lies in the file; its fields need alignment 4 alone. */
typedef struct sub0_card_note {
  uint32_t owner_size, card_size, type;
  char owner[8]; /* "sub0", padded */
  sub0_card card;
} sub0_card_note;

#define SUB0_TEXT_OF_(x) #x
#define SUB0_TEXT_OF(x) SUB0_TEXT_OF_(x)

#ifdef __GLIBC__
#define SUB0_BUILD_GLIBC SUB0_TEXT_OF(__GLIBC__) "." SUB0_TEXT_OF(__GLIBC_MINOR__)
#else
#define SUB0_BUILD_GLIBC ""
#endif
#if defined(__cplusplus) && defined(_GLIBCXX_RELEASE)
#define SUB0_BUILD_LIBSTDCXX SUB0_TEXT_OF(_GLIBCXX_RELEASE)
#else
#define SUB0_BUILD_LIBSTDCXX ""
#endif

#ifdef __cplusplus
#define SUB0_EXPORT extern "C" __attribute__((visibility("default")))
#define SUB0_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define SUB0_EXPORT __attribute__((visibility("default")))
#define SUB0_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

/* The card of a plugin that needs another version of the ABI than this header's. */
#define SUB0_PLUGIN_CARD_OF(abi_major, abi_minor, id, version)                            \
  SUB0_STATIC_ASSERT(sizeof(id) <= 64, "the plugin's id has at most 63 bytes");           \
  SUB0_STATIC_ASSERT(sizeof(version) <= 32, "the plugin's version has at most 31 bytes"); \
  __attribute__((used, retain, section(SUB0_CARD_SECTION),                                \
                 aligned(4))) static const sub0_card_note sub0_plugin_card_note = {       \
      5u,                                                                                 \
      sizeof(sub0_card),                                                                  \
      SUB0_CARD_TYPE,                                                                     \
      SUB0_CARD_OWNER,                                                                    \
      {abi_major, abi_minor, id, version, SUB0_BUILD_GLIBC, SUB0_BUILD_LIBSTDCXX}};

/* Puts the card into the file: SUB0_PLUGIN_CARD("org.example.greeting", "1.0.0") */
#define SUB0_PLUGIN_CARD(id, version) \
  SUB0_PLUGIN_CARD_OF(SUB0_ABI_MAJOR, SUB0_ABI_MINOR, id, version)

#endif /* SUB0_CARD_H */
