# Checks the types of the console's modules. Usage: cmake -DNODE=PROGRAM -DDIR=api/console -P types.cmake
cmake_minimum_required(VERSION 3.22)
if(NOT NODE OR NOT EXISTS ${DIR}/node_modules/typescript/bin/tsc)
  message("SKIP: TypeScript is not installed")
  return()
endif()
execute_process(COMMAND ${NODE} ${DIR}/node_modules/typescript/bin/tsc --noEmit -p ${DIR}
  RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
message("${said}")
if(NOT code EQUAL 0)
  message(FATAL_ERROR "the console's modules do not fit each other")
endif()
