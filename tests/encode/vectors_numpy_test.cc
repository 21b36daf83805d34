// Vectors files as others read them: the bytes of numpy.save, JSON, and what happens when writing fails.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "encode/vectors_file.h"
#include "model/safetensors.h"
#include "tests/base/one_line.h"
#include "tests/base/temp_folder.h"
#include "tests/encode/write_vectors.h"
#include "tests/places.h"

namespace hone::encode {
namespace {

using testing::message_of;
using testing::TempFolder;
using testing::write_vectors;

const std::vector<float> kNumbers{1.5F, -0.1F, 3e-8F, 4, 5, 6};

std::string fixture(const char* name) {
  std::ifstream file(std::string(testing::kFixtures) + "/metrics/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(VectorsNumpy, npy_is_byte_for_byte_what_numpy_saves) {
  TempFolder folder;
  write_vectors(folder / "v.npy", kNumbers, 3);
  ASSERT_FALSE(fixture("matrix.npy").empty());
  EXPECT_EQ(folder.read("v.npy"), fixture("matrix.npy"));
  write_vectors(folder / "v.npy", {}, 3);
  EXPECT_EQ(folder.read("v.npy"), fixture("empty.npy"));
}

// Numbers of digits from 2 to 13 move the header across a multiple of 64 in its padding.
TEST(VectorsNumpy, npy_data_starts_aligned_at_any_shape) {
  TempFolder folder;
  for (int64_t rows = 1; rows <= 100000; rows *= 10) {
    const std::vector<float> values(static_cast<size_t>(rows), 2.5F);
    write_vectors(folder / "v.npy", values, 1);
    const std::string file = folder.read("v.npy");
    const size_t start = file.size() - values.size() * sizeof(float);
    EXPECT_EQ(start % 64, 0U) << rows;
    EXPECT_EQ(file[start - 1], '\n') << rows;
    EXPECT_EQ(start, 10U + static_cast<unsigned char>(file[8]) + 256U * static_cast<unsigned char>(file[9]));
    EXPECT_NE(file.find(cat("(", rows, ", 1), }")), std::string::npos);
  }
}

TEST(VectorsNumpy, npy_keeps_every_bit) {
  TempFolder folder;
  const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), -0.0F, 1e-45F,
                                  -std::numeric_limits<float>::infinity()};
  write_vectors(folder / "v.npy", values, 4);
  const std::string file = folder.read("v.npy"), bytes(reinterpret_cast<const char*>(values.data()), 16);
  EXPECT_EQ(file.substr(file.size() - 16), bytes);
}

TEST(VectorsJson, numbers_come_back_as_they_were) {
  TempFolder folder;
  std::vector<float> values{
      0,        -0.0F,       1e-45F, std::numeric_limits<float>::min(), 3.4028235e38F, 16777216, 0.1F,
      1.0F / 3, -123456.79F, 1e20F};
  write_vectors(folder / "v.jsonl", values, 2);
  std::ifstream file(folder / "v.jsonl");
  size_t row = 0;
  for (std::string line; std::getline(file, line); ++row) {
    const auto object = nlohmann::json::parse(line);
    EXPECT_EQ(object.at("index").get<size_t>(), row);
    ASSERT_EQ(object.at("embedding").size(), 2U);
    for (size_t c = 0; c < 2; ++c) EXPECT_EQ(object["embedding"][c].get<float>(), values[2 * row + c]);
  }
  EXPECT_EQ(row, 5U);
}

TEST(VectorsJson, what_is_not_finite_is_refused_by_place_and_leaves_the_old_file) {
  TempFolder folder;
  folder.write("v.jsonl", "old");
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    std::vector<float> values = kNumbers;
    values[4] = bad;
    const std::string message = message_of([&] { write_vectors(folder / "v.jsonl", values, 3); });
    EXPECT_NE(message.find("v.jsonl: row 1, column 1: "), std::string::npos) << message;
    EXPECT_NE(message.find(".npy"), std::string::npos) << message;
  }
  EXPECT_EQ(folder.read("v.jsonl"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v.jsonl"});
}

TEST(VectorsSafetensors, no_rows_are_a_matrix_too) {
  TempFolder folder;
  write_vectors(folder / "v.safetensors", {}, 3);
  const auto file = model::SafetensorsFile::open(folder / "v.safetensors");
  ASSERT_EQ(file->entries().size(), 1U);
  EXPECT_EQ(file->entries()[0].name, "embeddings");
  EXPECT_EQ(file->entries()[0].dtype_name, "F32");
  EXPECT_EQ(file->entries()[0].shape, (std::vector<int64_t>{0, 3}));
}

TEST(VectorsFiles, are_replaced_as_a_whole) {
  TempFolder folder;
  for (const char* name : {"v.npy", "v.jsonl", "v.safetensors"}) {
    write_vectors(folder / name, kNumbers, 3);
    const std::string larger = folder.read(name);
    write_vectors(folder / name, std::span(kNumbers).first(3), 3);
    EXPECT_LT(folder.read(name).size(), larger.size()) << name;
    write_vectors(folder / name, kNumbers, 3);
    EXPECT_EQ(folder.read(name), larger) << name;
  }
}

TEST(VectorsFiles, endings_that_are_not_known_are_answered_with_those_that_are) {
  for (const char* name :
       {"v", "v.", "v.np", "v.npz", "v.NPY", "v.npy.gz", ".npy", "v.json", "", "a.npy/v"}) {
    const std::string message = message_of([&] { vectors_format(name); });
    EXPECT_NE(message.find(".npy, .safetensors or .jsonl"), std::string::npos) << name << ": " << message;
    EXPECT_THROW(vectors_format(name), UsageError) << name;
  }
  for (const char* name : {"v.npy", "a.b.npy", "/x/v.safetensors", "v.jsonl"})
    EXPECT_NO_THROW(vectors_format(name));
}

TEST(VectorsFiles, numbers_that_are_no_rows_write_nothing) {
  TempFolder folder;
  for (const char* name : {"v.npy", "v.jsonl", "v.safetensors"}) {
    for (const int64_t dim : {-3, 0, 4, 5})
      EXPECT_THROW(write_vectors(folder / name, kNumbers, dim), Error) << dim;
  }
  EXPECT_TRUE(folder.names().empty());
}

// The header is written over its place when the number of rows is known.
TEST(VectorsFiles, a_header_has_the_same_size_for_any_number_of_rows) {
  for (const VectorsFormat format : {VectorsFormat::npy, VectorsFormat::safetensors}) {
    const size_t size = vectors_header(format, 0, 1).size();
    EXPECT_EQ(size % 64, 0U);
    for (const int64_t rows : {int64_t{1}, int64_t{99999}, int64_t{1} << 40})
      EXPECT_EQ(vectors_header(format, rows, 8192).size(), size) << rows;
  }
  EXPECT_EQ(vectors_header(VectorsFormat::jsonl, 7, 3), "");
}

TEST(VectorsFiles, a_folder_in_the_way_or_missing_is_named) {
  TempFolder folder;
  std::filesystem::create_directory(folder / "v.npy");
  EXPECT_NE(message_of([&] { write_vectors(folder / "v.npy", kNumbers, 3); }).find("v.npy"),
            std::string::npos);
  EXPECT_NE(message_of([&] { write_vectors(folder / "none" / "v.npy", kNumbers, 3); }).find("none"),
            std::string::npos);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v.npy"});
}

}  // namespace
}  // namespace hone::encode
