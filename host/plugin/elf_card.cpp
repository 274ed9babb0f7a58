// SPDX-License-Identifier: Apache-2.0
#include "plugin/elf_card.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.hpp"
#include "sub0/card.h"

namespace sub0::plugin {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#elif defined(__riscv)
constexpr std::uint16_t kMachine = EM_RISCV;
#elif defined(__powerpc64__)
constexpr std::uint16_t kMachine = EM_PPC64;
#elif defined(__s390x__)
constexpr std::uint16_t kMachine = EM_S390;
#else
#error "tell the loader this machine's ELF number"
#endif
constexpr unsigned char kByteOrder =
    __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;

std::string machineName(std::uint16_t machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390x";
    default:
      return "machine " + std::to_string(machine);
  }
}

/// A copy of the struct at `offset`, or nullopt if it is not wholly inside.
template <typename T>
std::optional<T> readAt(std::string_view bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T result;
  std::memcpy(&result, bytes.data() + offset, sizeof(T));
  return result;
}

std::string_view part(std::string_view bytes, std::uint64_t offset, std::uint64_t size) {
  if (offset > bytes.size() || bytes.size() - offset < size) return {};
  return bytes.substr(offset, size);
}

template <std::size_t kSize>
std::optional<std::string> cardText(const char (&field)[kSize]) {
  const void* end = std::memchr(field, 0, kSize);
  if (end == nullptr) return std::nullopt;
  std::string text(field, static_cast<std::size_t>(static_cast<const char*>(end) - field));
  if (!text::isUtf8(text)) return std::nullopt;
  return text;
}

std::optional<Card> toCard(const sub0_card& raw) {
  const auto id = cardText(raw.id);
  const auto version = cardText(raw.version);
  const auto glibc = cardText(raw.glibc);
  const auto libstdcxx = cardText(raw.libstdcxx);
  if (!id || !version || !glibc || !libstdcxx) return std::nullopt;
  return Card{raw.abi_major, raw.abi_minor, *id, *version, *glibc, *libstdcxx};
}

std::uint64_t padded(std::uint32_t size) { return (std::uint64_t{size} + 3) & ~std::uint64_t{3}; }

/// The card among the notes of one segment or section.
std::optional<Card> cardInNotes(std::string_view notes) {
  constexpr std::string_view kOwner(SUB0_CARD_OWNER, sizeof(SUB0_CARD_OWNER));
  std::uint64_t offset = 0;
  while (const auto header = readAt<Elf64_Nhdr>(notes, offset)) {
    offset += sizeof(Elf64_Nhdr);
    const std::string_view owner = part(notes, offset, header->n_namesz);
    offset += padded(header->n_namesz);
    const auto raw = readAt<sub0_card>(notes, offset);
    if (owner == kOwner && header->n_type == SUB0_CARD_TYPE &&
        header->n_descsz >= sizeof(sub0_card) && raw) {
      return toCard(*raw);
    }
    offset += padded(header->n_descsz);
  }
  return std::nullopt;
}

std::optional<Card> findCard(std::string_view bytes, const Elf64_Ehdr& header) {
  for (std::uint32_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = readAt<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment || segment->p_type != PT_NOTE) continue;
    if (auto card = cardInNotes(part(bytes, segment->p_offset, segment->p_filesz))) return card;
  }
  return std::nullopt;
}

/// How long the file must be for what is to be loaded of it; dlopen would crash on a shorter one.
std::uint64_t neededBytes(std::string_view bytes, const Elf64_Ehdr& header) {
  std::uint64_t needed = header.e_phoff + std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  for (std::uint32_t i = 0; i < header.e_phnum; ++i) {
    const auto segment = readAt<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (!segment) break;
    const std::uint64_t end = segment->p_offset + segment->p_filesz;
    if (end < segment->p_offset) return UINT64_MAX;
    needed = std::max(needed, end);
  }
  return needed;
}

CardReading refuse(std::string problem) { return {std::nullopt, std::move(problem)}; }

}  // namespace

CardReading readCard(std::string_view file_bytes) {
  if (file_bytes.substr(0, SELFMAG) != std::string_view(ELFMAG, SELFMAG)) {
    return refuse("is not an ELF file: a plugin is a shared object, built with the SDK");
  }
  const auto header = readAt<Elf64_Ehdr>(file_bytes, 0);
  const bool is_here = header && header->e_ident[EI_CLASS] == ELFCLASS64 &&
                       header->e_ident[EI_DATA] == kByteOrder && header->e_machine == kMachine;
  if (!is_here) {
    const std::string theirs =
        !header                                   ? "a file that is cut short"
        : header->e_ident[EI_CLASS] != ELFCLASS64 ? "another word size (not 64-bit)"
        : header->e_ident[EI_DATA] != kByteOrder  ? "another byte order"
                                                  : machineName(header->e_machine);
    return refuse("is built for " + theirs + "; this host runs on " + machineName(kMachine) +
                  ": build it for this architecture");
  }
  if (header->e_type != ET_DYN || header->e_phentsize != sizeof(Elf64_Phdr)) {
    return refuse("is an ELF file, but not a shared object: build it with sub0_add_plugin()");
  }
  if (neededBytes(file_bytes, *header) > file_bytes.size()) {
    return refuse("is cut short or spoiled: it has " + std::to_string(file_bytes.size()) +
                  " bytes, and its segments need more: copy or build it again");
  }
  auto card = findCard(file_bytes, *header);
  if (!card) {
    return refuse(
        "has no card (ELF note .note.sub0), so it is not a sub0 plugin: use SUB0_PLUGIN or "
        "SUB0_PLUGIN_CARD of the SDK");
  }
  return {std::move(card), {}};
}

CardReading readCardOfFile(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return refuse(std::string("cannot be read: ") + std::strerror(errno));
  struct stat info {};
  if (::fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(file);
    return refuse("is not a regular file");
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size < SELFMAG || size > kMaxFileBytes) {
    ::close(file);
    return refuse("is not an ELF file: it has " + std::to_string(size) + " bytes");
  }
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(file, bytes.data() + done, size - done);
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  ::close(file);
  return readCard(std::string_view(bytes).substr(0, done));
}

}  // namespace sub0::plugin
