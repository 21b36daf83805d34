# The C interface, capi/*.cc on top of all stages, in the two forms that programs link:
#
#   libhone.so  exports what capi/hone.symbols lists and nothing else
#   libhone.a   one object that holds hone and everything it needs but libstdc++ and libc; all names but those of the
#               list are local to it, so it links beside whatever a program brings (its own TBB, zlib, Rust library or a
#               class of the same name). Made where TBB, Highway and zlib are there as static libraries.
file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/capi/*.cc")
get_property(stages GLOBAL PROPERTY HONE_STAGES)
hone_sources(together capi "${CMAKE_SOURCE_DIR}/capi" ${sources})
add_library(hone_capi OBJECT ${together})
target_include_directories(hone_capi PRIVATE "${CMAKE_SOURCE_DIR}/capi")
target_link_libraries(hone_capi PUBLIC hone_flags ${stages})
target_include_directories(hone_capi PUBLIC "${CMAKE_SOURCE_DIR}/capi/include")

if(HONE_SANITIZE OR HONE_FUZZ)
  return() # such builds are for tests, which link hone_capi
endif()

# The list of symbols, as a version script and as names to keep.
set(HONE_SYMBOLS "${CMAKE_SOURCE_DIR}/capi/hone.symbols")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${HONE_SYMBOLS}")
file(STRINGS "${HONE_SYMBOLS}" symbols REGEX "^hone_")
list(TRANSFORM symbols REPLACE " .*" "")
list(JOIN symbols "; " globals)
list(JOIN symbols "\n" keep)
set(HONE_ABI "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
set(version_script "${CMAKE_BINARY_DIR}/hone.map")
set(keep_list "${CMAKE_BINARY_DIR}/hone.keep")
file(CONFIGURE OUTPUT "${version_script}" CONTENT "HONE_${HONE_ABI} { global: ${globals}; local: *; };\n" @ONLY)
file(CONFIGURE OUTPUT "${keep_list}" CONTENT "${keep}\n" @ONLY)

# hone_shared_library(NAME FOLDER SOURCE...): libhone.so in FOLDER of the build folder.
#
# A process must not unload it while TBB's threads are in its code: hence nodelete. What a static TBB looks for as weak
# symbols (below) is not to be found in the program: hence nodynamic-undefined-weak.
function(hone_shared_library name folder)
  add_library(${name} SHARED ${ARGN})
  target_link_libraries(${name} PRIVATE hone_flags ${stages})
  target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}/capi/include"
    INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  target_link_options(${name} PRIVATE "-Wl,--version-script=${version_script}" -Wl,--exclude-libs,ALL
    -Wl,--no-undefined -Wl,--gc-sections -Wl,-z,nodelete -Wl,-z,nodynamic-undefined-weak)
  set_target_properties(${name} PROPERTIES OUTPUT_NAME hone EXPORT_NAME hone
    VERSION "${PROJECT_VERSION}" SOVERSION "${HONE_ABI}" LINK_DEPENDS "${version_script}"
    LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${folder}" INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()
hone_shared_library(hone_shared lib $<TARGET_OBJECTS:hone_capi>)

# The same with debugging information of the interface, for scripts/abi to read.
hone_shared_library(hone_abi abi ${together})
target_include_directories(hone_abi PRIVATE "${CMAKE_SOURCE_DIR}/capi")
target_compile_options(hone_abi PRIVATE -g -O0)
set_target_properties(hone_abi PROPERTIES EXCLUDE_FROM_ALL ON)

# What libhone.a needs: the static files of its dependencies.
find_library(HONE_ZLIB_STATIC libz.a)
get_target_property(tbb_type TBB::tbb TYPE)
set(missing "")
if(NOT tbb_type STREQUAL "STATIC_LIBRARY")
  list(APPEND missing "a static TBB")
endif()
if(NOT HONE_HWY_LIBRARY MATCHES "\\.a$")
  list(APPEND missing "libhwy.a")
endif()
if(NOT HONE_ZLIB_STATIC)
  list(APPEND missing "libz.a")
endif()
if(missing)
  list(JOIN missing ", " missing)
  message(STATUS "No libhone.a: not found: ${missing} (scripts/build --package makes them)")
  return()
endif()

# Groups of sections that a program has too must go before names become local, or the linker would drop ours for the
# program's: hence --force-group-allocation. Unique symbols cannot be made local by GNU objcopy: none may be there
# (-fno-gnu-unique, also for TBB and Highway); tests/package/package.sh finds them. Rust's standard library carries LLVM
# bitcode, which is of no use here and trips tools of another LLVM.
#
# What TBB would use if it were there (its allocator, its helper for NUMA) it looks for as weak symbols, and would take a
# program's function of that name for it: here it asks for names that nobody has.
set(optional __RML_open_factory __RML_close_factory __TBB_make_rml_server __TBB_call_with_my_server_info
  scalable_malloc scalable_free scalable_aligned_malloc scalable_aligned_free)
foreach(name initialize_system_topology destroy_system_topology allocate_binding_handler deallocate_binding_handler
             apply_affinity restore_affinity get_default_concurrency)
  list(APPEND optional "__TBB_internal_${name}")
endforeach()
list(TRANSFORM optional REPLACE "(.+)" "\\1 hone_absent_\\1")
list(JOIN optional "\n" renamed)
set(rename_list "${CMAKE_BINARY_DIR}/hone.rename")
file(CONFIGURE OUTPUT "${rename_list}" CONTENT "${renamed}\n" @ONLY)

set(HONE_STATIC_LIBRARY "${CMAKE_BINARY_DIR}/lib/libhone.a")
set(object "${CMAKE_BINARY_DIR}/lib/hone.o")
list(TRANSFORM stages REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
add_custom_command(
  OUTPUT "${HONE_STATIC_LIBRARY}"
  COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${object}" $<TARGET_OBJECTS:hone_capi>
          --start-group ${archives} "${HONE_TOKENIZERS_LIB}" $<TARGET_FILE:TBB::tbb> "${HONE_HWY_LIBRARY}" "${HONE_ZLIB_STATIC}"
          --end-group
  COMMAND "${CMAKE_OBJCOPY}" "--redefine-syms=${rename_list}" "${object}"
  COMMAND "${CMAKE_OBJCOPY}" "--keep-global-symbols=${keep_list}" --remove-section=.llvmbc --remove-section=.llvmcmd
          "${object}"
  COMMAND "${CMAKE_COMMAND}" -E rm -f "${HONE_STATIC_LIBRARY}"
  COMMAND "${CMAKE_AR}" rcs "${HONE_STATIC_LIBRARY}" "${object}"
  DEPENDS hone_capi $<TARGET_OBJECTS:hone_capi> ${stages} "${HONE_TOKENIZERS_LIB}" "${keep_list}"
  COMMENT "Linking libhone.a"
  COMMAND_EXPAND_LISTS VERBATIM)
add_custom_target(hone_static ALL DEPENDS "${HONE_STATIC_LIBRARY}")
