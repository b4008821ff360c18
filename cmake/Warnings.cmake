# trestle_warnings: linked PRIVATE by every target of ours; libraries' headers stay SYSTEM and are not judged.
add_library(trestle_warnings INTERFACE)
target_compile_options(trestle_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

# Sanitizers apply to everything, so that no half-instrumented object slips in.
if(TRESTLE_SANITIZE)
  add_compile_options(-fsanitize=${TRESTLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRESTLE_SANITIZE})
  if(TRESTLE_SANITIZE MATCHES thread)
    add_compile_options(-Wno-tsan)  # Asio's fences, which the sanitizer does not model; what they order is under mutexes too
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented code misleads GCC 12 about std::regex and replaced operators; the other builds judge both.
    add_compile_options(-Wno-maybe-uninitialized -Wno-mismatched-new-delete)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options(-fsanitize-ignorelist=${CMAKE_CURRENT_LIST_DIR}/sanitizer_ignore.txt)
  endif()
endif()
# What a fuzz target calls must report which way it went; the targets themselves link libFuzzer (tests/fuzz).
if(TRESTLE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
