#include "encode/encoder.h"

#include <algorithm>
#include <cmath>
#include <future>
#include <numeric>
#include <system_error>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "encode/prompts.h"

namespace hone::encode {

namespace {

constexpr size_t kChunk = 1 << 15;  // texts tokenized and sorted together: bounds memory
constexpr int64_t kTokenizeBlock = 16;

void normalize_rows(std::span<float> vectors, int32_t dim) {
  for (size_t at = 0; at < vectors.size(); at += static_cast<size_t>(dim)) {
    double square = 0;
    for (int32_t i = 0; i < dim; ++i)
      square += static_cast<double>(vectors[at + i]) * static_cast<double>(vectors[at + i]);
    const double inverse = 1 / std::max(std::sqrt(square), 1e-12);
    for (int32_t i = 0; i < dim; ++i) vectors[at + i] = static_cast<float>(vectors[at + i] * inverse);
  }
}

// text_at(i): a PromptedText. A chunk at a time, so that only one is held twice.
template <class TextAt>
void add_ids(const model::SentenceModel& model, compute::Engine& engine, size_t texts, TokenIds& ids,
             const TextAt& text_at) {
  std::vector<std::vector<int32_t>> chunk;
  for (size_t begin = 0; begin < texts; begin += kChunk) {
    chunk.assign(std::min(kChunk, texts - begin), {});
    const auto count = static_cast<int64_t>(chunk.size());
    engine.parallel((count + kTokenizeBlock - 1) / kTokenizeBlock, [&](int64_t block) {
      for (int64_t i = block * kTokenizeBlock; i < std::min(count, (block + 1) * kTokenizeBlock); ++i) {
        const PromptedText one = text_at(begin + static_cast<size_t>(i));
        chunk[static_cast<size_t>(i)] = one.prompt.empty()
                                            ? model.tokenizer->encode(one.text)
                                            : model.tokenizer->encode(cat(one.prompt, one.text));
      }
    });
    for (const std::vector<int32_t>& text : chunk) ids.add(text);
  }
}

// On a thread of its own, where one can be had; else when it is asked for.
template <class Work>
std::future<std::invoke_result_t<Work>> ahead(const Work& work) {
  try {
    return std::async(std::launch::async, work);
  } catch (const std::system_error&) {
    return std::async(std::launch::deferred, work);
  }
}

}  // namespace

EncodeOptions encode_options(const config::Options& options) {
  EncodeOptions made;
  if (options.given("encode.dim")) made.dim = static_cast<int32_t>(options.integer("encode.dim"));
  made.normalize = options.boolean("encode.normalize");
  return made;
}

EncodeOptions encode_options(const config::Options& options, const model::SentenceModel& model) {
  EncodeOptions made = encode_options(options);
  const std::string role = options.text("encode.role");
  if (options.given("encode.prompt")) {
    if (options.given("encode.role"))
      throw config::OptionError("encode.prompt", "prompt and role exclude each other: one names the prompt");
    const std::string name = options.text("encode.prompt");
    made.prompt = name == "none" && !model.prompts.contains(name) ? "" : named_prompt(model, name);
  } else if (role != "none") {
    made.prompt = prompt_for(model, role == "query" ? Role::query : Role::document);
  }
  return made;
}

TokenIds tokenize(const model::SentenceModel& model, compute::Engine& engine,
                  std::span<const std::string> texts, const std::optional<std::string>& prompt) {
  const std::string before = prompt.value_or(model.prompt());
  TokenIds ids;
  add_ids(model, engine, texts.size(), ids, [&](size_t i) { return PromptedText{before, texts[i]}; });
  return ids;
}

TokenIds tokenize(const model::SentenceModel& model, compute::Engine& engine,
                  std::span<const PromptedText> texts) {
  TokenIds ids;
  tokenize(model, engine, texts, ids);
  return ids;
}

void tokenize(const model::SentenceModel& model, compute::Engine& engine, std::span<const PromptedText> texts,
              TokenIds& ids) {
  add_ids(model, engine, texts.size(), ids, [&](size_t i) { return texts[i]; });
}

Encoder::Encoder(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine)
    : model_(std::move(model)),
      engine_(std::move(engine)),
      own_parameters_(engine_->parameters()),
      own_encoder_(std::make_unique<nn::SentenceEncoder>(*model_, *own_parameters_, nn::EncoderOptions{})),
      encoder_(own_encoder_.get()),
      graph_(engine_->graph(*own_parameters_)) {}

Encoder::Encoder(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
                 const nn::SentenceEncoder& encoder, compute::Parameters& parameters)
    : model_(std::move(model)),
      engine_(std::move(engine)),
      encoder_(&encoder),
      graph_(engine_->graph(parameters)) {}

std::vector<float> Encoder::encode(std::span<const std::string> texts, const EncodeOptions& options) {
  const int32_t width = dim(options);
  std::vector<float> out(texts.size() * static_cast<size_t>(width));
  auto tokenized = [&](size_t begin) {
    return tokenize(*model_, *engine_, texts.subspan(begin, std::min(kChunk, texts.size() - begin)),
                    options.prompt);
  };
  Started started;
  std::future<TokenIds> next;
  for (size_t begin = 0; begin < texts.size(); begin += kChunk) {
    const auto ids = next.valid() ? next.get() : tokenized(begin);
    if (computes_elsewhere() && begin + kChunk < texts.size())
      next = ahead([&tokenized, begin] { return tokenized(begin + kChunk); });
    encode_rows(ids, 0, ids.size(), begin, out, options, started);
  }
  finish(started, out, options);
  if (options.normalize) normalize_rows(out, width);
  return out;
}

void Encoder::encode(TextSource& source, VectorSink& sink, const EncodeOptions& options) {
  struct Chunk {
    TextBlock block;
    TokenIds ids;
  };
  auto fetch = [&] {
    Chunk chunk;
    if (source.next(chunk.block, kChunk))
      chunk.ids = tokenize(*model_, *engine_, chunk.block.texts, options.prompt);
    chunk.block.texts = std::vector<std::string>();
    return chunk;
  };
  EncodeOptions of_chunk = options;
  for (Chunk chunk = fetch(); !chunk.ids.empty();) {
    if (options.progress) {
      of_chunk.progress = [&](size_t done, size_t) {
        options.progress(chunk.block.first + done, source.count());
      };
    }
    // Read before this one is computed, not after: what cannot be read is then known before the work.
    Chunk next;
    std::future<Chunk> coming;
    if (computes_elsewhere()) {
      coming = ahead(fetch);
    } else {
      next = fetch();
    }
    const std::vector<float> vectors = encode_ids(chunk.ids, of_chunk);
    if (coming.valid()) next = coming.get();
    sink.write(vectors, chunk.block.hash, !next.ids.empty());
    chunk = std::move(next);
  }
  sink.finish();
}

std::vector<float> Encoder::encode_ids(const TokenIds& ids, size_t first, size_t count,
                                       const EncodeOptions& options) {
  const int32_t width = dim(options);
  std::vector<float> out(count * static_cast<size_t>(width));
  Started started;
  for (size_t begin = 0; begin < count; begin += kChunk)
    encode_rows(ids, first + begin, std::min(kChunk, count - begin), begin, out, options, started);
  finish(started, out, options);
  if (options.normalize) normalize_rows(out, width);
  return out;
}

// The threads of the host are free then, and the device has to be kept busy from one chunk to the next.
bool Encoder::computes_elsewhere() const {
  return engine_->device_memory() > 0;
}

void Encoder::finish(Started& started, std::span<float> out, const EncodeOptions& options) const {
  if (!started.reading) return;
  const auto full = static_cast<size_t>(model_->dim()), width = static_cast<size_t>(dim(options));
  std::vector<float> vectors(started.rows.size() * full);
  std::exchange(started.reading, nullptr)->get(vectors);
  for (size_t i = 0; i < started.rows.size(); ++i) {
    std::copy_n(vectors.begin() + static_cast<std::ptrdiff_t>(i * full), width,
                out.begin() + static_cast<std::ptrdiff_t>(started.rows[i] * width));
  }
  if (options.progress) options.progress(started.done, out.size() / width);
}

void Encoder::encode_rows(const TokenIds& ids, size_t first, size_t count, size_t begin, std::span<float> out,
                          const EncodeOptions& options, Started& started) {
  const int64_t batch_tokens = options.batch_tokens > 0 ? options.batch_tokens : engine_->batch_tokens();
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return ids.length(first + a) > ids.length(first + b); });
  std::vector<int32_t> scratch;
  for (size_t last = 0; last < order.size();) {
    nn::TokenBatch batch;
    Started next;
    while (last < order.size() &&
           (next.rows.empty() ||
            batch.tokens() + static_cast<int64_t>(ids.length(first + order[last])) <= batch_tokens)) {
      batch.add(ids.read(first + order[last], scratch), static_cast<uint32_t>(last), 0);
      next.rows.push_back(begin + order[last++]);
    }
    next.done = begin + last;
    graph_->begin(compute::Mode::infer);
    next.reading = graph_->read_later(encoder_->forward(*graph_, batch));
    finish(started, out, options);
    started = std::move(next);
  }
  if (!computes_elsewhere()) finish(started, out, options);
}

}  // namespace hone::encode
