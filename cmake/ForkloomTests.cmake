# Test executables. Catch2's own main is compiled once.
if(TARGET Catch2::Catch2WithMain)
  add_library(forkloom_test_main INTERFACE)
  target_link_libraries(forkloom_test_main INTERFACE Catch2::Catch2WithMain)
else()
  add_library(forkloom_test_main STATIC "${PROJECT_SOURCE_DIR}/tests/catch_main.cpp")
  target_link_libraries(forkloom_test_main PUBLIC Catch2::Catch2)
endif()

# forkloom_test(name SOURCES … LIBRARIES …): a Catch2 executable, registered with CTest as one test.
function(forkloom_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE forkloom_settings forkloom_sanitizers ${arg_LIBRARIES} forkloom_test_main)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 900)
endfunction()
