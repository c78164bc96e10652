# Builds a house with every kind of breach and checks that layers.cmake names each of them, and that the same
# house without them passes. Usage: cmake -DWORK=DIR -P layers_refuse.cmake
cmake_minimum_required(VERSION 3.22)
set(checker "${CMAKE_CURRENT_LIST_DIR}/layers.cmake")
file(REMOVE_RECURSE "${WORK}")
file(WRITE "${WORK}/engine/CMakeLists.txt" "add_library(e base/good.c road/bad.c plan/bad.c)")
file(WRITE "${WORK}/engine/base/good.h" "/* prints nothing */\n")
file(WRITE "${WORK}/engine/base/good.c" "#include \"engine/base/good.h\"\n#include <stdio.h>\nint x = snprintf(0);\n")
file(WRITE "${WORK}/geodata/CMakeLists.txt" "add_library(g good.c)")
file(WRITE "${WORK}/geodata/good.c" "#include \"engine/base/good.h\"\n#include <sqlite3.h>\n")
file(WRITE "${WORK}/geodata/good.h" "")
execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -P "${checker}" RESULT_VARIABLE code ERROR_VARIABLE said)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "a clean house was refused:\n${said}")
endif()

string(REPEAT "int y;\n" 1001 long)
file(WRITE "${WORK}/engine/road/bad.c" "#include \"geodata/good.h\"\n#include <sys/socket.h>\nvoid f(void) { printf(\"x\"); }\n")
file(WRITE "${WORK}/engine/plan/bad.c" "#include \"engine/road/bad.h\"\n#include \"good.h\"\n#include \"engine/base/gone.h\"\n")
file(WRITE "${WORK}/engine/base/unlisted.c" "${long}")
file(WRITE "${WORK}/geodata/good.c" "#include \"api/x.h\"\n")
execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${WORK} -P "${checker}" RESULT_VARIABLE code ERROR_VARIABLE said)
if(code EQUAL 0)
  message(FATAL_ERROR "breaches were not seen")
endif()
foreach(breach IN ITEMS
    "engine/road/bad.c: engine/road may not know geodata/good.h"
    "engine/road/bad.c: engine includes <sys/socket.h>"
    "engine/road/bad.c: engine calls out: void f"
    "engine/plan/bad.c: engine/plan may not know engine/road/bad.h"
    "engine/plan/bad.c: \"good.h\" is not written from the root"
    "engine/plan/bad.c: engine/base/gone.h does not exist"
    "engine/base/unlisted.c: in no CMakeLists.txt"
    "engine/base/unlisted.c: 1001 lines"
    "geodata/good.c: geodata may not know api/x.h"
    "9 breaches")
  string(FIND "${said}" "${breach}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "not seen: ${breach}\n${said}")
  endif()
endforeach()
