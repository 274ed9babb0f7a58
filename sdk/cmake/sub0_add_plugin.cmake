# sub0_add_plugin(NAME sources...): the plugin NAME.so. Nothing is exported but its entry, and nothing may be left
# undefined: a plugin links no symbol of the host.
function(sub0_add_plugin name)
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/sub0_plugin.map)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS ${map})
  target_link_libraries(${name} PRIVATE sub0::sdk)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()
  target_link_options(${name} PRIVATE "LINKER:--version-script=${map}")
  # clang's sanitizers leave their run time to the executable, so a plugin cannot be complete with them.
  string(FIND "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS} -fsanitize=${SUB0_SANITIZE}end" "-fsanitize=" sanitize)
  string(FIND "${CMAKE_CXX_FLAGS} ${CMAKE_C_FLAGS} -fsanitize=${SUB0_SANITIZE}end" "-fsanitize=end" none)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT sanitize EQUAL none)
    return()
  endif()
  target_link_options(${name} PRIVATE "LINKER:-z,defs")
endfunction()
