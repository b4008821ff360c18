# trestle_warnings: linked PRIVATE by every target of ours; libraries' headers stay SYSTEM and are not judged.
add_library(trestle_warnings INTERFACE)
target_compile_options(trestle_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror)

# Sanitizers apply to everything, so that no half-instrumented object slips in.
if(TRESTLE_SANITIZE)
  add_compile_options(-fsanitize=${TRESTLE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TRESTLE_SANITIZE})
endif()
