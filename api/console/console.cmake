# The console's part of the build: its packages from npm as the lock file names them, its bundle, the C source with it.
# Where npm, node or the registry is missing the binary is made without the console, and / says so. Packages are
# fetched once for all presets, into node_modules beside this file (git ignores it).
find_program(HT_NODE node)
find_program(HT_NPM npm)
set(console_dir ${CMAKE_CURRENT_SOURCE_DIR}/console)
set(console_out ${CMAKE_CURRENT_BINARY_DIR}/console)
set(console_stamp ${console_dir}/node_modules/.houtao)
option(HT_CONSOLE "the console in the binary, where npm gives what it is made of" ON)
file(MAKE_DIRECTORY ${console_out})

# Whether the packages are there as the lock file wants them; fetches them where they are not.
function(console_packages result)
  set(${result} OFF PARENT_SCOPE)
  if(NOT HT_CONSOLE)
    message(STATUS "console: left out (HT_CONSOLE is OFF)")
    return()
  endif()
  if(NOT HT_NODE OR NOT HT_NPM)
    message(STATUS "console: left out, since node or npm is not installed (packages nodejs and npm)")
    return()
  endif()
  file(LOCK ${console_dir} DIRECTORY GUARD FUNCTION TIMEOUT 600 RESULT_VARIABLE locked) # two presets at once
  file(SHA256 ${console_dir}/package-lock.json wanted)
  set(have "")
  if(EXISTS ${console_stamp})
    file(READ ${console_stamp} have)
  endif()
  if(NOT have STREQUAL wanted)
    message(STATUS "console: fetching what package-lock.json names")
    execute_process(COMMAND ${HT_NPM} ci --ignore-scripts --no-audit --no-fund --no-progress
      WORKING_DIRECTORY ${console_dir} OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE code TIMEOUT 600)
    if(NOT code EQUAL 0)
      message(STATUS "console: left out, since npm could not fetch its packages; configure again with a network. npm says:\n${said}")
      return()
    endif()
    file(WRITE ${console_stamp} ${wanted})
  endif()
  set(${result} ON PARENT_SCOPE)
endfunction()

console_packages(console_there)
set(HT_CONSOLE_BUILT ${console_there} CACHE INTERNAL "whether the binary has the console")
if(console_there)
  # Which modules there are is said by the modules themselves, where they import each other.
  file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS ${console_dir}/src/*)
  add_custom_command(OUTPUT ${console_out}/console_files.c
    COMMAND ${HT_NODE} ${console_dir}/build.mjs ${console_out}
    DEPENDS ${console_sources} ${console_dir}/build.mjs ${console_stamp} VERBATIM)
else()
  file(CONFIGURE OUTPUT ${console_out}/no_console_files.c CONTENT
"#include \"api/embedded.h\"
const struct ht_console_file ht_console_files[] = {{\"\", \"\", \"\", false, 0, NULL, 0}};
const size_t ht_console_file_count = 0;
" @ONLY)
endif()
if(console_there)
  target_sources(ht_api PRIVATE ${console_out}/console_files.c)
else()
  target_sources(ht_api PRIVATE ${console_out}/no_console_files.c)
endif()
