# SPDX-License-Identifier: MIT
# Takes the scripts out of the packages that CPack made. CPack lets each package with a library call
# ldconfig at its installation, and knows nothing of the trigger (cmake/debian/triggers), which does
# so once for all packages. CPack runs this.
cmake_minimum_required(VERSION 3.25)

foreach(package IN LISTS CPACK_PACKAGE_FILES)
  set(folder "${CPACK_TEMPORARY_DIRECTORY}/unpacked")
  file(REMOVE_RECURSE "${folder}")
  execute_process(COMMAND dpkg-deb --raw-extract "${package}" "${folder}"
    COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE "${folder}/DEBIAN/postinst" "${folder}/DEBIAN/postrm")
  execute_process(COMMAND dpkg-deb --root-owner-group --build "${folder}" "${package}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
endforeach()
