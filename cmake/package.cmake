# SPDX-License-Identifier: MIT
# Says what `cpack -G DEB` makes of the components of cmake/install.cmake. A component without a
# file is no package. scripts/package does all of it.

# Debian's own variables name who makes the package.
set(maintainer "The bufpool authors <bufpool@bufpool.invalid>")
if(DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()

set(CPACK_PACKAGE_NAME bufpool)
set(CPACK_PACKAGE_VENDOR "the bufpool authors")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "pools of buffers for programs that did not ask for them")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SOURCE bufpool)
set(CPACK_DEBIAN_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${maintainer}")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(same_version "(= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME "libbufpool${PROJECT_VERSION_MAJOR}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_MULTIARCH same)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/cmake/debian/triggers")
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"A library to preload. LD_PRELOAD=libbufpool.so.${PROJECT_VERSION_MAJOR} gives an unchanged program
pools for its buffers of 512 bytes to 1 GiB. mimalloc serves all other
requests. Idle memory goes back to the system, misuse of buffers is caught,
and a report comes at exit.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libbufpool-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${CPACK_DEBIAN_LIBRARY_PACKAGE_NAME} ${same_version}")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"What other projects need to find the library that is to be preloaded, files
for CMake and for pkg-config, and the header of its own functions.")

set(CPACK_DEBIAN_COMMAND_PACKAGE_NAME bufpool)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_COMMAND_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_COMMAND_PACKAGE_DEPENDS "${CPACK_DEBIAN_LIBRARY_PACKAGE_NAME} ${same_version}")
set(CPACK_COMPONENT_COMMAND_DESCRIPTION
"The command that runs programs with the library, and shows what it does.")

# What Debian wants of a package, and CPack does not do.
set(CPACK_BUFPOOL_SOURCE_DIR "${PROJECT_SOURCE_DIR}")
set(CPACK_BUFPOOL_DOCDIR "${CMAKE_INSTALL_DOCDIR}")
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/debian/documents.cmake")
set(CPACK_POST_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/debian/scripts.cmake")
get_cmake_property(CPACK_COMPONENTS_ALL COMPONENTS)
include(CPack)
