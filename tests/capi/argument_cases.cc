#include "tests/capi/argument_cases.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/places.h"
#include "text/tokenizer.h"

namespace hone::testing {

World* Arguments::world = nullptr;
int Arguments::cases = 0;

namespace {

// Few enough that a trainer is made in no time.
Dataset few_pairs(hone_runtime* runtime) {
  const char* const columns[] = {"sentence1", "sentence2", "score"};
  Dataset dataset;
  Failure failure;
  require(hone_dataset_create(runtime, columns, 3, nullptr, dataset.place(), failure.place()), failure);
  for (double label : {0.0, 0.25, 0.5, 1.0}) {
    const hone_value row[] = {{{"one", 3}, 0}, {{"another", 7}, 0}, {{nullptr, 0}, label}};
    require(hone_dataset_add(dataset, row, 3, failure.place()), failure);
  }
  return dataset;
}

}  // namespace

World::World() {
  hone_config_create(nullptr, error.place());
  config = make_config({});
  runtime = make_runtime();
  model = load_model(runtime);
  dataset = few_pairs(runtime);
  trainer = make_trainer(model, dataset, nullptr, {{"train.steps", 2}});
  job = start(trainer);
  if (end_of(job) != HONE_JOB_FINISHED) throw std::runtime_error("a job of two steps did not finish");
  Failure failure;
  require(hone_model_info(model, buffer.place(), failure.place()), failure);
}

void World::expect_alive() {
  EXPECT_EQ(hone_error_code(error), HONE_EINVAL);
  EXPECT_NE(hone_buffer_data(buffer, nullptr), nullptr);
  EXPECT_EQ(hone_config_set_int(config, "no.such.option", 1, nullptr), HONE_EINVAL);
  Buffer info;
  EXPECT_EQ(hone_runtime_info(runtime, info.place(), nullptr), HONE_OK);
  EXPECT_EQ(hone_model_dim(model), kDim);
  EXPECT_EQ(hone_dataset_size(dataset), 4);
  Model copy;
  EXPECT_EQ(hone_trainer_model(trainer, copy.place(), nullptr), HONE_OK);
  EXPECT_EQ(hone_job_poll(job), HONE_JOB_FINISHED);
}

Values::Block::Block(size_t bytes)
    : memory(new std::max_align_t[bytes / sizeof(std::max_align_t) + 1]), size(bytes) {
  std::memset(memory.get(), 0xA5, size);
  snapshot();
}

void Values::Block::snapshot() {
  const auto* bytes = reinterpret_cast<const unsigned char*>(memory.get());
  before.assign(bytes, bytes + size);
}

void Values::snapshot() {
  for (auto& block : blocks_) block->snapshot();
}

void Values::expect_untouched() const {
  for (const auto& block : blocks_) {
    EXPECT_EQ(std::memcmp(block->memory.get(), block->before.data(), block->size), 0)
        << "an output of " << block->size << " bytes was written to";
  }
}

void Values::expect_streams(bool passed) const {
  if (!stream_) return;
  if (passed) {
    EXPECT_TRUE(stream_->gone()) << stream_->standing();
  } else {
    EXPECT_NE(stream_->raw()->release, nullptr) << stream_->standing();
  }
}

void Values::release_places() {
  for (const auto& release : releases_) release();
  releases_.clear();
}

ArrowArrayStream* Values::out_stream() {
  auto* stream = place<ArrowArrayStream>();
  releases_.push_back([stream, before = *stream] {
    if (std::memcmp(stream, &before, sizeof before) != 0 && stream->release != nullptr)
      stream->release(stream);
  });
  return stream;
}

hone_config* Values::config() {
  config_ = make_config({});
  return config_;
}

hone_dataset* Values::growing_dataset() {
  Failure failure;
  require(hone_dataset_create(world_.runtime, columns_.data(), kColumns, nullptr, growing_.place(),
                              failure.place()),
          failure);
  return growing_;
}

hone_dataset* Values::read_dataset() {
  read_ = read_pairs(world_.runtime);
  return read_;
}

hone_trainer* Values::trainer() {
  trainer_ = make_trainer(world_.model, world_.dataset, nullptr, {{"train.steps", 2}});
  return trainer_;
}

hone_trainer* Values::trainer_after_forward() {
  trainer();
  hone_batch batch = sized<hone_batch>();
  Failure failure;
  require(hone_trainer_forward(trainer_, &batch, failure.place()), failure);
  gradient_.assign(batch.roles * batch.rows * batch.dim, 0.01F);
  return trainer_;
}

const char* Values::new_path() {
  path_ = (folder_ / "model").string();
  return path_.c_str();
}

const char* Values::long_path() {
  path_ = (folder_ / std::string(100000, 'x')).string();
  return path_.c_str();
}

const char* Values::corpus() {
  folder_.write("corpus.jsonl", R"({"_id": "a", "text": "one"}
{"_id": "b", "text": "two"}
)");
  return (corpus_ = (folder_ / "corpus.jsonl").string()).c_str();
}

const char* Values::queries() {
  folder_.write("queries.jsonl", R"({"_id": "q", "text": "one"})");
  return (queries_ = (folder_ / "queries.jsonl").string()).c_str();
}

const char* Values::qrels() {
  folder_.write("qrels.tsv", "query-id\tcorpus-id\tscore\nq\ta\t1\n");
  return (qrels_ = (folder_ / "qrels.tsv").string()).c_str();
}

ArrowArrayStream* Values::texts_stream() {
  stream_ = std::make_unique<Stream>(std::vector<ArrowBatch>{{{text_column("text", {{"one"}, {"two"}})}}});
  return stream_->raw();
}

ArrowArrayStream* Values::pairs_stream() {
  stream_ = std::make_unique<Stream>(std::vector<ArrowBatch>{
      {{text_column("sentence1", {{"one"}, {"two"}}), text_column("sentence2", {{"three"}, {"four"}}),
        number_column<double>("score", {{0.5}, {1.0}})}}});
  return stream_->raw();
}

hone_log_sink Values::silent_sink() {
  hone_log_sink sink = sized<hone_log_sink>();
  sink.on_message = [](void*, int32_t, const char*) {};
  return sink;
}

void Arguments::SetUpTestSuite() {
  world = new World;
}

void Arguments::TearDownTestSuite() {
  delete world;
  world = nullptr;
}

void Arguments::TearDown() {
  EXPECT_GT(cases, 0) << "no case";
  cases = 0;
  world->expect_alive();
}

void Arguments::given(const char* text) {
  ASSERT_NE(text, nullptr);
  EXPECT_TRUE(text::valid_utf8(text)) << text;
}

void Arguments::expect_refusal(hone_status status, const Failure& failure,
                               std::initializer_list<hone_status> statuses, const char* subject,
                               const char* found) {
  EXPECT_NE(std::find(statuses.begin(), statuses.end(), status), statuses.end())
      << hone_status_name(status) << ": " << failure.message();
  EXPECT_TRUE(failure.there());
  EXPECT_EQ(failure.code(), status);
  const std::string message = failure.message();
  EXPECT_FALSE(message.empty());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_TRUE(text::valid_utf8(message)) << message;
  expect_no_flags(message);
  EXPECT_TRUE(text::valid_utf8(failure.subject())) << message;
  if (subject != nullptr) {
    EXPECT_EQ(failure.subject(), subject) << message;
    EXPECT_NE(message.find(subject), std::string::npos) << message;
  }
  if (found != nullptr) {
    EXPECT_NE(message.find(found), std::string::npos) << message << "; expected: " << found;
  }
}

void Arguments::expect_refused(const std::string& what, std::initializer_list<hone_status> statuses,
                               const char* subject, const char* found, const MakeInvocation& make) {
  SCOPED_TRACE(what);
  hone_status status = HONE_OK;
  {
    Values values(*world);
    const Invocation call = make(values);
    values.snapshot();
    Failure failure;
    status = call(failure.place());
    expect_refusal(status, failure, statuses, subject, found);
    values.expect_untouched();
    values.expect_streams(what != "in: NULL" && what != "stream: NULL");
  }
  Values values(*world);
  EXPECT_EQ(make(values)(nullptr), status) << "without a place for the error";
  ran();
}

void Arguments::expect_accepted(const std::string& what, const MakeInvocation& make) {
  SCOPED_TRACE(what);
  Values values(*world);
  hone_error* const marker = reinterpret_cast<hone_error*>(&cases);
  hone_error* error = marker;
  const hone_status status = make(values)(&error);
  EXPECT_EQ(status, HONE_OK) << hone_status_name(status) << ": "
                             << (error == marker ? "no message" : hone_error_message(error));
  if (error != marker) {
    ADD_FAILURE() << "the place of the error was written to";
    hone_error_release(error);
  }
  values.release_places();
  values.expect_streams(true);
  ran();
}

// A text that no memory can hold is refused by its size: reading it to find out would end beyond its memory.
TEST_F(Arguments, ATextLargerThanMemory) {
  ran();
  Values values(*world);
  values.texts()[0].size = SIZE_MAX;
  const hone_status status = hone_model_encode(world->model, values.texts(), Values::kTexts, nullptr,
                                               values.floats(), Values::kFloats, nullptr);
  EXPECT_TRUE(status == HONE_EINVAL || status == HONE_ENOMEM) << hone_status_name(status);
  values.expect_untouched();
  values.row()[0].text.size = SIZE_MAX;
  hone_dataset* dataset = values.growing_dataset();
  const hone_status added = hone_dataset_add(dataset, values.row(), Values::kColumns, nullptr);
  EXPECT_TRUE(added == HONE_EINVAL || added == HONE_ENOMEM) << hone_status_name(added);
  EXPECT_EQ(hone_dataset_size(dataset), 0);
}

// hone.symbols is the list of the functions there are.
TEST(ArgumentCases, EveryFunctionOfTheListHasCases) {
  std::ifstream list(std::string(testing::kSourceFolder) + "/capi/hone.symbols");
  std::vector<std::string> symbols, cases = kFunctionsWithCases;
  for (std::string line, name; std::getline(list, line);) {
    if (!line.starts_with('#') && std::istringstream(line) >> name) symbols.push_back(name);
  }
  std::sort(cases.begin(), cases.end());
  std::sort(symbols.begin(), symbols.end());
  EXPECT_FALSE(symbols.empty());
  EXPECT_EQ(symbols, cases);
}

}  // namespace hone::testing
