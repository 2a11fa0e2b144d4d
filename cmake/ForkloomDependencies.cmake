# The libraries that Forkloom stands on; ./bootstrap installs their packages.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(Boost 1.74 REQUIRED)

find_package(PkgConfig REQUIRED)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(dw REQUIRED IMPORTED_TARGET libdw)


# Catch2 3 if it is there, else 2.13; tests include <catch2/catch.hpp> through tests/catch.hpp.
find_package(Catch2 3 QUIET)
if(NOT Catch2_FOUND)
  find_package(Catch2 2.13 REQUIRED)
endif()
find_path(FORKLOOM_RAPIDCHECK_INCLUDE rapidcheck.h REQUIRED)
find_library(FORKLOOM_RAPIDCHECK_LIBRARY rapidcheck REQUIRED)
