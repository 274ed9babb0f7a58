// SPDX-License-Identifier: Apache-2.0
// Each bad plugin, and exactly what the host makes of it.
#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "plugin/inspect.hpp"
#include "tests/bad-plugins/bad_plugins_rig.hpp"

namespace sub0::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void spoil(const std::string& path, long offset, std::initializer_list<char> bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file.write(bytes.begin(), static_cast<std::streamsize>(bytes.size()));
}

//
TEST_F(BadPlugins, AGoodOneIsLoadedWithoutAWord) {
  put("good");
  Registry registry;
  load(registry);
  EXPECT_THAT(registry.problems(), IsEmpty());
  ASSERT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.plugins().at(0)->id, "test.good");
  EXPECT_EQ(registry.findEffect("good"), nullptr);
}

//
TEST_F(BadPlugins, NoElfFileIsRefused) {
  std::ofstream(folder_ + "/text.so") << "this is a text, not a plugin\n";
  std::ofstream(folder_ + "/empty.so");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(2));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("not an ELF file"));
  EXPECT_THAT(registry.problems()[1].message, HasSubstr("not an ELF file"));
}

//
TEST_F(BadPlugins, OtherArchitectureIsRefusedWithBothNamed) {
  const std::string path = put("good");
  spoil(path, offsetof(Elf64_Ehdr, e_machine), {static_cast<char>(EM_S390), 0});
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("is built for s390x; this host runs on"));
}

//
TEST_F(BadPlugins, OtherWordSizeByteOrderOrKindOfFileIsRefused) {
  struct Case {
    long offset;
    char byte;
    const char* expected;
  };
  const Case cases[] = {{EI_CLASS, ELFCLASS32, "built for another word size (not 64-bit)"},
                        {EI_DATA, ELFDATA2MSB, "built for another byte order"},
                        {offsetof(Elf64_Ehdr, e_type), ET_EXEC, "not a shared object"},
                        {offsetof(Elf64_Ehdr, e_type), ET_REL, "not a shared object"}};
  for (const Case& one : cases) {
    const std::string path = put("good");
    spoil(path, one.offset, {one.byte});
    Registry registry;
    load(registry);
    ASSERT_THAT(registry.problems(), SizeIs(1)) << one.expected;
    EXPECT_THAT(registry.problems()[0].message, HasSubstr(one.expected));
    EXPECT_THAT(registry.plugins(), IsEmpty());
    fs::remove(path);
  }
}

// dlopen itself would crash on it
TEST_F(BadPlugins, FileThatIsCutShortIsRefusedWhereverItIsCut) {
  const std::string path = put("good");
  std::uintmax_t needed = 0;
  {
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    for (int i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment{};
      file.seekg(static_cast<long>(header.e_phoff) + i * long{sizeof segment});
      file.read(reinterpret_cast<char*>(&segment), sizeof segment);
      needed = std::max(needed, std::uintmax_t{segment.p_offset + segment.p_filesz});
    }
  }
  for (const std::uintmax_t size : {needed - 1, needed / 2, needed / 8, std::uintmax_t{64}}) {
    fs::remove(path);
    put("good");
    fs::resize_file(path, size);
    Registry registry;
    load(registry);
    EXPECT_THAT(registry.plugins(), IsEmpty()) << size;
    ASSERT_THAT(registry.problems(), SizeIs(1)) << size;
    EXPECT_THAT(registry.problems()[0].message, HasSubstr("is cut short or spoiled"));
  }
  fs::remove(path);
  put("good");
  fs::resize_file(path, needed);  // the section table, which nobody loads, is missing
  Registry registry;
  load(registry);
  EXPECT_THAT(registry.problems(), IsEmpty());
}

//
TEST_F(BadPlugins, UndefinedSymbolIsRefusedAtLoadByName) {
  EXPECT_THAT(refusal("undefined_symbol"),
              AllOf(HasSubstr("test.undefined-symbol cannot be loaded"),
                    HasSubstr("sub0_tests_no_such_symbol"), HasSubstr("this host runs on glibc")));
}

//
TEST_F(BadPlugins, LibraryThatIsNoPluginIsRefused) {
  fs::copy_file(fs::canonical("/proc/self/exe"), folder_ + "/program.so");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("has no card"));
}

//
TEST_F(BadPlugins, DescriptorThatIsNoneIsRefused) {
  EXPECT_THAT(refusal("no_descriptor"), HasSubstr("its entry returned no descriptor"));
  fs::remove(folder_ + "/no_descriptor.so");
  EXPECT_THAT(refusal("small_descriptor"), HasSubstr("its descriptor has no struct_size"));
  fs::remove(folder_ + "/small_descriptor.so");
  EXPECT_THAT(refusal("throws_in_entry"), HasSubstr("sub0_plugin_v0 threw an exception"));
}

//
TEST_F(BadPlugins, WhatHasTheNameOfAPluginAndIsNoFileIsRefused) {
  fs::create_directory(folder_ + "/1.so");
  fs::create_symlink("3.so", folder_ + "/2.so");
  fs::create_symlink("2.so", folder_ + "/3.so");
  fs::create_symlink("nowhere", folder_ + "/4.so");
  ASSERT_EQ(::mkfifo((folder_ + "/5.so").c_str(), 0600), 0);
  put("good", "6");
  Registry registry;
  load(registry, {.skip_errors = true});
  EXPECT_THAT(registry.plugins(), SizeIs(1));
  ASSERT_THAT(registry.problems(), SizeIs(5));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("is not a regular file"));
  EXPECT_THAT(registry.problems()[1].message, HasSubstr("cannot be read"));
  EXPECT_THAT(registry.problems()[2].message, HasSubstr("cannot be read"));
  EXPECT_THAT(registry.problems()[3].message, HasSubstr("cannot be read"));
  EXPECT_THAT(registry.problems()[4].message, HasSubstr("is not a regular file"));
}

//
TEST_F(BadPlugins, WhatHasNoEntryOrNoCardIsRefused) {
  EXPECT_THAT(refusal("no_entry"), HasSubstr("does not export its entry sub0_plugin_v0"));
  fs::remove(folder_ + "/no_entry.so");
  EXPECT_THAT(refusal("no_card"), HasSubstr("has no card"));
}

// their static constructors would end the process, so nothing of them has run
TEST_F(BadPlugins, WrongVersionsAreRefusedBeforeAnythingRuns) {
  const std::string ours =
      "this host offers " + std::to_string(SUB0_ABI_MAJOR) + "." + std::to_string(SUB0_ABI_MINOR);
  EXPECT_THAT(refusal("wrong_major"), AllOf(HasSubstr("needs plugin ABI 7.0"), HasSubstr(ours)));
  fs::remove(folder_ + "/wrong_major.so");
  EXPECT_THAT(refusal("minor_too_new"),
              AllOf(HasSubstr("needs plugin ABI 0.999"), HasSubstr(ours)));
}

//
TEST_F(BadPlugins, CardAndDescriptorThatDifferAreRefused) {
  EXPECT_THAT(refusal("card_differs"), AllOf(HasSubstr("card says test.card-differs 1.0.0"),
                                             HasSubstr("descriptor says test.card-differs 2.0.0")));
}

//
TEST_F(BadPlugins, NullSlotIsRefusedByName) {
  EXPECT_THAT(refusal("null_slot"), HasSubstr("slot cancel is null"));
}

//
TEST_F(BadPlugins, SecondOfferOfAModeIsAnErrorAndTheFirstStays) {
  put("good", "a");
  put("duplicate_mode", "b");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_EQ(registry.problems()[0].severity, Severity::kError);
  EXPECT_THAT(registry.problems()[0].message,
              AllOf(HasSubstr("test.duplicate-mode offers mode GOOD"), HasSubstr("test.good")));
  ASSERT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.findMode("GOOD")->plugin->id, "test.good");
  EXPECT_THAT(registry.handlers(), SizeIs(1));
}

//
TEST_F(BadPlugins, SameIdTwiceIsTheFirstWithAWarning) {
  put("good", "a");
  put("same_id", "b");
  Registry registry;
  load(registry);
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_EQ(registry.problems()[0].severity, Severity::kWarning);
  EXPECT_NE(registry.findMode("GOOD"), nullptr);
  EXPECT_EQ(registry.findMode("SAME_ID"), nullptr);
}

//
TEST_F(BadPlugins, WithSkipTheOthersLoad) {
  put("good");
  put("wrong_major");
  put("null_slot");
  Registry registry;
  load(registry, {.skip_errors = true});
  EXPECT_FALSE(registry.hasErrors());
  EXPECT_THAT(registry.problems(), SizeIs(2));
  EXPECT_THAT(registry.plugins(), SizeIs(1));
}

//
TEST_F(BadPlugins, WritableByOthersIsRefusedInPackagedFoldersAndWarnedOfElsewhere) {
  ::chmod(put("good").c_str(), 0777);
  Registry packaged;
  load(packaged);
  EXPECT_THAT(packaged.plugins(), IsEmpty());
  ASSERT_THAT(packaged.problems(), SizeIs(1));
  EXPECT_EQ(packaged.problems()[0].severity, Severity::kError);
  EXPECT_THAT(packaged.problems()[0].message, HasSubstr("writable by everybody"));

  Registry named;
  load(named, {}, false);
  EXPECT_THAT(named.plugins(), SizeIs(1));
  ASSERT_THAT(named.problems(), SizeIs(1));
  EXPECT_EQ(named.problems()[0].severity, Severity::kWarning);
}

//
TEST_F(BadPlugins, FolderWritableByOthersIsRefusedAsWell) {
  put("good");
  ::chmod(folder_.c_str(), 0777);
  Registry registry;
  load(registry);
  EXPECT_THAT(registry.plugins(), IsEmpty());
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("lies in"));
}

//
TEST_F(BadPlugins, LinkOutOfTheFolderIsRefused) {
  const std::string inside = folder_ + "/plugins";
  fs::create_directory(inside);
  fs::create_symlink(put("good"), inside + "/good.so");
  Registry registry;
  registry.loadFolders({{inside, false}});
  EXPECT_THAT(registry.plugins(), IsEmpty());
  ASSERT_THAT(registry.problems(), SizeIs(1));
  EXPECT_THAT(registry.problems()[0].message, HasSubstr("outside of the plugin folder"));
}

//
TEST_F(BadPlugins, InspectLoadsInAChildAndNamesWhatIsWrong) {
  const Inspection good = inspect(put("good"));
  EXPECT_TRUE(good.is_loadable) << good.text;
  EXPECT_THAT(good.text, AllOf(HasSubstr("test.good 1.0.0"), HasSubstr("GOOD")));
  EXPECT_THAT(good.json, HasSubstr("\"loadable\":true"));

  const Inspection bad = inspect(put("null_slot"));
  EXPECT_FALSE(bad.is_loadable);
  EXPECT_THAT(bad.text, HasSubstr("slot cancel is null"));
  EXPECT_FALSE(inspect(put("wrong_major")).is_loadable);
  EXPECT_THAT(inspect(folder_ + "/none.so").text, HasSubstr("refused"));
}

}  // namespace
}  // namespace sub0::plugin
