# Several sources compiled as one: most of the time a compiler takes here goes into headers and templates that the files
# of a folder share, and a build of everything takes a third of it.
#
# CMake's own unity build writes absolute paths into the files it makes, so that two checkouts share no objects; these
# name their sources relative to an include folder.
option(HONE_UNITY "Compile several sources at once: faster as a whole, slower after an edit" ON)

# hone_sources(OUT NAME BASE SOURCE...): the list OUT of what is to be compiled for the target NAME: files of at most ten
# of the sources each, which lie below BASE, an include folder of the target. Sources with flags of their own (a property
# HONE_ALONE) stay as they are.
function(hone_sources out name base)
  if(NOT HONE_UNITY)
    set(${out} "${ARGN}" PARENT_SCOPE)
    return()
  endif()
  set(alone "")
  set(together "")
  foreach(source IN LISTS ARGN)
    get_source_file_property(is_alone "${source}" HONE_ALONE)
    if(is_alone)
      list(APPEND alone "${source}")
    else()
      list(APPEND together "${source}")
    endif()
  endforeach()
  list(LENGTH together count)
  math(EXPR files "(${count} + 9) / 10")
  set(index 0)
  foreach(source IN LISTS together)
    file(RELATIVE_PATH path "${base}" "${source}")
    math(EXPR file "${index} * ${files} / ${count}")
    string(APPEND text_${file} "#include \"${path}\"\n")
    math(EXPR index "${index} + 1")
  endforeach()
  if(count EQUAL 1)
    list(APPEND alone ${together})
  else()
    foreach(file RANGE 1 ${files})
      math(EXPR file "${file} - 1")
      set(made "${CMAKE_BINARY_DIR}/unity/${name}_${file}.cc")
      file(CONFIGURE OUTPUT "${made}" CONTENT "${text_${file}}" @ONLY)
      list(APPEND alone "${made}")
    endforeach()
  endif()
  set(${out} "${alone}" PARENT_SCOPE)
endfunction()
