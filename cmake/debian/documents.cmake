# SPDX-License-Identifier: MIT
# Gives the folder of each package, before it is packed, the documents that Debian wants: copyright,
# both changelogs, and compressed pages. CPack runs this.
cmake_minimum_required(VERSION 3.25)

function(debian_run)
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE output OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY)
  set(output "${output}" PARENT_SCOPE)
endfunction()

# The heading of the version in CHANGELOG.md has the date: "## 1.0.0 (2026-11-27)".
file(STRINGS "${CPACK_BUFPOOL_SOURCE_DIR}/CHANGELOG.md" heading REGEX "^## " LIMIT_COUNT 1)
string(REPLACE "." "\\." version "${CPACK_DEBIAN_PACKAGE_VERSION}")
if(NOT heading MATCHES "^## ${version} \\(([0-9-]+)\\)$")
  message(FATAL_ERROR "CHANGELOG.md begins with '${heading}', which is not of this version")
endif()
debian_run(env LC_ALL=C date --utc -R -d "${CMAKE_MATCH_1}")
set(date "${output}")

# The format of Debian's copyright file indents the license, and marks its empty lines.
file(READ "${CPACK_BUFPOOL_SOURCE_DIR}/LICENSE" license)
string(REGEX REPLACE "^.*\n(Permission is hereby)" "\\1" license "${license}")
string(STRIP "${license}" license)
string(REGEX REPLACE "\n\n" "\n.\n" license "${license}")
string(REGEX REPLACE "\n" "\n " license " ${license}")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER "${component}" upper)
  set(root "${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX}")
  set(folder "${root}/share/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  if(EXISTS "${root}/${CPACK_BUFPOOL_DOCDIR}")
    file(RENAME "${root}/${CPACK_BUFPOOL_DOCDIR}" "${folder}")
  endif()
  file(MAKE_DIRECTORY "${folder}")
  file(REMOVE "${folder}/LICENSE" "${folder}/CHANGELOG.md")
  configure_file("${CMAKE_CURRENT_LIST_DIR}/copyright.in" "${folder}/copyright" @ONLY)
  configure_file("${CMAKE_CURRENT_LIST_DIR}/changelog.in" "${folder}/changelog.Debian" @ONLY)
  configure_file("${CPACK_BUFPOOL_SOURCE_DIR}/CHANGELOG.md" "${folder}/changelog" COPYONLY)
  file(GLOB pages "${root}/share/man/man*/*.[1-9]")
  set(packed "${folder}/changelog.Debian" "${folder}/changelog" ${pages})
  file(CHMOD "${folder}/copyright" ${packed}
    PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  debian_run(gzip -9nf ${packed})
endforeach()
