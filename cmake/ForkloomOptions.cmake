# How everything is compiled. `forkloom_settings` carries it to every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(FORKLOOM_DEBUG_LEVEL 1 CACHE STRING
    "How much debug information, as of -g: 1 has what reports need, lines and calls; 2 has variables too, and builds a quarter slower")
set(FORKLOOM_SANITIZE "" CACHE STRING "Sanitizers to build with: address, undefined, or both with a comma")

include(CheckIPOSupported)
check_ipo_supported(RESULT FORKLOOM_LTO LANGUAGES CXX)

find_program(FORKLOOM_CCACHE ccache)
if(FORKLOOM_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${FORKLOOM_CCACHE}")
endif()

add_library(forkloom_settings INTERFACE)
target_compile_options(forkloom_settings INTERFACE
  -Wall -Wextra -Werror -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual
  -Wno-missing-field-initializers
  # Stacks are walked and explained, also in optimised builds.
  -fno-omit-frame-pointer -g${FORKLOOM_DEBUG_LEVEL})
target_include_directories(forkloom_settings INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/framework/include")

# Sanitizers are for the scenarios, the controller and the tests. The interception library runs before
# their runtimes are ready and inside their calls, so it stays plain.
add_library(forkloom_sanitizers INTERFACE)
if(FORKLOOM_SANITIZE)
  # -O1: at -O2 the checks that sanitizers put in make g++ take three times as long over templates.
  target_compile_options(forkloom_sanitizers INTERFACE
    -fsanitize=${FORKLOOM_SANITIZE} -fno-sanitize-recover=all -O1
    # What the sanitizers put in makes g++ doubt initialisations in the standard library's headers.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(forkloom_sanitizers INTERFACE -fsanitize=${FORKLOOM_SANITIZE})
  # Every executable carries the sanitizers' settings; the file says why.
  add_library(forkloom_sanitizer_defaults OBJECT "${PROJECT_SOURCE_DIR}/tests/sanitizers/defaults.cpp")
  target_sources(forkloom_sanitizers INTERFACE
    $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:forkloom_sanitizer_defaults>>)
endif()
