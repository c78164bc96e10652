# Read by cpack when it makes a package: the version tells commits apart, and a later one is a newer package, so that
# apt takes it as an upgrade.
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${CPACK_HOUTAO_SOURCE} log -1 --format=%cd.%h --date=format-local:%Y%m%d%H%M%S
    RESULT_VARIABLE code OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(code EQUAL 0)
    set(CPACK_PACKAGE_VERSION "${CPACK_PACKAGE_VERSION}+${commit}")
  endif()
endif()
