#include "encode/vectors_file.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/error.h"
#include "model/safetensors.h"
#include "tests/base/temp_folder.h"
#include "tests/encode/write_vectors.h"

namespace hone::encode {
namespace {

using testing::write_vectors;

const std::vector<float> kVectors{1.5F, -0.1F, 3e-8F, 4, 5, 6};

TEST(VectorsFile, npy) {
  testing::TempFolder folder;
  write_vectors(folder / "v.npy", kVectors, 3);
  const std::string file = folder.read("v.npy");
  ASSERT_GT(file.size(), 24U);
  EXPECT_EQ(file.substr(1, 5), "NUMPY");
  const size_t header = static_cast<unsigned char>(file[8]) + 256U * static_cast<unsigned char>(file[9]);
  EXPECT_EQ((10 + header) % 64, 0U);
  EXPECT_NE(file.find("'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)"), std::string::npos);
  EXPECT_EQ(file[10 + header - 1], '\n');
  ASSERT_EQ(file.size(), 10 + header + 24);
  EXPECT_EQ(0, std::memcmp(file.data() + 10 + header, kVectors.data(), 24));
}

TEST(VectorsFile, safetensors) {
  testing::TempFolder folder;
  write_vectors(folder / "v.safetensors", kVectors, 2);
  const auto file = model::SafetensorsFile::open(folder / "v.safetensors");
  const auto* entry = file->find("embeddings");
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->shape, (std::vector<int64_t>{3, 2}));
  const auto values = file->floats(*entry);
  EXPECT_EQ(std::vector<float>(values.data, values.data + values.size), kVectors);
}

TEST(VectorsFile, jsonl_in_shortest_form) {
  testing::TempFolder folder;
  write_vectors(folder / "v.jsonl", kVectors, 3);
  EXPECT_EQ(folder.read("v.jsonl"),
            "{\"index\":0,\"embedding\":[1.5,-0.1,3e-08]}\n{\"index\":1,\"embedding\":[4,5,6]}\n");
}

TEST(VectorsFile, no_rows_and_wrong_names_and_sizes) {
  testing::TempFolder folder;
  write_vectors(folder / "v.jsonl", {}, 3);
  EXPECT_EQ(folder.read("v.jsonl"), "");
  EXPECT_THROW(write_vectors(folder / "v.bin", kVectors, 3), UsageError);
  EXPECT_THROW(vectors_format("npy"), UsageError);
  EXPECT_THROW(write_vectors(folder / "w.npy", kVectors, 4), Error);
  EXPECT_THROW(write_vectors(folder / "missing" / "w.npy", kVectors, 3), Error);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v.jsonl"});
}

}  // namespace
}  // namespace hone::encode
