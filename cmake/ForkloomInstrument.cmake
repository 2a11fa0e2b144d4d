# forkloom_instrument(target): the plain memory accesses of the target's code become operations.
#
# Its sources (C or C++, g++ or clang) are compiled with -fsanitize=thread, and what it is linked into
# gets Forkloom's own callbacks in the place of libtsan. Outside of an execution the program runs as
# ever. No other sanitizer may be on for the same sources: -fsanitize=thread excludes
# -fsanitize=address, so in a build with sanitizers such a target has to leave them out.
#
# Calls like memcpy() are redirected by the linker, for everything that is linked into the same
# program or shared library.
set(FORKLOOM_WRAPPED_CALLS memcmp memcpy __memcpy_chk memmove __memmove_chk memset __memset_chk
    stpcpy __stpcpy_chk strcmp strcpy __strcpy_chk strlen strncmp strncpy CACHE INTERNAL "")

function(forkloom_instrument target)
  target_compile_options(${target} PRIVATE
    -fsanitize=thread
    # g++ warns of fences, which libtsan does not know. Forkloom does.
    $<$<C_COMPILER_ID:GNU>:$<$<COMPILE_LANGUAGE:C>:-Wno-tsan>>
    $<$<CXX_COMPILER_ID:GNU>:$<$<COMPILE_LANGUAGE:CXX>:-Wno-tsan>>
    # A load before a store to the same place is left out otherwise, and with it every lost update.
    "$<$<C_COMPILER_ID:Clang>:$<$<COMPILE_LANGUAGE:C>:SHELL:-mllvm -tsan-instrument-read-before-write=1>>"
    "$<$<CXX_COMPILER_ID:Clang>:$<$<COMPILE_LANGUAGE:CXX>:SHELL:-mllvm -tsan-instrument-read-before-write=1>>")
  set(wraps ${FORKLOOM_WRAPPED_CALLS})
  list(TRANSFORM wraps PREPEND "-Wl,--wrap=")
  # Used or not: the program's constructors may come before anything else refers to the library.
  set(options ${wraps} -Wl,--no-as-needed)
  if(TARGET forkloom::memory)
    set(library forkloom::memory)
  else()
    set(library forkloom_memory)
  endif()
  target_link_libraries(${target} PUBLIC ${library})
  target_link_options(${target} PUBLIC ${options})
endfunction()
