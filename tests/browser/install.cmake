# Installs what drives the browser into node_modules beside this file, when it is not there as the lock file wants it.
# Usage: cmake -DNPM=PROGRAM -DCHROMIUM=PROGRAM -DCONSOLE=ON|OFF -P install.cmake
cmake_minimum_required(VERSION 3.22)
if(NOT CONSOLE)
  message("SKIP: the binary was built without the console")
  return()
endif()
if(NOT CHROMIUM)
  message("SKIP: chromium is not installed")
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/../clients/packages.cmake)
npm_packages(${CMAKE_CURRENT_LIST_DIR} "${NPM}")
