# What `cmake --install` puts where: the command, the libraries and packages of the C interface, documentation, and the
# licences of all that is linked.
# The command finds TBB where it was linked from, unless the system's own folders have it.
set_target_properties(hone PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS hone RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

# The C interface: header, libraries, and how pkg-config and CMake find them. Their files name no absolute folder unless
# CMAKE_INSTALL_LIBDIR is one, so a tree may be moved.
if(TARGET hone_shared)
  include(CMakePackageConfigHelpers)
  install(FILES capi/include/hone.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(TARGETS hone_shared EXPORT hone-targets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")

  set(HONE_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/hone")
  install(EXPORT hone-targets NAMESPACE hone:: DESTINATION "${HONE_INSTALL_CMAKEDIR}")
  configure_package_config_file(capi/package/hone-config.cmake.in "${CMAKE_BINARY_DIR}/hone-config.cmake"
    INSTALL_DESTINATION "${HONE_INSTALL_CMAKEDIR}" PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
  write_basic_package_version_file("${CMAKE_BINARY_DIR}/hone-config-version.cmake" COMPATIBILITY SameMinorVersion)
  install(FILES "${CMAKE_BINARY_DIR}/hone-config.cmake" "${CMAKE_BINARY_DIR}/hone-config-version.cmake"
    DESTINATION "${HONE_INSTALL_CMAKEDIR}")

  set(pc_files hone)
  if(TARGET hone_static)
    install(FILES "${HONE_STATIC_LIBRARY}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    list(APPEND pc_files hone-static)
  endif()
  if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(HONE_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
    set(HONE_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(HONE_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
  else()
    file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" up "${up}")
    set(HONE_PC_PREFIX "\${pcfiledir}/${up}")
    set(HONE_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(HONE_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  endif()
  foreach(name IN LISTS pc_files)
    configure_file(capi/package/${name}.pc.in "${CMAKE_BINARY_DIR}/${name}.pc" @ONLY)
    install(FILES "${CMAKE_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
  endforeach()
endif()

set(HONE_INSTALL_DOCDIR "${CMAKE_INSTALL_DATAROOTDIR}/doc/hone")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${HONE_INSTALL_DOCDIR}")
install(DIRECTORY docs/ DESTINATION "${HONE_INSTALL_DOCDIR}" FILES_MATCHING PATTERN "*.md")
install(FILES third_party/README.md DESTINATION "${HONE_INSTALL_DOCDIR}/licenses")
install(DIRECTORY third_party/licences/ DESTINATION "${HONE_INSTALL_DOCDIR}/licenses" FILES_MATCHING PATTERN "*.txt")
