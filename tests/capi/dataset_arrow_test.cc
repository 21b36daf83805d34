// Datasets from Arrow streams: every type that is taken, every form a column can have, and what is refused.
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "tests/capi/arrow_streams.h"
#include "tests/capi/host.h"

namespace hone::testing {

namespace {

using Texts = std::vector<std::optional<std::string>>;
using Doubles = std::vector<std::optional<double>>;

class ArrowDatasets : public ::testing::Test {
 protected:
  Dataset read(Stream& stream, const Settings& settings = {}) {
    Dataset dataset;
    Failure failure;
    const hone_status status = hone_dataset_from_arrow(runtime, stream.raw(), make_config(settings),
                                                       dataset.place(), failure.place());
    EXPECT_TRUE(stream.gone()) << stream.standing();
    require(status, failure);
    return dataset;
  }
  nlohmann::json rows(Stream& stream, const Settings& settings = {}) {
    const Dataset dataset = read(stream, settings);
    Buffer buffer;
    Failure failure;
    require(hone_dataset_info(dataset, SIZE_MAX, buffer.place(), failure.place()), failure);
    return nlohmann::json::parse(text_of(buffer))["head"];
  }
  Failure not_read(hone_status status, Stream& stream, const Settings& settings = {}) {
    Dataset dataset;
    const Config config = make_config(settings);
    Failure failure = refused(status, [&](hone_error** error) {
      return hone_dataset_from_arrow(runtime, stream.raw(), config, dataset.place(), error);
    });
    EXPECT_EQ(dataset, nullptr);
    EXPECT_TRUE(stream.gone()) << stream.standing();
    return failure;
  }

  Runtime runtime = make_runtime();
};

nlohmann::json row(const std::string& a, const std::string& b, double score) {
  return {{"sentence1", a}, {"sentence2", b}, {"score", score}};
}

const Texts kFirstTexts = {"one", "", "three"}, kSecondTexts = {"ä€😀", std::string("a\0b", 3), "c"};
const nlohmann::json kRows = {row("one", "ä€😀", 0), row("", std::string("a\0b", 3), 1),
                              row("three", "c", -1)};

ArrowBatch batch(ArrowColumn score) {
  return {{text_column("sentence1", kFirstTexts), text_column("sentence2", kSecondTexts), std::move(score)}};
}

TEST_F(ArrowDatasets, LabelsOfEveryType) {
  Stream doubles({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  EXPECT_EQ(rows(doubles), kRows);
  Stream floats({batch(number_column<float>("score", {{0.F}, {1.F}, {-1.F}}))});
  EXPECT_EQ(rows(floats), kRows);
  Stream shorts({batch(number_column<int32_t>("score", {{0}, {1}, {-1}}))});
  EXPECT_EQ(rows(shorts), kRows);
  Stream longs({batch(number_column<int64_t>("label", {{0}, {1}, {-1}}))});
  EXPECT_EQ(rows(longs), kRows);
}

TEST_F(ArrowDatasets, TextsOfBothWidthsInAnyOrderBesideOtherColumns) {
  Stream stream(
      {{{number_column<double>("score", {{0}, {1}, {-1}}), text_column<int64_t>("sentence2", kSecondTexts),
         number_column<int64_t>("id", {{7}, std::nullopt, {9}}),
         text_column<int64_t>("sentence1", kFirstTexts)}}});
  EXPECT_EQ(rows(stream), kRows);
}

TEST_F(ArrowDatasets, IdsAreTextsOrWholeNumbers) {
  const Settings settings = {{"train.loss", "mnr"},
                             {"data.columns", "id=id,anchor=sentence1,positive=sentence2"}};
  const auto ids_of = [&](ArrowColumn ids) {
    Stream stream(
        {{{text_column("sentence1", kFirstTexts), text_column("sentence2", kSecondTexts), std::move(ids)}}});
    std::vector<std::string> out;
    for (const auto& row : rows(stream, settings)) out.push_back(row["id"]);
    return out;
  };
  const std::vector<std::string> expected = {"7", "-9223372036854775808", "9007199254740993"};
  EXPECT_EQ(ids_of(number_column<int64_t>("id", {{7}, {INT64_MIN}, {9007199254740993}})), expected);
  EXPECT_EQ(ids_of(text_column("id", {"7", expected[1], expected[2]})), expected);
  EXPECT_EQ(ids_of(number_column<int32_t>("id", {{7}, {-8}, {INT32_MAX}})),
            (std::vector<std::string>{"7", "-8", "2147483647"}));
  EXPECT_EQ(ids_of(number_column<int64_t>("id", {{7}, std::nullopt, {9}})),
            (std::vector<std::string>{"7", "", "9"}));
  EXPECT_EQ(ids_of(text_column("id", {std::nullopt, "a", "b"})), (std::vector<std::string>{"", "a", "b"}));
  Stream wrong({{{text_column("sentence1", kFirstTexts), text_column("sentence2", kSecondTexts),
                  number_column<double>("id", {{0}, {1}, {2}})}}});
  const Failure failure = not_read(HONE_EFORMAT, wrong, settings);
  EXPECT_NE(failure.message().find("expected utf8, large_utf8, int32 or int64"), std::string::npos)
      << failure.message();
}

TEST_F(ArrowDatasets, SeveralBatchesAlsoEmptyOnes) {
  const ArrowBatch whole = batch(number_column<double>("score", {{0}, {1}, {-1}}));
  Stream stream(
      {{{text_column("sentence1", {}), text_column("sentence2", {}), number_column<double>("score", {})}},
       whole,
       {{text_column("sentence1", {}), text_column("sentence2", {}), number_column<double>("score", {})}},
       whole});
  auto twice = kRows;
  twice.insert(twice.end(), kRows.begin(), kRows.end());
  EXPECT_EQ(rows(stream), twice);
}

// A slice of a column says where it begins; a slice of a batch says so for all its columns.
TEST_F(ArrowDatasets, Slices) {
  Texts first = kFirstTexts, second = kSecondTexts;
  first.insert(first.begin(), {"skipped", std::nullopt});
  second.insert(second.begin(), {std::nullopt, "skipped"});
  first.push_back(std::nullopt);
  second.push_back("beyond");
  const Doubles scores = {std::nullopt, {99}, {0}, {1}, {-1}, std::nullopt};
  // All nulls lie outside of what is shown, so that each column's own null_count would be 0.
  const auto shown = [](ArrowColumn column) {
    column = sliced(std::move(column), 2, 3);
    column.nulls = 0;
    return column;
  };
  Stream columns({{{shown(text_column("sentence1", first)), shown(text_column<int64_t>("sentence2", second)),
                    shown(number_column<double>("score", scores))}}});
  EXPECT_EQ(rows(columns), kRows);
  Stream whole({{{text_column("sentence1", first), text_column<int64_t>("sentence2", second),
                  number_column<double>("score", scores)},
                 2,
                 3}});
  EXPECT_EQ(rows(whole), kRows);
  // Both at once: one row from the batch's offset, one from each column's.
  Stream both({{{sliced(text_column("sentence1", first), 1, 5),
                 sliced(text_column<int64_t>("sentence2", second), 1, 5),
                 sliced(number_column<double>("score", scores), 1, 5)},
                1,
                3}});
  EXPECT_EQ(rows(both), kRows);
}

TEST_F(ArrowDatasets, NullsThatAreNotCountedAreSeen) {
  ArrowColumn first = text_column("sentence1", {{"one"}, std::nullopt});
  first.nulls = -1;  // not computed
  Stream stream(
      {{{first, text_column("sentence2", {{"b"}, {"d"}}), number_column<double>("score", {{0}, {1}})}}});
  EXPECT_EQ(not_read(HONE_EFORMAT, stream).row(), 1);
  ArrowColumn none = text_column("sentence1", {{"one"}, {"two"}});
  none.nulls = -1;
  Stream fine(
      {{{none, text_column("sentence2", {{"b"}, {"d"}}), number_column<double>("score", {{0}, {1}})}}});
  EXPECT_EQ(rows(fine).size(), 2u);
}

TEST_F(ArrowDatasets, ABrokenValueIsNamedByRowAndColumn) {
  const double infinity = std::numeric_limits<double>::infinity();
  struct Case {
    Texts first, second;
    Doubles scores;
    const char* column;
    int64_t row;
  };
  const std::vector<Case> cases = {{{"a", std::nullopt}, {"b", "d"}, {{0}, {1}}, "sentence1", 1},
                                   {{"a", "c"}, {std::nullopt, "d"}, {{0}, {1}}, "sentence2", 0},
                                   {{"a", "c"}, {"b", "d"}, {{0}, std::nullopt}, "score", 1},
                                   {{"a", "c"}, {"b", "d\xff"}, {{0}, {1}}, "sentence2", 1},
                                   {{"a", "c"}, {"b", "d"}, {{0}, {std::nan("")}}, "score", 1},
                                   {{"a", "c"}, {"b", "d"}, {{-infinity}, {1}}, "score", 0}};
  for (const Case& c : cases) {
    const ArrowBatch fine = batch(number_column<double>("score", {{0}, {1}, {-1}}));
    Stream stream({fine,
                   {{text_column("sentence1", c.first), text_column("sentence2", c.second),
                     number_column<double>("score", c.scores)}},
                   fine});
    const Failure failure = not_read(HONE_EFORMAT, stream);
    EXPECT_EQ(failure.row(), 3 + c.row) << failure.message();
    EXPECT_NE(failure.message().find(c.column), std::string::npos) << failure.message();
  }
}

TEST_F(ArrowDatasets, RolesByOption) {
  const auto named = [](const char* a, const char* b, const char* c) {
    return std::vector<ArrowBatch>{{{text_column(a, kFirstTexts), text_column(b, kSecondTexts),
                                     number_column<double>(c, {{0}, {1}, {-1}})}}};
  };
  Stream stream(named("question", "answer", "rating"));
  EXPECT_EQ(rows(stream, {{"data.columns", "sentence1=question,sentence2=answer,score=rating"}}), kRows);
  Stream unnamed(named("first", "second", "rating"));
  EXPECT_NE(not_read(HONE_EFORMAT, unnamed).message().find("sentence1"), std::string::npos);
  Stream unknown(named("sentence1", "sentence2", "score"));
  EXPECT_EQ(not_read(HONE_EINVAL, unknown, {{"data.columns", "sentence9=x"}}).subject(), "data.columns");
}

TEST_F(ArrowDatasets, ASchemaThatDoesNotFit) {
  Stream missing({{{text_column("sentence1", kFirstTexts), text_column("sentence2", kSecondTexts)}}});
  EXPECT_NE(not_read(HONE_EFORMAT, missing, {{"train.loss", "cosine"}}).message().find("score"),
            std::string::npos);
  Stream text_label({batch(text_column("score", {{"0"}, {"1"}, {"2"}}))});
  const std::string message = not_read(HONE_EFORMAT, text_label).message();
  EXPECT_NE(message.find("score"), std::string::npos) << message;
  Stream number_text(
      {{{number_column<double>("sentence1", {{0}, {1}, {2}}), text_column("sentence2", kSecondTexts),
         number_column<double>("score", {{0}, {1}, {-1}})}}});
  EXPECT_NE(not_read(HONE_EFORMAT, number_text).message().find("sentence1"), std::string::npos);
  Stream twice(
      {{{text_column("sentence1", kFirstTexts), text_column("sentence1", kFirstTexts),
         text_column("sentence2", kSecondTexts), number_column<double>("score", {{0}, {1}, {-1}})}}});
  EXPECT_NE(not_read(HONE_EFORMAT, twice).message().find("sentence1"), std::string::npos);
  Stream no_struct({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  no_struct.state().root_format = "u";
  not_read(HONE_EFORMAT, no_struct);
}

// Counts and offsets of a stream are not trusted; sums of them must not run over.
TEST_F(ArrowDatasets, CountsThatCannotBe) {
  for (const auto& [offset, length] : {std::pair<int64_t, int64_t>{0, -1},
                                       {-1, 1},
                                       {INT64_MAX, 1},
                                       {1, INT64_MAX},
                                       {0, INT64_MAX},
                                       {0, 4},
                                       {2, 2}}) {
    SCOPED_TRACE(std::to_string(offset) + ", " + std::to_string(length));
    ArrowBatch whole = batch(number_column<double>("score", {{0}, {1}, {-1}}));
    whole.offset = offset;
    whole.length = length;
    Stream rows_of_batch({whole});
    not_read(HONE_EFORMAT, rows_of_batch);
  }
  for (const int64_t offset : {int64_t{-1}, INT64_MIN}) {
    SCOPED_TRACE(offset);
    ArrowColumn score = number_column<double>("score", {{0}, {1}, {-1}});
    score.offset = offset;
    Stream column({batch(score)});
    not_read(HONE_EFORMAT, column);
  }
  Stream fewer({batch(number_column<double>("score", {{0}, {1}}))});
  not_read(HONE_EFORMAT, fewer);
}

TEST_F(ArrowDatasets, ATextThatEndsBeforeItBeginsIsNamedByItsRow) {
  const ArrowBatch fine = batch(number_column<double>("score", {{0}, {1}, {-1}}));
  ArrowBatch broken = fine;
  broken.columns[0].buffers[1] = bytes_of_values<int32_t>({0, 3, 1, 8});
  Stream stream({fine, broken});
  const Failure failure = not_read(HONE_EFORMAT, stream);
  EXPECT_EQ(failure.row(), 4) << failure.message();
  EXPECT_NE(failure.message().find("sentence1"), std::string::npos) << failure.message();
}

TEST_F(ArrowDatasets, AStreamThatFailsIsQuoted) {
  Stream schema({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  schema.state().schema_error = EIO;
  schema.state().message = "no schema today";
  EXPECT_NE(not_read(HONE_EFAILED, schema).message().find("no schema today"), std::string::npos);
  Stream later({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  later.state().next_error = EIO;
  later.state().message = "line one\nline two";
  EXPECT_NE(not_read(HONE_EFAILED, later).message().find("line one"), std::string::npos);
  Stream silent({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  silent.state().next_error = EIO;
  not_read(HONE_EFAILED, silent);
}

TEST_F(ArrowDatasets, ADatasetFromArrowTakesNoRows) {
  Stream stream({batch(number_column<double>("score", {{0}, {1}, {-1}}))});
  const Dataset dataset = read(stream);
  EXPECT_EQ(hone_dataset_size(dataset), 3);
  const hone_value values[] = {{{"a", 1}, 0}, {{"b", 1}, 0}, {{nullptr, 0}, 1}};
  const hone_status status = hone_dataset_add(dataset, values, 3, nullptr);
  EXPECT_TRUE(status == HONE_EINVAL || status == HONE_EBUSY) << status;
}

}  // namespace

}  // namespace hone::testing
