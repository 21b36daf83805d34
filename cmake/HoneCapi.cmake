file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/capi/*.cc")
add_library(hone_capi STATIC ${sources})
target_include_directories(hone_capi PUBLIC "${CMAKE_SOURCE_DIR}/capi/include")
target_link_libraries(hone_capi PUBLIC hone_train PRIVATE nlohmann_json::nlohmann_json)
