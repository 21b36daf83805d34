// Vectors in datasets: from Arrow's lists and from rows. What reads roles is given them here, whichever
// the training of the day asks for.
#include <cmath>
#include <limits>
#include <optional>

#include "capi/dataset_fill.h"
#include "tests/capi/arrow_streams.h"
#include "tests/capi/rows.h"

namespace hone::testing {

namespace {

using data::ColumnKind;
using Texts = std::vector<std::optional<std::string>>;
using Made = std::unique_ptr<hone_dataset, capi::ReleaseDataset>;

template <class T>
Lists<T> two_rows() {
  return {{{1, 2, 3}}, {{4, 5, -6.5}}};
}

class DatasetVectors : public ::testing::Test {
 protected:
  data::ReadOptions options{{{"text"}, {"v", ColumnKind::vector, true, {}, true}}, {}};

  Made read(Stream& stream) {
    Made made;
    {
      capi::OwnedStream owned(stream.raw(), "stream");
      made = capi::read_stream(*static_cast<hone_runtime*>(runtime), owned, [&](auto) { return options; });
    }
    EXPECT_TRUE(stream.gone()) << stream.standing();
    return made;
  }
  std::vector<float> values(const std::vector<ArrowBatch>& batches) {
    Stream stream(batches);
    return read(stream)->table.vector("v").values;
  }
  // The message, where the status is HONE_EFORMAT; `row` is what it says.
  std::string not_read(const std::vector<ArrowBatch>& batches, int64_t row = -1) {
    Stream stream(batches);
    try {
      read(stream);
    } catch (const capi::StatusError& error) {
      EXPECT_EQ(error.status, HONE_EFORMAT);
      EXPECT_EQ(error.row, row) << error.what();
      EXPECT_TRUE(stream.gone()) << stream.standing();
      return error.what();
    }
    ADD_FAILURE() << "it was read";
    return "";
  }
  Made create(std::vector<std::string> names) {
    return capi::begin_dataset(*static_cast<hone_runtime*>(runtime), "(rows)", std::move(names), options);
  }

  Runtime runtime = make_runtime();
};

ArrowBatch vector_batch(ArrowColumn vectors) {
  const Texts texts(static_cast<size_t>(vectors.length), "a");
  return {{text_column("text", texts), std::move(vectors)}};
}

const std::vector<float> kTwoRows = {1, 2, 3, 4, 5, -6.5F};

TEST_F(DatasetVectors, ListsOfEveryType) {
  EXPECT_EQ(values({vector_batch(fixed_list_column<float>("v", 3, two_rows<float>()))}), kTwoRows);
  EXPECT_EQ(values({vector_batch(fixed_list_column<double>("v", 3, two_rows<double>()))}), kTwoRows);
  EXPECT_EQ(values({vector_batch(list_column<int32_t, float>("v", two_rows<float>()))}), kTwoRows);
  EXPECT_EQ(values({vector_batch(list_column<int32_t, double>("v", two_rows<double>()))}), kTwoRows);
  EXPECT_EQ(values({vector_batch(list_column<int64_t, float>("v", two_rows<float>()))}), kTwoRows);
  EXPECT_EQ(values({vector_batch(list_column<int64_t, double>("v", two_rows<double>()))}), kTwoRows);
}

TEST_F(DatasetVectors, SeveralBatches) {
  const ArrowBatch one = vector_batch(list_column<int32_t, float>("v", two_rows<float>()));
  const ArrowBatch none = vector_batch(list_column<int32_t, float>("v", Lists<float>{}));
  std::vector<float> twice = kTwoRows;
  twice.insert(twice.end(), kTwoRows.begin(), kTwoRows.end());
  EXPECT_EQ(values({none, one, none, one}), twice);
}

TEST_F(DatasetVectors, Slices) {
  const Lists<float> padded = {{{9, 9, 9}}, {{8, std::nullopt, 8}}, {{1, 2, 3}}, {{4, 5, -6.5}}, {}};
  for (const ArrowColumn& column :
       {fixed_list_column<float>("v", 3, padded), list_column<int32_t, float>("v", padded)}) {
    const Texts texts(5, "a");
    EXPECT_EQ(values({{{sliced(text_column("text", texts), 2, 2), sliced(column, 2, 2)}}}), kTwoRows);
    EXPECT_EQ(values({{{text_column("text", texts), column}, 2, 2}}), kTwoRows);
    EXPECT_EQ(values({{{sliced(text_column("text", texts), 1, 4), sliced(column, 1, 4)}, 1, 2}}), kTwoRows);
  }
  // The items may be a slice themselves.
  ArrowColumn column = fixed_list_column<float>("v", 3, padded);
  column.length = 2;
  column.nulls = 0;
  column.buffers[0].clear();
  column.children[0] = sliced(column.children[0], 6, 6);
  EXPECT_EQ(values({vector_batch(column)}), kTwoRows);
}

TEST_F(DatasetVectors, NullsAreRefused) {
  const Lists<float> missing = {{{1, 2, 3}}, std::nullopt}, hole = {{{1, 2, 3}}, {{4, std::nullopt, 6}}};
  for (const ArrowColumn& column :
       {fixed_list_column<float>("v", 3, missing), list_column<int32_t, float>("v", missing)}) {
    EXPECT_EQ(not_read({vector_batch(column)}, 1),
              "(stream):2: column \"v\": found null, expected a vector of finite numbers");
  }
  for (ArrowColumn column :
       {fixed_list_column<float>("v", 3, hole), list_column<int64_t, float>("v", hole)}) {
    for (const int64_t counted : {1, -1}) {
      column.children[0].nulls = counted;
      EXPECT_EQ(not_read({vector_batch(column)}, 1),
                "(stream):2: column \"v\": found null as number 2, expected a vector of finite numbers");
    }
  }
}

TEST_F(DatasetVectors, NumbersThatCannotBeAreRefused) {
  EXPECT_EQ(not_read({vector_batch(fixed_list_column<double>("v", 2, {{{1, 2}}, {{3, std::nan("")}}}))}, 1),
            "(stream):2: column \"v\": found nan as number 2, expected a vector of finite numbers");
  EXPECT_EQ(not_read({vector_batch(list_column<int32_t, double>("v", {{{1e39, 2}}}))}, 0),
            "(stream):1: column \"v\": found 1e+39 (out of range) as number 1, expected a vector of finite "
            "numbers");
  EXPECT_EQ(not_read({vector_batch(list_column<int32_t, float>("v", {{{1, 2}}, {{3}}}))}, 1),
            "(stream):2: column \"v\": found 1 number, expected 2 as in the first row");
  EXPECT_EQ(not_read({vector_batch(list_column<int32_t, float>("v", {{{}}}))}, 0),
            "(stream):1: column \"v\": found an empty vector, expected a vector of finite numbers");
  EXPECT_EQ(not_read({vector_batch(fixed_list_column<float>("v", 0, {{{}}}))}, 0),
            "(stream):1: column \"v\": found an empty vector, expected a vector of finite numbers");
}

TEST_F(DatasetVectors, TypesThatAreNoVectors) {
  const auto type_error = [](const char* type) {
    return "stream: column \"v\": found type " + std::string(type) +
           ", expected a list of float32 or float64";
  };
  EXPECT_EQ(not_read({vector_batch(list_column<int32_t, int32_t>("v", {{{1}}}))}), type_error("\"+l of i\""));
  EXPECT_EQ(not_read({vector_batch(number_column<float>("v", {{1.F}}))}), type_error("\"f\""));
  EXPECT_EQ(not_read({vector_batch(text_column("v", {{"1 2"}}))}), type_error("\"u\""));
  for (const char* format : {"+w:", "+w:x", "+w:-1", "+w:3x", "+w:99999999999999999999", "+s", "+m"}) {
    ArrowColumn column = fixed_list_column<float>("v", 3, two_rows<float>());
    column.format = format;
    not_read({vector_batch(column)});
  }
  ArrowColumn childless = list_column<int32_t, float>("v", two_rows<float>());
  childless.children.clear();
  EXPECT_EQ(not_read({vector_batch(childless)}), type_error("\"+l\""));
  ArrowColumn two = list_column<int32_t, float>("v", two_rows<float>());
  two.children.push_back(two.children[0]);
  not_read({vector_batch(two)});
  // Lists where texts and numbers are expected.
  EXPECT_EQ(not_read({{{fixed_list_column<float>("text", 3, two_rows<float>()),
                        fixed_list_column<float>("v", 3, two_rows<float>())}}}),
            "stream: column \"text\": found type \"+w:3 of f\", expected utf8 or large_utf8");
}

// A batch that is not what the schema or its own counts say is found before it is read.
TEST_F(DatasetVectors, CountsThatCannotBe) {
  const auto broken = [&](ArrowColumn column, int64_t row) {
    const std::string message = not_read({vector_batch(std::move(column))}, row);
    EXPECT_NE(message.find("column \"v\": found a list"), std::string::npos) << message;
  };
  const ArrowColumn fixed = fixed_list_column<float>("v", 3, two_rows<float>());
  const ArrowColumn list = list_column<int32_t, float>("v", two_rows<float>());
  for (const int64_t length : {5, 3, 0, -1}) {
    for (ArrowColumn column : {fixed, list}) {
      column.children[0].length = length;
      broken(column, length >= 3 ? 1 : 0);
    }
  }
  for (const int64_t offset : {int64_t{-1}, INT64_MIN, INT64_MAX}) {
    for (ArrowColumn column : {fixed, list}) {
      column.children[0].offset = offset;
      broken(column, 0);
    }
  }
  for (const auto& offsets :
       std::vector<std::vector<int32_t>>{{0, 3, 2}, {0, 3, 7}, {0, 3, INT32_MAX}, {0, 3, INT32_MIN}}) {
    ArrowColumn column = list;
    column.buffers[1] = bytes_of_values(offsets);
    broken(column, 1);
  }
  ArrowColumn negative = list;
  negative.buffers[1] = bytes_of_values<int32_t>({-3, 0, 3});
  broken(negative, 0);
  ArrowColumn large = list_column<int64_t, float>("v", two_rows<float>());
  large.buffers[1] = bytes_of_values<int64_t>({0, 3, INT64_MAX});
  broken(large, 1);
  ArrowColumn wide = fixed;
  wide.format = "+w:" + std::to_string(INT64_MAX);
  broken(wide, 0);
  for (ArrowColumn column : {fixed, list}) {
    column.children[0].buffers.resize(1);
    broken(column, 0);
  }
  ArrowColumn no_offsets = list;
  no_offsets.buffers.resize(1);
  broken(no_offsets, 0);
  // The schema is the first batch's: a later one may lack what it says.
  ArrowColumn childless = list;
  childless.children.clear();
  EXPECT_EQ(not_read({vector_batch(list), vector_batch(childless)}, 2),
            "(stream):3: column \"v\": found a list without its items, expected a vector of finite numbers");
}

TEST_F(DatasetVectors, RowsAreAdded) {
  const Made made = create({"v_2", "text", "v"});
  EXPECT_EQ(info_of(made.get())["columns"]["v"],
            (nlohmann::json{{"name", "v"}, {"type", "vector"}, {"width", 0}}));
  std::vector<float> own = {1, 2};
  ASSERT_EQ(add(made.get(), {vector_value({0.5F, 0, 0}), text_value("a"), vector_value(own)}), HONE_OK);
  own = {9, 9};  // it was copied
  ASSERT_EQ(add(made.get(), {vector_value({0, 0, 1}), text_value("b"), vector_value({3, 4})}), HONE_OK);
  const auto info = info_of(made.get());
  EXPECT_EQ(info["columns"]["v"], (nlohmann::json{{"name", "v"}, {"type", "vector"}, {"width", 2}}));
  EXPECT_EQ(info["columns"]["v_2"], (nlohmann::json{{"name", "v_2"}, {"type", "vector"}, {"width", 3}}));
  EXPECT_EQ(info["head"], (nlohmann::json::parse(R"([{"text": "a", "v": [1.0, 2.0], "v_2": [0.5, 0.0, 0.0]},
                                                     {"text": "b", "v": [3.0, 4.0], "v_2": [0.0, 0.0, 1.0]}])")));
}

TEST_F(DatasetVectors, ARowThatIsRefusedIsNamedAndNotAdded) {
  const Made made = create({"v", "text", "v_1"});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> two = {1, 2}, three = {1, 2, 3}, bad = {1, nan};
  const auto refuse = [&](const Row& row, hone_status status) {
    const int64_t before = hone_dataset_size(made.get());
    const auto info = info_of(made.get());
    const Failure failure = refused(status, [&](hone_error** error) { return add(made.get(), row, error); });
    EXPECT_EQ(hone_dataset_size(made.get()), before);
    EXPECT_EQ(info_of(made.get()), info);
    if (status == HONE_EFORMAT) {
      EXPECT_EQ(failure.row(), before);
    }
    return failure.message();
  };
  EXPECT_EQ(refuse({vector_value(three), text_value("a"), vector_value(bad)}, HONE_EFORMAT),
            "(rows):1: column \"v_1\": found nan as number 2, expected a vector of finite numbers");
  EXPECT_EQ(refuse({vector_value(three), text_value("a\xff"), vector_value(two)}, HONE_EFORMAT)
                .find("(rows):1: column \"text\""),
            0U);
  ASSERT_EQ(add(made.get(), {vector_value(two), text_value("a"), vector_value(two)}), HONE_OK)
      << "a refused row decides no width";
  EXPECT_EQ(refuse({vector_value(three), text_value("a"), vector_value(two)}, HONE_EFORMAT),
            "(rows):2: column \"v\": found 3 numbers, expected 2 as in the first row");
  EXPECT_EQ(refuse({text_value("1 2"), text_value("a"), vector_value(two)}, HONE_EFORMAT),
            "(rows):2: column \"v\": found an empty vector, expected a vector of finite numbers");
  const hone_value null{{}, 0, {nullptr, 2}}, huge{{}, 0, {two.data(), SIZE_MAX}},
      wraps{{}, 0, {two.data(), SIZE_MAX / sizeof(float) + 2}};
  EXPECT_EQ(refuse({null, text_value("a"), vector_value(two)}, HONE_EINVAL),
            "values: NULL for 2 numbers found, a vector expected");
  for (const hone_value& value : {huge, wraps})
    refuse({value, text_value("a"), vector_value(two)}, HONE_EINVAL);
  ASSERT_EQ(add(made.get(), {vector_value(two), text_value("b"), vector_value(two)}), HONE_OK);
  EXPECT_EQ(info_of(made.get())["head"].size(), 2U);
}

}  // namespace

}  // namespace hone::testing
