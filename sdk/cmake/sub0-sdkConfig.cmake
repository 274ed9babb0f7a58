# find_package(sub0-sdk): the target sub0::sdk and the function sub0_add_plugin.
include(${CMAKE_CURRENT_LIST_DIR}/sub0-sdkTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/sub0_add_plugin.cmake)
