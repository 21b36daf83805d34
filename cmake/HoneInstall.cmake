# What `cmake --install` puts where: the command, its documentation, and the licences of all it is linked with.
# The command finds TBB where it was linked from, unless the system's own folders have it.
set_target_properties(hone PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS hone RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")

set(HONE_INSTALL_DOCDIR "${CMAKE_INSTALL_DATAROOTDIR}/doc/hone")
install(FILES README.md CHANGELOG.md LICENSE DESTINATION "${HONE_INSTALL_DOCDIR}")
install(DIRECTORY docs/ DESTINATION "${HONE_INSTALL_DOCDIR}" FILES_MATCHING PATTERN "*.md")
install(FILES third_party/README.md DESTINATION "${HONE_INSTALL_DOCDIR}/licenses")
install(DIRECTORY third_party/licences/ DESTINATION "${HONE_INSTALL_DOCDIR}/licenses" FILES_MATCHING PATTERN "*.txt")
