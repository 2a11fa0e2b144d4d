# How tests are made. Catch2's own main is compiled once.
set(FORKLOOM_TEST_PREFIX "" CACHE STRING "What the names of all tests begin with")
include(ForkloomSanitizedSuite)

if(TARGET Catch2::Catch2WithMain)
  add_library(forkloom_test_main INTERFACE)
  target_link_libraries(forkloom_test_main INTERFACE Catch2::Catch2WithMain)
else()
  add_library(forkloom_test_main STATIC "${PROJECT_SOURCE_DIR}/tests/catch_main.cpp")
  target_link_libraries(forkloom_test_main PUBLIC Catch2::Catch2)
endif()

# forkloom_command_test(name COMMAND … [LABELS …]): any command, registered with CTest as one test.
function(forkloom_command_test name)
  cmake_parse_arguments(arg "" "" "COMMAND;LABELS" ${ARGN})
  set(full_name "${FORKLOOM_TEST_PREFIX}${name}")
  add_test(NAME "${full_name}" COMMAND ${arg_COMMAND})
  set_tests_properties("${full_name}" PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 900)
endfunction()

# forkloom_test(name SOURCES … LIBRARIES …): a Catch2 executable, registered with CTest as one test.
function(forkloom_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE forkloom_settings forkloom_sanitizers ${arg_LIBRARIES} forkloom_test_main)
  # Assertions are most of a test, and the compiler is slow on them: no exception is expected in one,
  # and what a test itself does need not be optimised.
  target_compile_definitions(${name} PRIVATE CATCH_CONFIG_FAST_COMPILE)
  target_compile_options(${name} PRIVATE -O0)
  forkloom_command_test(${name} COMMAND ${name} LABELS "${arg_LABELS}")
endfunction()
