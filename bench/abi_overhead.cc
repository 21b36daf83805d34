// The same work through the C++ core and through the C interface, for counting instructions
// (abi_overhead.py).
//
//   abi_overhead core|capi encode|train MODEL PAIRS COUNT     COUNT: texts to encode, or steps of 2 pairs
#include <hone.h>

#include <charconv>
#include <iostream>

#include "base/error.h"
#include "compute/device.h"
#include "encode/encoder.h"
#include "train/data_roles.h"
#include "train/trainer.h"

namespace {

using namespace hone;  // NOLINT(google-build-using-namespace): a program, not a header

data::Table read_pairs(const std::string& file) {
  return data::read_table(file, train::roles_of(loss::find_loss("cosine"), data::column_names(file), {}));
}

std::vector<std::string> texts_of(const std::string& file, size_t count) {
  const data::Table table = read_pairs(file);
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) texts.push_back(table.text("sentence1")[i % table.rows]);
  return texts;
}

double core_encode(const std::string& model, const std::string& file, size_t count) {
  const auto texts = texts_of(file, count);
  encode::Encoder encoder(model::load_model(model), compute::create_engine({"cpu", "fp32", 1}));
  double sum = 0;
  for (float x : encoder.encode(texts)) sum += static_cast<double>(x);
  return sum;
}

double core_train(const std::string& model, const std::string& file, size_t count) {
  train::TrainOptions options;
  options.steps = static_cast<int64_t>(count);
  options.batch_size = 2;
  options.max_seq_length = 16;
  train::Trainer trainer(model::load_model(model), compute::create_engine({"cpu", "fp32", 1}),
                         read_pairs(file), nullptr, options);
  double sum = 0;
  train::TrainCallbacks callbacks;
  callbacks.step = [&](const train::StepReport& report) { sum += report.loss; };
  trainer.run(callbacks);
  return sum;
}

void check(hone_status status, hone_error* error) {
  if (status != HONE_OK) fail(hone_error_message(error));
}

double capi_run(bool encode, const char* folder, const char* file, size_t count) {
  hone_error* error = nullptr;
  hone_config* config = nullptr;
  hone_runtime* runtime = nullptr;
  hone_model* model = nullptr;
  check(hone_config_create(&config, &error), error);
  check(hone_config_set_int(config, "runtime.threads", 1, &error), error);
  check(hone_config_set_int(config, "train.steps", static_cast<int64_t>(count), &error), error);
  check(hone_config_set_int(config, "train.batch_size", 2, &error), error);
  check(hone_config_set_int(config, "train.max_seq_length", 16, &error), error);
  check(hone_runtime_create(config, &runtime, &error), error);
  check(hone_model_load(runtime, folder, &model, &error), error);
  double sum = 0;
  if (encode) {
    const auto texts = texts_of(file, count);
    std::vector<hone_str> views;
    for (const std::string& text : texts) views.push_back({text.data(), text.size()});
    std::vector<float> out(count * static_cast<size_t>(hone_model_dim(model)));
    check(hone_model_encode(model, views.data(), count, nullptr, out.data(), out.size(), &error), error);
    for (float x : out) sum += static_cast<double>(x);
  } else {
    hone_dataset* dataset = nullptr;
    hone_trainer* trainer = nullptr;
    hone_job* job = nullptr;
    check(hone_dataset_read(runtime, file, nullptr, &dataset, &error), error);
    check(hone_trainer_create(model, dataset, nullptr, config, &trainer, &error), error);
    hone_job_callbacks callbacks{};
    callbacks.struct_size = sizeof callbacks;
    callbacks.user_data = &sum;
    callbacks.on_progress = [](void* total, const hone_progress* p) {
      *static_cast<double*>(total) += p->loss;
      return int32_t{0};
    };
    check(hone_trainer_start(trainer, &callbacks, &job, &error), error);
    check(hone_job_wait(job, -1, &error), error);
    hone_job_release(job);
    hone_trainer_release(trainer);
    hone_dataset_release(dataset);
  }
  hone_model_release(model);
  hone_runtime_release(runtime);
  hone_config_release(config);
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 6) fail("usage: abi_overhead core|capi encode|train MODEL PAIRS COUNT");
    const std::string side = argv[1], work = argv[2], typed = argv[5];
    size_t count = 0;
    std::from_chars(typed.data(), typed.data() + typed.size(), count);
    const bool encode = work == "encode";
    const double sum = side == "capi" ? capi_run(encode, argv[3], argv[4], count)
                       : encode       ? core_encode(argv[3], argv[4], count)
                                      : core_train(argv[3], argv[4], count);
    std::cout << sum << '\n';
    return 0;
  } catch (const std::exception& e) {
    std::cerr << "abi_overhead: " << e.what() << '\n';
    return 1;
  }
}
