// The real model and the data sets that some tests need, which a machine may lack.
//
//   const fs::path model = testing::minilm();
//   if (model.empty()) GTEST_SKIP() << testing::kNoMiniLm << "what is NOT tested";
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace hone::testing {

inline constexpr char kNoMiniLm[] = "HONE_MODEL does not name a folder of all-MiniLM-L6-v2: ";
inline constexpr char kNoData[] = "neither HONE_DATA nor ../shared/data beside the checkout holds the data: ";

// The folder that HONE_MODEL names, empty where it names none. A wrong name is not passed over: loading it
// fails.
inline std::filesystem::path minilm() {
  const char* folder = std::getenv("HONE_MODEL");
  return folder == nullptr ? "" : folder;
}

// A file of the data sets ("stsb/test.en.tsv.gz"), below HONE_DATA or beside the checkout; empty where it is
// not.
inline std::filesystem::path data_file(const std::string& name) {
  const char* folder = std::getenv("HONE_DATA");
  const std::filesystem::path root = folder == nullptr
                                         ? std::filesystem::path(HONE_SOURCE_DIR) / ".." / "shared" / "data"
                                         : std::filesystem::path(folder);
  return std::filesystem::exists(root / name) ? root / name : "";
}

}  // namespace hone::testing
