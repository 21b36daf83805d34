// A stream of texts to a stream of vectors.
#include "tests/capi/arrow_streams.h"
#include "tests/capi/host.h"
#include "tests/places.h"

namespace hone::testing {

namespace {

using Texts = std::vector<std::optional<std::string>>;

class EncodeArrow : public ::testing::Test {
 protected:
  void begin(Stream& in, OutStream& out, const Settings& settings = {}) {
    Failure failure;
    require(hone_model_encode_arrow(model, in.raw(), make_config(settings), &out.raw, failure.place()),
            failure);
    EXPECT_EQ(in.raw()->release, nullptr) << "taken over";
  }
  // Every batch of the stream, each as its vectors.
  std::vector<std::vector<float>> batches(OutStream& out) {
    std::vector<std::vector<float>> all;
    for (;;) {
      ArrowArray array{};
      if (out.raw.get_next(&out.raw, &array) != 0) throw std::runtime_error(out.last_error());
      if (array.release == nullptr) return all;
      EXPECT_EQ(array.n_children, 1);
      EXPECT_EQ(array.null_count, 0);
      all.push_back(list_values(array, kDim));
      array.release(&array);
      EXPECT_EQ(array.release, nullptr);
    }
  }
  Failure not_begun(hone_status status, Stream& in, const Settings& settings = {}) {
    const Config config = make_config(settings);
    OutStream out;
    Failure failure = refused(status, [&](hone_error** error) {
      return hone_model_encode_arrow(model, in.raw(), config, &out.raw, error);
    });
    EXPECT_TRUE(in.gone()) << in.standing();
    EXPECT_EQ(out.raw.release, nullptr);
    if (status == HONE_EFORMAT) {
      EXPECT_EQ(failure.subject(), "in") << failure.message();
    }
    return failure;
  }
  // What get_next says of the next batch, which must be wrong.
  static std::string next_error(OutStream& out) {
    ArrowArray array{};
    EXPECT_NE(out.raw.get_next(&out.raw, &array), 0);
    EXPECT_EQ(array.release, nullptr);
    const std::string text = out.last_error();
    EXPECT_FALSE(text.empty());
    return text;
  }

  Runtime runtime = make_runtime();
  Model model = load_model(runtime);
};

const Texts kOptional(kTexts.begin(), kTexts.end());

TEST_F(EncodeArrow, TheSchemaIsOneColumnOfLists) {
  Stream in({{{text_column("text", kOptional)}}});
  OutStream out;
  begin(in, out);
  for (int i = 0; i < 2; ++i) {
    ArrowSchema schema{};
    ASSERT_EQ(out.raw.get_schema(&out.raw, &schema), 0);
    EXPECT_STREQ(schema.format, "+s");
    ASSERT_EQ(schema.n_children, 1);
    EXPECT_STREQ(schema.children[0]->name, "embedding");
    EXPECT_STREQ(schema.children[0]->format, "+w:32");
    ASSERT_EQ(schema.children[0]->n_children, 1);
    EXPECT_STREQ(schema.children[0]->children[0]->format, "f");
    schema.release(&schema);
    EXPECT_EQ(schema.release, nullptr);
  }
}

TEST_F(EncodeArrow, ABatchForEachBatchWithTheSameBits) {
  Stream in(
      {{{text_column("text", kOptional)}}, {{text_column("text", {})}}, {{text_column("text", {{"tea"}})}}});
  OutStream out;
  begin(in, out);
  const auto all = batches(out);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0], encode(model, kTexts));
  EXPECT_EQ(all[1], std::vector<float>());
  EXPECT_EQ(all[2], encode(model, {"tea"}));
  // The end stays the end.
  EXPECT_EQ(batches(out).size(), 0u);
  out.reset();
  EXPECT_TRUE(in.gone()) << in.standing();
}

TEST_F(EncodeArrow, ArraysOutliveTheirStreamTheModelAndTheRuntime) {
  const std::vector<float> expected = encode(model, kTexts);
  Stream in({{{text_column("text", kOptional)}}});
  ArrowArray array{};
  {
    OutStream out;
    begin(in, out);
    model.reset();
    runtime.reset();
    ASSERT_EQ(out.raw.get_next(&out.raw, &array), 0);
  }
  EXPECT_TRUE(in.gone()) << in.standing();
  EXPECT_EQ(list_values(array, kDim), expected);
  array.release(&array);
}

// A consumer may take a column out of a batch and release the batch.
TEST_F(EncodeArrow, AColumnMayBeMovedOutOfItsBatch) {
  Stream in({{{text_column("text", kOptional)}}});
  OutStream out;
  begin(in, out);
  ArrowArray array{};
  ASSERT_EQ(out.raw.get_next(&out.raw, &array), 0);
  ArrowArray column = *array.children[0];
  array.children[0]->release = nullptr;
  array.release(&array);
  const auto* numbers = static_cast<const float*>(column.children[0]->buffers[1]);
  EXPECT_EQ(std::vector<float>(numbers, numbers + kTexts.size() * kDim), encode(model, kTexts));
  column.release(&column);
  ArrowSchema schema{};
  ASSERT_EQ(out.raw.get_schema(&out.raw, &schema), 0);
  ArrowSchema field = *schema.children[0];
  schema.children[0]->release = nullptr;
  schema.release(&schema);
  EXPECT_STREQ(field.name, "embedding");
  field.release(&field);
}

TEST_F(EncodeArrow, TheColumnOfTexts) {
  const std::vector<float> expected = encode(model, {"one"});
  const auto first = [&](Stream& in, const Settings& settings) {
    OutStream out;
    begin(in, out, settings);
    return batches(out).at(0);
  };
  const ArrowColumn other = text_column("other", {{"two"}}), number = number_column<double>("n", {{1}});
  Stream by_name({{{other, text_column<int64_t>("text", {{"one"}}), number}}});
  EXPECT_EQ(first(by_name, {}), expected);
  Stream only({{{text_column("anything", {{"one"}})}}});
  EXPECT_EQ(first(only, {}), expected);
  Stream chosen({{{text_column("text", {{"two"}}), text_column("question", {{"one"}})}}});
  EXPECT_EQ(first(chosen, {{"encode.column", "question"}}), expected);
}

TEST_F(EncodeArrow, Slices) {
  const Texts longer = {"skipped", "tea", "one", std::nullopt};
  ArrowColumn column = sliced(text_column("text", longer), 1, 2);
  column.nulls = 0;
  Stream in({{{column}}, {{text_column("text", longer)}, 1, 2}});
  OutStream out;
  begin(in, out);
  const std::vector<float> expected = encode(model, {"tea", "one"});
  EXPECT_EQ(batches(out), (std::vector<std::vector<float>>{expected, expected}));
}

TEST_F(EncodeArrow, OptionsCount) {
  model = load_model(runtime, std::filesystem::path(testing::kFixtures) / "models" / "max");
  Stream in({{{text_column("text", kOptional)}}});
  OutStream out;
  begin(in, out, {{"encode.normalize", true}});
  const auto vectors = batches(out).at(0);
  EXPECT_EQ(vectors, encode(model, kTexts, {{"encode.normalize", true}}));
  EXPECT_NE(vectors, encode(model, kTexts));
}

TEST_F(EncodeArrow, ASchemaWithoutTextsIsRefusedAtOnce) {
  Stream numbers({{{number_column<double>("text", {{1}})}}});
  EXPECT_NE(not_begun(HONE_EFORMAT, numbers).message().find("text"), std::string::npos);
  Stream two({{{text_column("a", {{"one"}}), text_column("b", {{"one"}})}}});
  not_begun(HONE_EFORMAT, two);
  Stream missing({{{text_column("text", {{"one"}})}}});
  EXPECT_NE(not_begun(HONE_EFORMAT, missing, {{"encode.column", "question"}}).message().find("question"),
            std::string::npos);
  Stream no_struct({{{text_column("text", {{"one"}})}}});
  no_struct.state().root_format = "u";
  not_begun(HONE_EFORMAT, no_struct);
}

TEST_F(EncodeArrow, AStreamWithoutASchemaIsRefused) {
  Stream in({{{text_column("text", {{"one"}})}}});
  in.state().schema_error = EIO;
  in.state().message = "no schema today";
  EXPECT_NE(not_begun(HONE_EFAILED, in).message().find("no schema today"), std::string::npos);
}

TEST_F(EncodeArrow, BrokenTextsAreNamedByTheirRow) {
  for (const std::optional<std::string>& bad :
       {std::optional<std::string>(), std::optional<std::string>("a\xff")}) {
    Stream in({{{text_column("text", {{"one"}, {"two"}})}}, {{text_column("text", {{"three"}, bad})}}});
    OutStream out;
    begin(in, out);
    ArrowArray array{};
    ASSERT_EQ(out.raw.get_next(&out.raw, &array), 0);
    array.release(&array);
    const std::string text = next_error(out);
    EXPECT_NE(text.find('3'), std::string::npos) << text;
    EXPECT_NE(text.find("text"), std::string::npos) << text;
    out.reset();
    EXPECT_TRUE(in.gone()) << in.standing();
  }
}

TEST_F(EncodeArrow, AnInputThatFailsIsQuoted) {
  Stream in({{{text_column("text", {{"one"}})}}});
  in.state().next_error = EIO;
  in.state().message = "the disk is gone";
  OutStream out;
  begin(in, out);
  ArrowArray array{};
  ASSERT_EQ(out.raw.get_next(&out.raw, &array), 0);
  array.release(&array);
  EXPECT_NE(next_error(out).find("the disk is gone"), std::string::npos);
  out.reset();
  EXPECT_TRUE(in.gone()) << in.standing();
}

TEST_F(EncodeArrow, ReleaseBeforeTheEnd) {
  for (const int fetched : {0, 1}) {
    Stream in({{{text_column("text", kOptional)}}, {{text_column("text", kOptional)}}});
    OutStream out;
    begin(in, out);
    for (int i = 0; i < fetched; ++i) {
      ArrowArray array{};
      ASSERT_EQ(out.raw.get_next(&out.raw, &array), 0);
      array.release(&array);
    }
    out.reset();
    EXPECT_TRUE(in.gone()) << in.standing();
  }
}

// The stream of vectors of one model is a stream like any other; here it meets one that wants texts.
TEST_F(EncodeArrow, VectorsAreNoTexts) {
  Stream in({{{text_column("text", kOptional)}}});
  OutStream vectors, out;
  begin(in, vectors);
  EXPECT_EQ(hone_model_encode_arrow(model, &vectors.raw, nullptr, &out.raw, nullptr), HONE_EFORMAT);
  EXPECT_EQ(vectors.raw.release, nullptr);
  EXPECT_TRUE(in.gone()) << in.standing();
}

}  // namespace

}  // namespace hone::testing
