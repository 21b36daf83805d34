// Texts to vectors.
//
// Rules: texts are sorted by length and packed into batches of a token budget; results come in the order of
// the texts and do not depend on the thread count. EncodeOptions::prompt is put in front of each text
// (prompts.h), by default the model's default prompt; truncate_dim or EncodeOptions::dim cuts vectors, as in
// the reference: after all modules (Normalize, too), and normalize comes last. One Encoder is used by one
// thread at a time; several may share an engine. Texts are tokenized a chunk at a time; where a device of its
// own computes, the next chunk is tokenized meanwhile. From a
// source to a sink no more than two chunks are held, with the vectors of one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compute/graph.h"
#include "config/options.h"
#include "encode/text_source.h"
#include "encode/token_ids.h"
#include "encode/vector_sink.h"
#include "model/sentence_model.h"
#include "nn/sentence_encoder.h"

namespace hone::encode {

struct EncodeOptions {
  int32_t dim = 0;         // the first numbers of each vector that are kept; 0: as the model has it
  bool normalize = false;  // to length 1
  std::optional<std::string> prompt;  // before each text; none: the model's default prompt
  // Tokens of a packed batch; 0: as many as suit the engine. One longer text is a batch of its own.
  int64_t batch_tokens = 0;
  std::function<void(size_t done, size_t total)> progress;  // total: 0 where a source does not know it
};
// From encode.* of named options, but for the prompt.
EncodeOptions encode_options(const config::Options& options);
// With the prompt of encode.prompt or encode.role, for this model. Throws UsageError for a name it lacks.
EncodeOptions encode_options(const config::Options& options, const model::SentenceModel& model);

class Encoder {
 public:
  Encoder(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine);
  // Shares parameters that live elsewhere (a trainer's): vectors follow their present values.
  Encoder(std::shared_ptr<const model::SentenceModel> model, std::shared_ptr<compute::Engine> engine,
          const nn::SentenceEncoder& encoder, compute::Parameters& parameters);

  // Of the vectors that these options give. Throws UsageError where the model's are narrower.
  int32_t dim(const EncodeOptions& options = {}) const { return model_->vector_dim(options.dim); }
  // [texts, dim(options)] row-major
  std::vector<float> encode(std::span<const std::string> texts, const EncodeOptions& options = {});
  // All texts of a source, in its order, whatever their number: the same vectors.
  void encode(TextSource& source, VectorSink& sink, const EncodeOptions& options = {});
  // The same from token ids, as tokenize() gives them.
  std::vector<float> encode_ids(const TokenIds& ids, const EncodeOptions& options = {}) {
    return encode_ids(ids, 0, ids.size(), options);
  }
  // Of `count` texts from number `first` on.
  std::vector<float> encode_ids(const TokenIds& ids, size_t first, size_t count,
                                const EncodeOptions& options = {});

 private:
  // A batch on its way: it is read while the next one is computed.
  struct Started {
    std::unique_ptr<compute::Reading> reading;  // none: nothing is on its way
    std::vector<size_t> rows;                   // of the result
    size_t done = 0;                            // texts, with these
  };
  bool computes_elsewhere() const;
  void finish(Started& started, std::span<float> out, const EncodeOptions& options) const;
  // Fills `count` rows of `out`, which is the whole result, from row `begin` on with the texts from number
  // `first` on, but for what is left in `started`.
  void encode_rows(const TokenIds& ids, size_t first, size_t count, size_t begin, std::span<float> out,
                   const EncodeOptions& options, Started& started);

  std::shared_ptr<const model::SentenceModel> model_;
  std::shared_ptr<compute::Engine> engine_;
  std::unique_ptr<compute::Parameters> own_parameters_;
  std::unique_ptr<nn::SentenceEncoder> own_encoder_;
  const nn::SentenceEncoder* encoder_;
  std::unique_ptr<compute::Graph> graph_;
};

// A text and what stands before it.
struct PromptedText {
  std::string_view prompt, text;
};
// Token ids of each text, on the engine's threads, behind those that are there.
void tokenize(const model::SentenceModel& model, compute::Engine& engine, std::span<const PromptedText> texts,
              TokenIds& ids);
TokenIds tokenize(const model::SentenceModel& model, compute::Engine& engine,
                  std::span<const PromptedText> texts);
// All with the same prompt in front; none: the model's default prompt.
TokenIds tokenize(const model::SentenceModel& model, compute::Engine& engine,
                  std::span<const std::string> texts,
                  const std::optional<std::string>& prompt = std::nullopt);

}  // namespace hone::encode
