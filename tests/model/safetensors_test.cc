#include "model/safetensors.h"

#include <bit>
#include <cmath>
#include <limits>

#include "tests/model/helpers.h"

namespace hone::model {
namespace {

using hone::testing::as_bytes;
using hone::testing::expect_error;
using hone::testing::TempFolder;
using hone::testing::tensor_file;

std::shared_ptr<const SafetensorsFile> parse(const std::string& file) {
  return SafetensorsFile::parse(as_bytes(file), "f.st");
}

void expect_broken(const std::string& file, std::initializer_list<std::string_view> words) {
  expect_error([&] { parse(file); }, words);
}

void expect_header_broken(std::string_view header, size_t data,
                          std::initializer_list<std::string_view> words) {
  expect_broken(tensor_file(header, data), words);
}

TEST(Safetensors, ReadsEntriesAndMetadata) {
  std::string bytes = tensor_file(
      R"({"__metadata__":{"format":"pt","x":""},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}   )",
      11);
  auto file = parse(bytes);
  ASSERT_EQ(file->entries().size(), 2U);
  EXPECT_EQ(file->entries()[0].name, "a");
  EXPECT_EQ(file->entries()[0].dtype, Dtype::f32);
  EXPECT_EQ(file->entries()[0].shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(file->entries()[1].name, "b");
  EXPECT_EQ(file->entries()[1].dtype_name, "U8");
  EXPECT_EQ(file->metadata(), (std::map<std::string, std::string>{{"format", "pt"}, {"x", ""}}));
  EXPECT_EQ(file->raw(file->entries()[1])[2], std::byte{10});
  EXPECT_EQ(file->find("b"), &file->entries()[1]);
  EXPECT_EQ(file->find("c"), nullptr);
}

TEST(Safetensors, AFileWithoutTensorsIsFine) {
  EXPECT_TRUE(parse(tensor_file("{}", 0))->entries().empty());
  EXPECT_TRUE(parse(tensor_file(R"({"__metadata__":{}})", 0))->entries().empty());
}

TEST(Safetensors, ScalarsAndEmptyTensors) {
  std::string bytes = tensor_file(
      R"({"z":{"dtype":"F32","shape":[0,5],"data_offsets":[4,4]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"y":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
      4);
  auto file = parse(bytes);
  EXPECT_EQ(file->floats(*file->find("s")).size, 1U);
  EXPECT_EQ(file->floats(*file->find("z")).size, 0U);
  EXPECT_EQ(file->floats(*file->find("y")).shape, std::vector<int64_t>{0});
}

TEST(Safetensors, EveryDtypeHasItsSize) {
  for (auto [name, bytes] : std::initializer_list<std::pair<const char*, int>>{
           {"BOOL", 8},    {"U8", 8},   {"I8", 8},   {"F8_E4M3", 8}, {"F8_E5M2", 8},
           {"F8_E8M0", 8}, {"I16", 16}, {"U16", 16}, {"F16", 16},    {"BF16", 16},
           {"I32", 32},    {"U32", 32}, {"F32", 32}, {"F64", 64},    {"I64", 64},
           {"U64", 64},    {"C64", 64}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}}) {
    std::string header = cat(R"({"a":{"dtype":")", name, R"(","shape":[8],"data_offsets":[0,)", bytes, "]}}");
    EXPECT_NO_THROW(parse(tensor_file(header, static_cast<size_t>(bytes)))) << name;
  }
  expect_header_broken(R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}})", 1, {"\"a\"", "shape"});
}

TEST(Safetensors, RefusesTruncatedFiles) {
  std::string whole = tensor_file(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
  EXPECT_NO_THROW(parse(whole));
  for (size_t size = 0; size < whole.size(); ++size) expect_broken(whole.substr(0, size), {"f.st"});
  expect_broken(whole.substr(0, whole.size() - 1), {"\"a\"", "0 to 8", "7 bytes"});
  expect_broken(whole.substr(0, 20), {"truncated"});
  expect_broken(whole + "x", {"9 bytes", "end at byte 8"});
}

TEST(Safetensors, RefusesAbsurdHeaders) {
  std::string file = tensor_file("{}", 0);
  uint64_t length = 100'000'001;
  std::memcpy(file.data(), &length, sizeof length);
  expect_broken(file, {"not a safetensors file", "100000001"});
  length = std::numeric_limits<uint64_t>::max();
  std::memcpy(file.data(), &length, sizeof length);
  expect_broken(file, {"18446744073709551615"});
  expect_broken(tensor_file("", 0), {"does not start"});
  expect_broken(tensor_file(" {}", 0), {"does not start"});
  expect_broken(tensor_file("[]", 0), {"does not start"});
}

TEST(Safetensors, RefusesHeadersOfAnotherShape) {
  expect_header_broken("{", 0, {"not valid JSON"});
  expect_header_broken("{}}", 0, {"not valid JSON"});
  expect_header_broken(std::string_view("{}\0x", 4), 0, {"not valid JSON", "byte 2"});
  expect_header_broken("{\"a\":\"\xff\"}", 0, {"not valid JSON"});
  expect_header_broken(R"({"a":1})", 0, {"\"a\""});
  expect_header_broken(R"({"a":[]})", 0, {"an array"});
  expect_header_broken(R"({"a":"x"})", 0, {"\"x\""});
  expect_header_broken(R"({"a":null})", 0, {"null"});
  expect_header_broken(R"({"a":{}})", 0, {"\"a\"", "lacks dtype"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[0]}})", 0, {"lacks data_offsets"});
  expect_header_broken(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})", 0, {"lacks shape"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":{},"data_offsets":[0,0]}})", 0, {"an object"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[[0]],"data_offsets":[0,0]}})", 0, {"an array"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,0]}})", 0, {"-1"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}})", 1, {"1.0"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}})", 1, {"\"1\""});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[true],"data_offsets":[0,1]}})", 1, {"a boolean"});
  expect_header_broken(R"({"a":{"dtype":8,"shape":[1],"data_offsets":[0,1]}})", 1, {"8", "dtype"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}})", 1, {"1 data_offsets"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}})", 1, {"more than two"});
  expect_header_broken(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"b":{}}})", 0,
                       {"unknown key \"b\""});
  expect_header_broken(R"({"__metadata__":{"a":1}})", 0, {"1"});
  expect_header_broken(R"({"__metadata__":{"a":{}}})", 0, {"an object"});
  expect_header_broken(R"({"__metadata__":[]})", 0, {"an array"});
  expect_header_broken(R"({"__metadata__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0,
                       {"an array"});
  expect_header_broken("{\"a\":" + std::string(100'000, '['), 0, {"an array"});
  std::string shape = "0";
  for (int i = 0; i < 40; ++i) shape += ",0";
  expect_header_broken(cat(R"({"a":{"dtype":"U8","shape":[)", shape, R"(],"data_offsets":[0,0]}})"), 0,
                       {"dimensions"});
}

TEST(Safetensors, RefusesWhatIsSaidTwice) {
  expect_header_broken(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
      2, {"\"a\"", "twice"});
  expect_header_broken(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1,
                       {"\"dtype\"", "twice"});
  expect_header_broken(R"({"__metadata__":{"k":"1","k":"2"}})", 0, {"\"k\"", "twice"});
  expect_header_broken(R"({"__metadata__":{},"__metadata__":{}})", 0, {"__metadata__", "twice"});
}

TEST(Safetensors, RefusesLyingOffsets) {
  auto header = [](const char* a, const char* b) {
    return cat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", a,
               R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", b, "}}");
  };
  EXPECT_NO_THROW(parse(tensor_file(header("[0,4]", "[4,8]"), 8)));
  EXPECT_NO_THROW(parse(tensor_file(header("[4,8]", "[0,4]"), 8)));
  expect_header_broken(header("[0,4]", "[5,9]"), 8, {"\"b\"", "5 to 9", "8 bytes"});
  expect_header_broken(header("[0,4]", "[3,7]"), 8, {"\"b\"", "inside the tensor before it"});
  expect_header_broken(header("[0,4]", "[0,4]"), 8, {"\"b\"", "inside"});
  expect_header_broken(header("[0,4]", "[5,9]"), 9, {"\"b\"", "starts at byte 5", "ends at byte 4"});
  expect_header_broken(header("[1,5]", "[5,9]"), 9, {"\"a\"", "starts at byte 1"});
  expect_header_broken(header("[4,0]", "[4,8]"), 8, {"\"a\"", "4 to 0"});
  expect_header_broken(header("[0,5]", "[5,9]"), 9, {"\"a\"", "takes 5 bytes", "takes 4"});
  expect_header_broken(header("[0,18446744073709551615]", "[0,4]"), 8, {"\"a\""});
  expect_header_broken(header("[18446744073709551612,18446744073709551616]", "[0,4]"), 8, {"f.st"});
}

TEST(Safetensors, RefusesShapesThatOverflow) {
  auto with_shape = [](const char* dtype, const char* shape) {
    return cat(R"({"a":{"dtype":")", dtype, R"(","shape":)", shape, R"(,"data_offsets":[0,0]}})");
  };
  expect_header_broken(with_shape("U8", "[4294967296,4294967296]"), 0, {"\"a\"", "too large"});
  expect_header_broken(with_shape("F32", "[4611686018427387904,4]"), 0, {"too large"});
  expect_header_broken(with_shape("F32", "[9223372036854775807]"), 0, {"too large"});
  expect_header_broken(with_shape("F32", "[9223372036854775808]"), 0, {"9223372036854775808"});
  expect_header_broken(with_shape("U8", "[18446744073709551616]"), 0, {"f.st"});
}

TEST(Safetensors, RefusesUnknownDtypes) {
  expect_header_broken(R"({"a":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}})", 0, {"\"a\"", "\"F33\""});
  expect_header_broken(R"({"a":{"dtype":"","shape":[0],"data_offsets":[0,0]}})", 0, {"\"a\""});
}

TEST(Safetensors, NamesInMessagesAreOneLine) {
  expect_header_broken(R"({"a\nb\u0000":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}})", 0, {"a?b?"});
}

// Numbers by their bits, through a file.
template <class Stored>
std::vector<float> through(const char* dtype, const std::vector<Stored>& values) {
  TempFolder folder;
  RawTensor tensor{"t", dtype, {static_cast<int64_t>(values.size())}, std::as_bytes(std::span(values))};
  write_safetensors(folder / "f", {&tensor, 1}, {});
  auto file = SafetensorsFile::open(folder / "f");
  HostTensor floats = file->floats(*file->find("t"));
  EXPECT_EQ(floats.name, "t");
  return {floats.data, floats.data + floats.size};
}

TEST(Safetensors, HalfPrecisionIsExact) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> floats = through("F16", all);
  for (uint32_t i = 0; i < all.size(); ++i) {
    int sign = (i & 0x8000U) != 0 ? -1 : 1;
    int exponent = static_cast<int>((i >> 10) & 31U);
    int mantissa = static_cast<int>(i & 1023U);
    if (exponent == 31) {
      EXPECT_TRUE(mantissa == 0 ? std::isinf(floats[i]) : std::isnan(floats[i]));
      EXPECT_EQ(std::signbit(floats[i]), sign < 0);
      continue;
    }
    double expected = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    ASSERT_EQ(floats[i], sign * expected) << i;
    ASSERT_EQ(std::signbit(floats[i]), sign < 0) << i;
  }
}

TEST(Safetensors, Bfloat16IsTheUpperHalf) {
  std::vector<float> floats = through("BF16", std::vector<uint16_t>{0x3f80, 0xc049, 0x0001, 0x7f80, 0x8000});
  EXPECT_EQ(floats[0], 1.0F);
  EXPECT_EQ(floats[1], -3.140625F);
  EXPECT_EQ(std::bit_cast<uint32_t>(floats[2]), 0x00010000U);
  EXPECT_TRUE(std::isinf(floats[3]));
  EXPECT_TRUE(std::signbit(floats[4]));
}

TEST(Safetensors, DoublesAreRounded) {
  double inf = std::numeric_limits<double>::infinity();
  std::vector<float> floats =
      through("F64", std::vector<double>{0.1, -1e-50, 3.4028234663852886e38, inf, -inf});
  EXPECT_EQ(floats[0], 0.1F);
  EXPECT_EQ(floats[1], 0.0F);
  EXPECT_EQ(floats[2], std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isinf(floats[3]) && std::isinf(floats[4]));
  for (double large : {1e39, -3.402823669209385e38})
    expect_error([&] { through("F64", std::vector<double>{large}); }, {"\"t\"", "too large"});
}

TEST(Safetensors, OtherDtypesAreNoFloats) {
  for (const char* dtype : {"I64", "U64"})
    expect_error([&] { through(dtype, std::vector<int64_t>{1}); }, {"\"t\"", dtype, "floating-point"});
}

TEST(Safetensors, FloatsAreAViewOfTheMapping) {
  TempFolder folder;
  std::vector<float> values{1, 2, 3};
  RawTensor tensor{"t", "F32", {3}, std::as_bytes(std::span(values))};
  write_safetensors(folder / "f", {&tensor, 1}, {});
  auto file = SafetensorsFile::open(folder / "f");
  HostTensor floats = file->floats(file->entries()[0]);
  EXPECT_EQ(static_cast<const void*>(floats.data), file->raw(file->entries()[0]).data());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(floats.data) % 64, 0U);
  file.reset();
  EXPECT_EQ(floats.data[2], 3.0F);  // the tensor keeps the file mapped
}

TEST(Safetensors, MisalignedFloatsAreCopied) {
  std::vector<float> values{1.5F, -2.5F};
  for (size_t shift = 0; shift < 4; ++shift) {
    std::string header = R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    header.resize((header.size() + 7) / 8 * 8 + shift, ' ');
    std::string bytes = tensor_file(header, 8);
    std::memcpy(bytes.data() + bytes.size() - 8, values.data(), 8);
    // At a place of its own alignment, so that the header alone decides.
    std::vector<uint64_t> aligned(bytes.size() / 8 + 1);
    std::memcpy(aligned.data(), bytes.data(), bytes.size());
    auto file = SafetensorsFile::parse(std::as_bytes(std::span(aligned)).first(bytes.size()), "f.st");
    HostTensor floats = file->floats(file->entries()[0]);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(floats.data) % alignof(float), 0U);
    EXPECT_EQ(static_cast<const void*>(floats.data) == file->raw(file->entries()[0]).data(), shift == 0);
    EXPECT_EQ(floats.data[0], 1.5F);
    EXPECT_EQ(floats.data[1], -2.5F);
  }
}

TEST(Safetensors, OpenNamesTheFile) {
  TempFolder folder;
  expect_error([&] { SafetensorsFile::open(folder / "none"); }, {"none"});
  expect_error([&] { SafetensorsFile::open(folder.path()); }, {"folder"});
  folder.write("empty", "");
  expect_error([&] { SafetensorsFile::open(folder / "empty"); }, {"empty", "0 bytes"});
}

TEST(HostTensor, OwnsItsValues) {
  HostTensor tensor = HostTensor::owned("t", {2, 2}, {1, 2, 3, 4});
  HostTensor copy = tensor;
  tensor = {};
  EXPECT_EQ(copy.data[3], 4.0F);
  EXPECT_EQ(copy.size, 4U);
  expect_error([] { HostTensor::owned("t", {2, 2}, {1}); }, {"\"t\"", "[2, 2]", "1 values"});
}

TEST(WriteSafetensors, RoundTrip) {
  TempFolder folder;
  std::vector<float> floats{1, 2};
  std::vector<uint8_t> small{1, 2, 3};
  std::vector<RawTensor> tensors{{"b \"quoted\" \xc3\xa4", "F32", {1, 2}, std::as_bytes(std::span(floats))},
                                 {"a", "U8", {3}, std::as_bytes(std::span(small))},
                                 {"none", "F32", {0}, {}}};
  write_safetensors(folder / "f", tensors, {{"format", "pt"}, {"k\n", "v"}});
  auto file = SafetensorsFile::open(folder / "f");
  EXPECT_EQ(file->entries()[0].name, tensors[0].name);
  EXPECT_EQ(file->entries()[1].name, "a");
  EXPECT_EQ(file->entries()[2].name, "none");
  EXPECT_EQ(file->metadata().at("k\n"), "v");
  EXPECT_EQ(file->floats(file->entries()[0]).data[1], 2.0F);
  EXPECT_EQ(folder.names(), std::vector<std::string>{"f"});
  uint64_t length = 0;
  std::memcpy(&length, folder.read("f").data(), sizeof length);
  EXPECT_EQ((length + 8) % 64, 0U);
}

TEST(WriteSafetensors, NothingIsAValidFileToo) {
  TempFolder folder;
  write_safetensors(folder / "f", {}, {});
  EXPECT_TRUE(SafetensorsFile::open(folder / "f")->entries().empty());
}

TEST(WriteSafetensors, RefusesWhatItCouldNotRead) {
  TempFolder folder;
  std::vector<float> floats{1, 2};
  auto bytes = std::as_bytes(std::span(floats));
  auto refused = [&](std::vector<RawTensor> tensors, std::initializer_list<std::string_view> words) {
    expect_error([&] { write_safetensors(folder / "f", tensors, {}); }, words);
    EXPECT_TRUE(folder.names().empty());
  };
  refused({{"t", "F32", {3}, bytes}}, {"\"t\"", "[3]", "8 bytes"});
  refused({{"t", "F32", {-2}, bytes}}, {"\"t\""});
  refused({{"t", "X", {2}, bytes}}, {"\"X\""});
  refused({{"t", "F32", {2}, bytes}, {"t", "F32", {2}, bytes}}, {"\"t\"", "taken"});
  refused({{"__metadata__", "F32", {2}, bytes}}, {"taken"});
  refused({{"\xff", "F32", {2}, bytes}}, {"UTF-8"});
}

TEST(WriteSafetensors, KeepsTheOldFileWhenItCannotWrite) {
  TempFolder folder;
  expect_error([&] { write_safetensors(folder / "no" / "f", {}, {}); }, {"no/f"});
}

}  // namespace
}  // namespace hone::model
