# The whole suite once more under ASan+UBSan, counted by the same ctest.
#
# One ctest must judge both, or the exit code of one could hide that of the other. So the sanitized
# tree lies inside the plain one (asan-ubsan/), the target `sanitized_suite` configures and builds
# it, and the plain tree's CTest takes its tests in. There each test's name begins with
# "asan-ubsan/". If that tree was never built, its place is taken by a test that cannot be run, so
# that a suite without it fails rather than passes unseen.
option(FORKLOOM_SANITIZED_SUITE "ctest also runs the tests of the target sanitized_suite" OFF)
if(NOT FORKLOOM_SANITIZED_SUITE)
  return()
endif()
if(FORKLOOM_SANITIZE)
  message(FATAL_ERROR "FORKLOOM_SANITIZED_SUITE is for a plain build, and FORKLOOM_SANITIZE is "
                      "\"${FORKLOOM_SANITIZE}\": switch one of the two off.")
endif()

set(sanitized_tree "${PROJECT_BINARY_DIR}/asan-ubsan")
cmake_host_system_information(RESULT jobs QUERY NUMBER_OF_LOGICAL_CORES)

add_custom_target(sanitized_suite
  COMMAND "${CMAKE_COMMAND}" -S "${PROJECT_SOURCE_DIR}" -B "${sanitized_tree}" -G "${CMAKE_GENERATOR}"
          "-DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE}" "-DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}"
          "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}" "-DFORKLOOM_SANITIZE=address,undefined"
          "-DFORKLOOM_TEST_PREFIX=asan-ubsan/"
          --log-level=WARNING
  COMMAND "${CMAKE_COMMAND}" --build "${sanitized_tree}" --parallel ${jobs}
  COMMENT "Building the suite under ASan+UBSan in ${sanitized_tree}"
  USES_TERMINAL VERBATIM)

set(inclusion "${PROJECT_BINARY_DIR}/sanitized_suite.cmake")
file(WRITE "${inclusion}" "\
if(EXISTS \"${sanitized_tree}/CTestTestfile.cmake\")
  subdirs(\"${sanitized_tree}\")
else()
  add_test(\"asan-ubsan/the target sanitized_suite was not built\" \"${sanitized_tree}/missing\")
endif()
")
set_property(DIRECTORY "${PROJECT_SOURCE_DIR}" APPEND PROPERTY TEST_INCLUDE_FILES "${inclusion}")
