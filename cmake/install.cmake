# SPDX-License-Identifier: MIT
# Says what `cmake --install` installs, and where. Each file belongs to a component, of which
# cmake/package.cmake makes a package: library, development or command. A folder that is not there
# is left out.

include(CMakePackageConfigHelpers)

# The file has its whole version, and the link has the name that LD_PRELOAD needs no path for.
# ldconfig makes and looks after such a link only where the file is, in a folder of the loader.
install(TARGETS bufpool LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  COMPONENT library NAMELINK_COMPONENT development)
# The library has a folder of its own, too, with a path that stays the same from version to version.
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/install")
file(CREATE_LINK "../libbufpool.so.${PROJECT_VERSION_MAJOR}"
  "${PROJECT_BINARY_DIR}/install/libbufpool.so" SYMBOLIC)
install(FILES "${PROJECT_BINARY_DIR}/install/libbufpool.so"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/bufpool" COMPONENT library)

install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}"
  COMPONENT library)
install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT library
  PATTERN man EXCLUDE PATTERN fleet EXCLUDE)
install(FILES docs/man/libbufpool.7 DESTINATION "${CMAKE_INSTALL_MANDIR}/man7" COMPONENT library)

# bufpool_install_command() installs the command, with its manual page, its completion, what runs it
# for Prometheus, and what reads its figures there. systemd looks for units in this folder below /usr
# and /usr/local.
function(bufpool_install_command)
  install(TARGETS bufpool_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT command)
  install(FILES docs/man/bufpool.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT command)
  install(FILES cli/completion/bufpool
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" COMPONENT command)
  install(FILES docs/fleet/bufpool-exporter.service docs/fleet/bufpool-exporter.timer
    DESTINATION lib/systemd/system COMPONENT command)
  install(FILES docs/fleet/rules.yml docs/fleet/grafana.json
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bufpool" COMPONENT command)
  install(DIRECTORY docs/fleet/consoles
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bufpool" COMPONENT command)
endfunction()

# bufpool_install_found(<pattern> <destination> <component>) installs the files that are there.
function(bufpool_install_found pattern destination component)
  file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${pattern}")
  if(files)
    install(FILES ${files} DESTINATION "${destination}" COMPONENT ${component})
  endif()
endfunction()
bufpool_install_found("include/bufpool/*.h" "${CMAKE_INSTALL_INCLUDEDIR}/bufpool" development)

# Both say the path to preload by where they are themselves, because `cmake --install --prefix` may
# put them elsewhere than was said before the build.
set(cmake_folder "${CMAKE_INSTALL_LIBDIR}/cmake/bufpool")
configure_package_config_file(cmake/bufpoolConfig.cmake.in
  "${PROJECT_BINARY_DIR}/install/bufpoolConfig.cmake"
  INSTALL_DESTINATION "${cmake_folder}"
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/install/bufpoolConfigVersion.cmake"
  COMPATIBILITY SameMajorVersion)
install(FILES "${PROJECT_BINARY_DIR}/install/bufpoolConfig.cmake"
  "${PROJECT_BINARY_DIR}/install/bufpoolConfigVersion.cmake"
  DESTINATION "${cmake_folder}" COMPONENT development)

# With a libdir of two folders, such as lib/x86_64-linux-gnu, the prefix is one further up.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
  BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE prefix_from_pc)
configure_file(cmake/bufpool.pc.in "${PROJECT_BINARY_DIR}/install/bufpool.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/install/bufpool.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
