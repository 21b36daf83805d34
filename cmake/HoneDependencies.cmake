# Every dependency, found by name. Where they lie is the caller's business (CMAKE_PREFIX_PATH); scripts/deps fills a
# prefix for people who have none.
find_package(Threads REQUIRED)
find_package(TBB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(cxxopts REQUIRED)
find_package(ZLIB REQUIRED)

# Highway by its header and library: not every version of it brings a CMake package that names them.
find_path(HONE_HWY_INCLUDE hwy/highway.h REQUIRED)
find_library(HONE_HWY_LIBRARY hwy REQUIRED)
add_library(hwy::hwy UNKNOWN IMPORTED)
set_target_properties(hwy::hwy PROPERTIES IMPORTED_LOCATION "${HONE_HWY_LIBRARY}"
  INTERFACE_INCLUDE_DIRECTORIES "${HONE_HWY_INCLUDE}")

# The tokenizers crate behind a few C functions, built by cargo into a static library (always optimised: sanitizers and
# debug builds of our own code share one build of it).
find_program(HONE_CARGO cargo REQUIRED)
set(HONE_CARGO_TARGET_DIR "${CMAKE_BINARY_DIR}/cargo" CACHE PATH "Where cargo builds; may be shared by build folders")
set(HONE_TOKENIZERS_DIR "${CMAKE_SOURCE_DIR}/core/text/ffi")
set(HONE_TOKENIZERS_LIB "${HONE_CARGO_TARGET_DIR}/release/libhone_tokenizers.a")
file(GLOB HONE_TOKENIZERS_SOURCES CONFIGURE_DEPENDS "${HONE_TOKENIZERS_DIR}/src/*.rs" "${HONE_TOKENIZERS_DIR}/Cargo.*")
add_custom_command(
  OUTPUT "${HONE_TOKENIZERS_LIB}"
  COMMAND "${HONE_CARGO}" build --release --locked --quiet --manifest-path "${HONE_TOKENIZERS_DIR}/Cargo.toml"
          --target-dir "${HONE_CARGO_TARGET_DIR}"
  DEPENDS ${HONE_TOKENIZERS_SOURCES}
  COMMENT "Building the tokenizers library"
  VERBATIM)
add_custom_target(hone_tokenizers_build DEPENDS "${HONE_TOKENIZERS_LIB}")
add_library(hone_tokenizers INTERFACE)
add_dependencies(hone_tokenizers hone_tokenizers_build)
target_link_libraries(hone_tokenizers INTERFACE "${HONE_TOKENIZERS_LIB}" Threads::Threads ${CMAKE_DL_LIBS} m)
