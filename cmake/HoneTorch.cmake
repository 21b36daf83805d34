# The libtorch plugin, libhone_torch.so: built where libtorch is found, a hone without it works as before.
#
# libtorch is looked for below CMAKE_PREFIX_PATH in the layouts of its archive (PREFIX/include), of the Python wheel
# (PREFIX/torch/include) and of what torch.utils.cmake_prefix_path names (PREFIX/../../include). Only torch_cpu and c10
# are linked, so neither a CUDA toolkit nor libtorch's own CMake package, which asks for one, is needed.
set(HONE_TORCH AUTO CACHE STRING "The libtorch plugin: AUTO (where libtorch is found), ON, OFF")

# What a program and a plugin must have in common: the sources of what crosses between them, version and compiler.
set(HONE_PLUGIN_SOURCES graph.h graph.cc dropout.h plugin/table.h plugin/plugin_engine.cc torch/export.cc)
set(hone_plugin_text "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")
foreach(file IN LISTS HONE_PLUGIN_SOURCES)
  set(path "${CMAKE_SOURCE_DIR}/core/compute/${file}")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${path}")
  file(SHA256 "${path}" hash)
  string(APPEND hone_plugin_text " ${hash}")
endforeach()
string(SHA256 hone_plugin_hash "${hone_plugin_text}")
string(SUBSTRING "${hone_plugin_hash}" 0 12 hone_plugin_hash)
set(HONE_PLUGIN_BUILD "${PROJECT_VERSION}-${hone_plugin_hash}")
target_compile_definitions(hone_compute PRIVATE
  HONE_PLUGIN_BUILD="${HONE_PLUGIN_BUILD}" HONE_INSTALL_LIBDIR="${CMAKE_INSTALL_LIBDIR}")
target_link_libraries(hone_compute PUBLIC ${CMAKE_DL_LIBS})

if(HONE_TORCH STREQUAL "OFF" OR HONE_SANITIZE)
  return() # libtorch is not built with sanitizers
endif()

find_path(HONE_TORCH_INCLUDE ATen/ATen.h PATH_SUFFIXES torch/include ../../include)
# The libraries are those beside the headers, never another libtorch's.
get_filename_component(libraries "${HONE_TORCH_INCLUDE}/../lib" REALPATH)
set(torch_cpu "${libraries}/libtorch_cpu.so")
set(torch_c10 "${libraries}/libc10.so")
set(version_header "${HONE_TORCH_INCLUDE}/torch/headeronly/version.h")
set(problem "")
if(NOT HONE_TORCH_INCLUDE)
  set(problem "libtorch is not on CMAKE_PREFIX_PATH")
elseif(NOT EXISTS "${torch_cpu}" OR NOT EXISTS "${torch_c10}")
  set(problem "${libraries} lacks libtorch_cpu.so or libc10.so")
elseif(NOT EXISTS "${version_header}")
  set(problem "libtorch in ${HONE_TORCH_INCLUDE} is older than 2.11")
else()
  file(READ "${version_header}" text)
  string(REGEX MATCH "TORCH_VERSION_MAJOR ([0-9]+)" match "${text}")
  set(version "${CMAKE_MATCH_1}")
  string(REGEX MATCH "TORCH_VERSION_MINOR ([0-9]+)" match "${text}")
  string(APPEND version ".${CMAKE_MATCH_1}")
  string(REGEX MATCH "TORCH_VERSION_PATCH ([0-9]+)" match "${text}")
  string(APPEND version ".${CMAKE_MATCH_1}")
  if(version VERSION_LESS 2.11 OR version VERSION_GREATER_EQUAL 2.16)
    set(problem "libtorch ${version} in ${HONE_TORCH_INCLUDE}: 2.11 to 2.15 expected")
  endif()
endif()
if(problem)
  if(HONE_TORCH STREQUAL "ON")
    message(FATAL_ERROR "${problem}")
  endif()
  message(STATUS "No libtorch plugin: ${problem}")
  return()
endif()
message(STATUS "libtorch plugin with libtorch ${version}")

file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/core/compute/torch/*.cc")
add_library(hone_torch SHARED ${sources} "${CMAKE_SOURCE_DIR}/core/compute/graph.cc")
target_link_libraries(hone_torch PRIVATE hone_flags hone_base "${torch_cpu}" "${torch_c10}" ${CMAKE_DL_LIBS})
target_include_directories(hone_torch SYSTEM PRIVATE
  "${HONE_TORCH_INCLUDE}" "${HONE_TORCH_INCLUDE}/torch/csrc/api/include")
target_compile_definitions(hone_torch PRIVATE
  HONE_PLUGIN_BUILD="${HONE_PLUGIN_BUILD}" TORCH_VERSION_TEXT="${version}")
# One symbol is exported; what is linked in stays inside.
set_target_properties(hone_torch PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib" INSTALL_RPATH_USE_LINK_PATH ON)
target_link_options(hone_torch PRIVATE -Wl,--exclude-libs,ALL -Wl,--no-undefined)
install(TARGETS hone_torch LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
