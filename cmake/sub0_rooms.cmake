# One target per room of the tree. A room takes every source below its folder and may use only the rooms named
# after NEEDS: the include path of a room reaches those alone by tests/support/include_graph.

add_library(sub0_options INTERFACE)
target_compile_options(sub0_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # false alarms of gcc 12 on std::string operator+
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage> # it takes what a unit of several sources includes for headers
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Wold-style-cast>)
if(SUB0_SANITIZE)
  target_compile_options(sub0_options INTERFACE -fsanitize=${SUB0_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(sub0_options INTERFACE -fsanitize=${SUB0_SANITIZE})
endif()

# Where SUB0_JOIN_FOLDERS is set, the sources of one folder are compiled as one unit: most of the time of a file goes into
# the headers that its neighbours read as well. Their anonymous namespaces are one, so the names in them have to differ.
function(sub0_join_folders target)
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${folder})
    string(REPLACE "/" "_" folder "${folder}")
    set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES UNITY_GROUP ${folder})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SUB0_JOIN_FOLDERS} UNITY_BUILD_MODE GROUP)
  # gcc inlines less where a unit is large: it says so of these, for what was inlined while the files stood alone.
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=large-unit-insns=1000000>)
endfunction()

# sub0_room(NAME [NEEDS rooms...] [LIBRARIES targets...]): the static library sub0_NAME of host/NAME.
function(sub0_room name)
  cmake_parse_arguments(ROOM "" "" "NEEDS;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/host/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(sources)
    add_library(sub0_${name} STATIC ${sources})
    sub0_join_folders(sub0_${name})
    set(scope PUBLIC)
  else()
    add_library(sub0_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(sub0_${name} ${scope} ${CMAKE_SOURCE_DIR}/host)
  target_link_libraries(sub0_${name} ${scope} sub0_options sub0_sdk)
  foreach(need IN LISTS ROOM_NEEDS)
    target_link_libraries(sub0_${name} ${scope} sub0_${need})
  endforeach()
  target_link_libraries(sub0_${name} ${scope} ${ROOM_LIBRARIES})
endfunction()

# Sources that are compiled as one. Their anonymous namespaces are meant, and a name of one file is nothing that
# another could hide. Linked last, since -Wshadow comes with sub0_options.
add_library(sub0_unity_options INTERFACE)
target_compile_options(sub0_unity_options INTERFACE
  -Wno-shadow "$<$<CXX_COMPILER_ID:GNU>:-Wshadow=local;-Wno-subobject-linkage>")

# sub0_unit_tests(ROOM [targets...]): one test binary of tests/unit/ROOM; its tests are found when it has been built.
function(sub0_unit_tests room)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/unit/${room}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${room} ${sources})
  target_include_directories(unit_${room} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(unit_${room} PRIVATE ${ARGN} GTest::gtest GTest::gmock GTest::gtest_main sub0_unity_options)
  target_compile_options(unit_${room} PRIVATE -O0) # of the tests alone; half of the compiler's time
  # Most of a file's time goes into headers that all share; larger batches would leave the last ones to a single core.
  set_target_properties(unit_${room} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
  gtest_discover_tests(unit_${room} TEST_PREFIX "unit.${room}." DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "unit" TIMEOUT 60)
endfunction()

# sub0_host_plugin(NAME [targets...]): a plugin of this repository, built on the public SDK alone, into plugins/NAME.so.
# Where there is a library sub0_NAME_parts, the plugin is its entry NAME_plugin.cpp and that.
function(sub0_host_plugin name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/plugins/${name}/*.cpp)
  if(TARGET sub0_${name}_parts)
    list(FILTER sources INCLUDE REGEX "/${name}_plugin\\.cpp$")
  endif()
  if(NOT sources)
    return()
  endif()
  sub0_add_plugin(${name} ${sources})
  sub0_join_folders(${name})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/plugins/${name})
  target_link_libraries(${name} PRIVATE sub0_options ${ARGN})
  set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/plugins)
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/sub0/plugins COMPONENT plugins)
endfunction()
