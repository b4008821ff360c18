# trestle_embed(<target> <folder> <file>...): compiles the files into <target> as trestle::embedded_files().
# The generated source is remade whenever a file changes; no external tool is needed.
function(trestle_embed target folder)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded_files.cpp)
  set(paths "")
  foreach(file ${ARGN})
    list(APPEND paths ${folder}/${file})
  endforeach()
  list(JOIN ARGN "," names)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -D OUT=${out} -D FOLDER=${folder} -D NAMES=${names}
            -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out})
endfunction()
