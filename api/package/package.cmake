# What an operator gets: the manual with every installation; with Debian's package also the service, its configuration,
# the timer that copies the store, and what is done when it is installed and removed. `cpack` in a build folder makes
# houtao_VERSION_ARCH.deb.
include(GNUInstallDirs)
set(package_dir ${CMAKE_CURRENT_LIST_DIR})
find_program(HT_GZIP gzip REQUIRED)

# Without a name and a time in it, so that the same sources make the same package.
function(ht_gzip input name)
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/package/${name}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/package
    COMMAND sh -c "'${HT_GZIP}' -9nc '${input}' > '${PROJECT_BINARY_DIR}/package/${name}'"
    DEPENDS ${input} VERBATIM)
endfunction()
ht_gzip(${package_dir}/houtao.1 houtao.1.gz)
ht_gzip(${PROJECT_SOURCE_DIR}/CHANGELOG.md CHANGELOG.md.gz)
set(package_files ${PROJECT_BINARY_DIR}/package/houtao.1.gz ${PROJECT_BINARY_DIR}/package/CHANGELOG.md.gz)
if(HT_CONSOLE_BUILT)
  set(console_licences ${PROJECT_BINARY_DIR}/package/console-licences.txt)
  add_custom_command(OUTPUT ${console_licences}
    COMMAND ${CMAKE_COMMAND} -DMODULES=${PROJECT_SOURCE_DIR}/api/console/node_modules -DOUT=${console_licences}
      -P ${package_dir}/licences.cmake
    DEPENDS ${package_dir}/licences.cmake ${PROJECT_SOURCE_DIR}/api/console/package-lock.json VERBATIM)
  ht_gzip(${console_licences} console-licences.txt.gz)
  list(APPEND package_files ${console_licences}.gz)
  install(FILES ${console_licences}.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
endif()
add_custom_target(ht_package_files ALL DEPENDS ${package_files})
# `./run build` makes the binary alone; whoever has that has the manual, too.
add_dependencies(houtao ht_package_files)

install(FILES ${PROJECT_BINARY_DIR}/package/houtao.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_BINARY_DIR}/package/CHANGELOG.md.gz
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${package_dir}/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Debian has the text of the licence already.
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT licence)
# The same service for one of several nodes: houtao@NAME reads /etc/houtao/NAME.conf.
file(READ ${package_dir}/houtao.service unit)
string(REPLACE "Description=Houtao, dispatch and routing for a town" "Description=Houtao, the node %i" unit "${unit}")
string(REPLACE "/etc/houtao/houtao.conf" "/etc/houtao/%i.conf" unit "${unit}")
file(WRITE ${PROJECT_BINARY_DIR}/package/houtao@.service "${unit}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${package_dir}/houtao.service)
# The component `service` is for the package alone: `cmake --install` changes no /etc.
install(FILES ${package_dir}/houtao.service ${package_dir}/houtao-backup.service ${package_dir}/houtao-backup.timer
  ${PROJECT_BINARY_DIR}/package/houtao@.service DESTINATION lib/systemd/system COMPONENT service EXCLUDE_FROM_ALL)
install(FILES ${package_dir}/houtao.conf DESTINATION /etc/houtao COMPONENT service EXCLUDE_FROM_ALL)

# Libraries that are linked are read from the binary (dpkg-shlibdeps); those that it loads later are named by
# geodata/. adduser makes the service's user, tzdata has the clocks of towns elsewhere than in China.
get_property(late_packages GLOBAL PROPERTY HT_LATE_PACKAGES)
list(JOIN late_packages ", " late_packages)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, tzdata, ${late_packages}")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, systemd")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the Houtao authors <houtao@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "dispatch and routing engine for a town")
set(CPACK_PACKAGE_DESCRIPTION
"Houtao knows the streets of a town and everything that moves on them, and
answers in microseconds who can be there first, by which streets, at what
time. It reads an OpenStreetMap extract and serves exact routes, tables,
matched traces and vector tiles over the OSRM API; it keeps households, grid
cells, factories and units over OGC API - Features; it sends the responder
who is there first to an alarm, plans the vans that bring meals, and the
rounds of inspectors.

The package sets up a hardened service and a nightly copy of its store.")
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PROJECT_CONFIG_FILE ${package_dir}/version.cmake)
set(CPACK_HOUTAO_SOURCE ${PROJECT_SOURCE_DIR})
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${package_dir}/postinst ${package_dir}/prerm ${package_dir}/postrm
  ${package_dir}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# One package of all that is installed, and of the service.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_COMPONENTS_ALL Unspecified service)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)
include(CPack)
