# Installs the clients into node_modules beside this file, when they are not there as the lock file wants them.
# Usage: cmake -DNPM=PROGRAM -P install.cmake
cmake_minimum_required(VERSION 3.22)
include(${CMAKE_CURRENT_LIST_DIR}/packages.cmake)
npm_packages(${CMAKE_CURRENT_LIST_DIR} "${NPM}")
