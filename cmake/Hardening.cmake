# What makes a memory error of ours hard to use: for everything that is built here, so that no object is left out.
#   addresses differ from run to run (PIE); the tables that calls go through are read-only once it runs (RELRO, now);
#   neither stack nor heap is executable; canaries before return addresses (stack protector); large frames touch every
#   page (stack clash); indirect jumps land only where they may (CET, where the processor has it); libc's copies check
#   sizes that are known (fortify).
# tests/integration/test_hardening.py reads the executables.
include(CheckCXXCompilerFlag)
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_compile_options(-fstack-protector-strong)
foreach(flag -fstack-clash-protection -fcf-protection)
  string(MAKE_C_IDENTIFIER "has${flag}" known)
  check_cxx_compiler_flag(${flag} ${known})  # not every processor has them
  if(${known})
    add_compile_options(${flag})
  endif()
endforeach()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)

# Sanitizers replace the functions that fortify would check, and it needs an optimiser.
if(NOT TRESTLE_SANITIZE)
  add_compile_options($<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE> $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=3>)
endif()
