# Flags of our own code and the one way to declare a library or a test program.
add_library(hone_flags INTERFACE)
# What is not the C interface is nobody else's, and a program drops what it does not use.
target_compile_options(hone_flags INTERFACE -Wall -Wextra -Werror -Wshadow -Wno-missing-field-initializers
  -ffp-contract=off -fvisibility=hidden -fvisibility-inlines-hidden -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns of overlapping copies inside std::string that cannot happen (its bug 105651).
  # Unique symbols would not stay apart in a static archive.
  target_compile_options(hone_flags INTERFACE -Wno-restrict -fno-gnu-unique)
endif()
target_include_directories(hone_flags INTERFACE "${CMAKE_SOURCE_DIR}/core")
target_compile_definitions(hone_flags INTERFACE HONE_VERSION="${PROJECT_VERSION}")
if(HONE_SANITIZE)
  target_compile_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(hone_flags INTERFACE -fsanitize=${HONE_SANITIZE})
endif()

# With HONE_FUZZ the readers of foreign files are built for libFuzzer to follow, and count the lines that are reached
# (scripts/coverage): one build serves the tests under AddressSanitizer, the fuzz targets and coverage.
if(HONE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR NOT HONE_SANITIZE MATCHES "address")
    message(FATAL_ERROR "HONE_FUZZ needs clang and HONE_SANITIZE=address,undefined: see the preset asan")
  endif()
  target_link_options(hone_flags INTERFACE -fprofile-instr-generate)
endif()

# hone_library(NAME [READER] [DEPENDS stage...] [LINK target...] [EXCLUDE folder...]): all .cc below core/NAME as the
# static library hone_NAME, which is also noted in the global property HONE_STAGES. READER: it reads foreign files.
function(hone_library name)
  cmake_parse_arguments(ARG "READER" "" "DEPENDS;LINK;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/core/${name}/*.cc")
  foreach(folder IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/core/${name}/${folder}/")
  endforeach()
  hone_sources(sources ${name} "${CMAKE_SOURCE_DIR}/core" ${sources})
  add_library(hone_${name} STATIC ${sources})
  if(HONE_FUZZ AND ARG_READER)
    target_compile_options(hone_${name} PRIVATE -fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping)
  endif()
  set_property(GLOBAL APPEND PROPERTY HONE_STAGES hone_${name})
  target_link_libraries(hone_${name} PUBLIC hone_flags ${ARG_LINK})
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(hone_${name} PUBLIC hone_${dependency})
  endforeach()
endfunction()

# hone_test(NAME LINK target... [LABELS label...] [PLACES NAME=VALUE...]): all .cc below tests/NAME as one GoogleTest
# program, run by ctest. Where things lie is told by constants (tests/places.h) in a small file of the program's own, not by
# definitions on the command line of the compiler: objects are the same in any folder.
function(hone_test name)
  cmake_parse_arguments(ARG "" "" "LINK;LABELS;PLACES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc")
  list(FILTER sources EXCLUDE REGEX "_module\\.cc$") # a shared library that the tests open
  hone_sources(sources test_${name} "${CMAKE_SOURCE_DIR}" ${sources})
  set(places "${CMAKE_CURRENT_BINARY_DIR}/places_${name}.cc")
  set(text "#include \"tests/places.h\"\nnamespace hone::testing {\n")
  foreach(place IN LISTS ARG_PLACES ITEMS "kFixtures=${CMAKE_SOURCE_DIR}/tests/fixtures" "kSourceFolder=${CMAKE_SOURCE_DIR}")
    string(REGEX REPLACE "^([^=]+)=(.*)$" "const char* const \\1 = R\"(\\2)\";\n" line "${place}")
    string(APPEND text "${line}")
  endforeach()
  file(GENERATE OUTPUT "${places}" CONTENT "${text}}  // namespace hone::testing\n")
  add_executable(test_${name} ${sources} "${places}")
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE "${CMAKE_SOURCE_DIR}")
  target_compile_options(test_${name} PRIVATE -O1)
  if(HONE_SANITIZE)
    target_compile_definitions(test_${name} PRIVATE HONE_SANITIZED)
  endif()
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 900)
  hone_count_lines(${name} "${ARG_LABELS}")
endfunction()

# hone_count_lines(TEST LABELS): with HONE_FUZZ, where the test writes which lines it has run: beside those of all others
# where it is labelled `coverage`, else nowhere.
function(hone_count_lines test labels)
  set(profile /dev/null)
  if("coverage" IN_LIST labels)
    set(profile "${CMAKE_BINARY_DIR}/coverage/${test}.profraw")
  endif()
  if(HONE_FUZZ)
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "LLVM_PROFILE_FILE=${profile}")
  endif()
endfunction()
