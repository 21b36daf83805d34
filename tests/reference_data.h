// The real model and the data sets that some tests need, which a machine may lack.
//
//   const fs::path model = testing::minilm();
//   if (model.empty()) GTEST_SKIP() << testing::kNoMiniLm << "what is NOT tested";
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/places.h"

namespace hone::testing {

inline constexpr char kNoMiniLm[] = "HONE_MODEL does not name a folder of all-MiniLM-L6-v2: ";
inline constexpr char kNoData[] = "neither HONE_DATA nor ../shared/data beside the checkout holds the data: ";

// The folder that HONE_MODEL names; empty where it is not set. A wrong name is no reason to skip.
inline std::filesystem::path minilm() {
  const char* folder = std::getenv("HONE_MODEL");
  return folder == nullptr ? "" : folder;
}

// A file of the data sets ("stsb/test.en.tsv.gz"), below HONE_DATA or beside the checkout; empty without it.
inline std::filesystem::path data_file(const std::string& name) {
  const char* folder = std::getenv("HONE_DATA");
  const std::filesystem::path file =
      std::filesystem::path(folder == nullptr ? std::string(kSourceFolder) + "/../shared/data" : folder) /
      name;
  return std::filesystem::exists(file) ? file : "";
}

}  // namespace hone::testing
