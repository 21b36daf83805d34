// Models: reading, saving, encoding, evaluating.
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "dataset_fill.h"
#include "eval/comparison.h"
#include "eval/scores_json.h"
#include "handles.h"
#include "model/modules.h"
#include "search/nearest_texts.h"
#include "texts.h"

namespace fs = std::filesystem;
using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace hone::capi {

EncoderPool::EncoderPool(std::shared_ptr<const model::SentenceModel> model,
                         std::shared_ptr<compute::Engine> engine)
    : model_(std::move(model)), engine_(std::move(engine)), concurrent_(engine_->name() == "cpu") {
  dim_ = model_->vector_dim();
}

void EncoderPool::lend(const std::function<void(encode::Encoder&)>& work) {
  std::unique_ptr<encode::Encoder> mine;
  std::unique_lock lock(mutex_);
  if (!encoder_) {
    parameters_ = engine_->parameters();
    encoder_ = std::make_unique<nn::SentenceEncoder>(*model_, *parameters_, nn::EncoderOptions{});
  }
  if (!idle_.empty()) {
    mine = std::move(idle_.back());
    idle_.pop_back();
  }
  if (concurrent_) lock.unlock();
  if (!mine) mine = std::make_unique<encode::Encoder>(model_, engine_, *encoder_, *parameters_);
  work(*mine);
  if (concurrent_) lock.lock();
  // More than there are threads would only hold memory.
  if (idle_.size() < static_cast<size_t>(engine_->threads())) idle_.push_back(std::move(mine));
}

std::vector<float> EncoderPool::encode(std::span<const std::string> texts,
                                       const encode::EncodeOptions& options) {
  std::vector<float> out;
  lend([&](encode::Encoder& encoder) { out = encoder.encode(texts, options); });
  return out;
}

std::vector<std::string> copy_texts(const hone_str* texts, size_t count, const char* name) {
  std::vector<std::string> out;
  out.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (texts[i].size > kMostBytes) {
      throw StatusError(HONE_EINVAL, name, cat(name, ": row ", i, " has ", texts[i].size, " bytes"),
                        static_cast<int64_t>(i));
    }
    if (texts[i].data == nullptr && texts[i].size != 0) {
      throw StatusError(HONE_EINVAL, name, cat(name, ": row ", i, " has NULL for ", texts[i].size, " bytes"),
                        static_cast<int64_t>(i));
    }
    const std::string_view text =
        texts[i].size == 0 ? std::string_view() : std::string_view(texts[i].data, texts[i].size);
    const size_t good = text::valid_utf8_prefix(text);
    if (good != text.size()) {
      throw StatusError(HONE_EFORMAT, name,
                        cat(name, ": row ", i, ": found bytes that are not UTF-8 (at byte ", good + 1,
                            "), expected a text"),
                        static_cast<int64_t>(i));
    }
    out.emplace_back(text);
  }
  return out;
}

}  // namespace hone::capi

namespace {

hone::eval::Result run(const hone_model& model, const hone::eval::Evaluation& evaluation) {
  hone::eval::Result result;
  model.encoders.lend(
      [&](hone::encode::Encoder& encoder) { result = evaluation.run(encoder, {.intervals = true}); });
  return result;
}

nlohmann::ordered_json scores_json(const hone::eval::Evaluation& evaluation,
                                   const hone::eval::Result& result) {
  nlohmann::ordered_json j = {{"task", std::string(evaluation.task())}};
  j.update(evaluation.described());
  hone::eval::add_scores(j, result);
  return j;
}

// Of texts whose struct and bytes fit into memory.
constexpr size_t kMostTexts = std::numeric_limits<int64_t>::max() / 64;
void check_count(size_t count, const char* name) {
  if (count > kMostTexts) fail_argument(name, cat(count), "a number of texts that fit into memory");
}

}  // namespace

extern "C" {

hone_status hone_model_load(hone_runtime* runtime, const char* folder, hone_model** out, hone_error** error) {
  return guarded(error, [&] {
    hone_runtime& checked_runtime = checked(runtime, "runtime");
    const std::string_view path = checked_text(folder, "folder");
    hone_model*& made = checked_out(out, "out");
    made = new hone_model(Ref(checked_runtime),
                          hone::model::load_model(fs::path(path), checked_runtime.weights));
  });
}

hone_status hone_model_save(const hone_model* model, const char* folder, const hone_config* options,
                            hone_error** error) {
  return guarded(error, [&] {
    const hone_model& checked_model = checked(model, "model");
    const fs::path path(checked_text(folder, "folder"));
    const bool overwrite = options_of(options).boolean("save.overwrite");
    if (fs::exists(path) && !(fs::is_directory(path) && fs::is_empty(path))) {
      if (!overwrite) hone::fail(path, ": is there already (save.overwrite replaces a model)");
      if (!fs::exists(path / "modules.json") && !fs::exists(path / "config.json")) {
        hone::fail(path, ": holds no model, so it is not replaced");
      }
    }
    hone::model::save_model(*checked_model.model, path, {});
  });
}

int32_t hone_model_dim(const hone_model* model) {
  return guarded_number<int32_t>([&] { return checked(model, "model").encoders.dim(); });
}

int32_t hone_model_max_length(const hone_model* model) {
  return guarded_number<int32_t>([&] { return checked(model, "model").model->max_seq_length; });
}

hone_status hone_model_info(const hone_model* model, hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_model& handle = checked(model, "model");
    hone_buffer*& made = checked_out(out, "out");
    const hone::model::SentenceModel& m = *handle.model;
    nlohmann::ordered_json pooling = nlohmann::ordered_json::array();
    bool normalizes = false;
    for (const auto& module : m.modules) {
      for (const auto mode : module.pooling) pooling.push_back(hone::model::pooling_mode_name(mode));
      normalizes = normalizes || module.kind == hone::model::Module::Kind::normalize;
    }
    const nlohmann::ordered_json j = {
        {"folder", m.folder.string()},    {"dim", handle.encoders.dim()},
        {"max_length", m.max_seq_length}, {"parameters", m.parameters()},
        {"layers", m.config.layers},      {"hidden_size", m.config.hidden_size},
        {"heads", m.config.heads},        {"pooling", pooling},
        {"similarity", m.similarity},     {"normalizes", normalizes},
        {"prompts", m.prompts},           {"default_prompt", m.default_prompt_name}};
    made = make_json(j);
  });
}

hone_status hone_model_encode(const hone_model* model, const hone_str* texts, size_t count,
                              const hone_config* options, float* out, size_t out_floats, hone_error** error) {
  return guarded(error, [&] {
    const hone_model& handle = checked(model, "model");
    const hone::encode::EncodeOptions encoding =
        hone::encode::encode_options(options_of(options), *handle.model);
    const auto dim = static_cast<size_t>(handle.model->vector_dim(encoding.dim));
    if (count == 0) return;
    if (texts == nullptr) fail_argument("texts", "NULL", cat(count, " texts"));
    if (out == nullptr) fail_argument("out", "NULL", "a place for the vectors");
    if (count > std::numeric_limits<size_t>::max() / sizeof(float) / dim) {
      fail_argument("count", cat(count), "a number of texts whose vectors fit into memory");
    }
    if (out_floats < count * dim) {
      fail_argument("out_floats", cat(out_floats),
                    cat("at least ", count * dim, " (", count, " x ", dim, ")"));
    }
    const std::vector<std::string> copies = copy_texts(texts, count, "texts");
    const std::vector<float> vectors = handle.encoders.encode(copies, encoding);
    std::copy(vectors.begin(), vectors.end(), out);
  });
}

hone_status hone_model_evaluate(const hone_model* model, const hone_dataset* dataset,
                                const hone_config* options, hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_model& handle = checked(model, "model");
    const hone_dataset& checked_dataset = checked(dataset, "dataset");
    const hone::config::Options& given = options_of(options);
    hone_buffer*& made = checked_out(out, "out");
    const auto evaluation =
        make_evaluation(checked_dataset, "dataset", *handle.model, handle.runtime->engine, given);
    made = make_json(scores_json(*evaluation, run(handle, *evaluation)));
  });
}

hone_status hone_model_compare(const hone_model* model, const hone_model* other, const hone_dataset* dataset,
                               const hone_config* options, hone_buffer** out, hone_error** error) {
  return guarded(error, [&] {
    const hone_model& first = checked(model, "model");
    const hone_model& second = checked(other, "other");
    const hone_dataset& checked_dataset = checked(dataset, "dataset");
    const hone::config::Options& given = options_of(options);
    hone_buffer*& made = checked_out(out, "out");
    const auto bound = [&](const hone_model& m) {
      return make_evaluation(checked_dataset, "dataset", *m.model, m.runtime->engine, given,
                             first.model.get());
    };
    const auto evaluation = bound(first), others = bound(second);
    const hone::eval::Result result = run(first, *evaluation), compared = run(second, *others);
    nlohmann::ordered_json j = scores_json(*evaluation, result);
    j["compare"] = hone::eval::comparison_json(*evaluation, result, *others, compared,
                                               hone::eval::compare(*evaluation, result, compared));
    made = make_json(j);
  });
}

hone_status hone_model_nearest(const hone_model* model, const hone_str* corpus, size_t corpus_count,
                               const hone_str* queries, size_t query_count, size_t top,
                               const hone_config* options, int64_t* indices, float* scores, size_t out_places,
                               hone_error** error) {
  return guarded(error, [&] {
    const hone_model& handle = checked(model, "model");
    if (corpus == nullptr && corpus_count > 0) fail_argument("corpus", "NULL", cat(corpus_count, " texts"));
    check_count(corpus_count, "corpus_count");
    if (queries == nullptr && query_count > 0) fail_argument("queries", "NULL", cat(query_count, " texts"));
    check_count(query_count, "query_count");
    if (top < 1 || top > kMostTexts) fail_argument("top", cat(top), cat("1 to ", kMostTexts));
    hone::search::NearestOptions nearest = hone::search::nearest_options(options_of(options));
    handle.model->vector_dim(nearest.dim);  // throws
    if (query_count == 0) return;
    if (indices == nullptr) fail_argument("indices", "NULL", "a place for the indices");
    if (scores == nullptr) fail_argument("scores", "NULL", "a place for the scores");
    if (out_places / query_count < top) {
      fail_argument("out_places", cat(out_places), cat("at least ", query_count, " x ", top));
    }
    nearest.top = static_cast<int64_t>(top);
    const std::vector<std::string> texts = copy_texts(corpus, corpus_count, "corpus");
    const std::vector<std::string> asked = copy_texts(queries, query_count, "queries");
    std::vector<std::vector<hone::search::Hit>> found;
    handle.encoders.lend([&](hone::encode::Encoder& encoder) {
      found =
          hone::search::nearest_texts(asked, texts, *handle.model, *handle.runtime->engine, encoder, nearest);
    });
    for (size_t q = 0; q < query_count; ++q) {
      for (size_t i = 0; i < top; ++i) {
        const bool there = i < found[q].size();
        indices[q * top + i] = there ? found[q][i].index : -1;
        scores[q * top + i] = there ? found[q][i].score : std::numeric_limits<float>::quiet_NaN();
      }
    }
  });
}

hone_model* hone_model_retain(hone_model* model) {
  return retain(model);
}
void hone_model_release(hone_model* model) {
  release(model);
}

}  // extern "C"
