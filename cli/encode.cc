// hone encode
#include <iostream>

#include "base/file.h"
#include "command.h"
#include "encode/encoder.h"
#include "encode/vectors_file.h"
#include "progress.h"

namespace hone::cli {

int encode(int argc, char** argv) {
  Arguments arguments("encode", "Turns texts into vectors, one row per text, in the order of the file.",
                      {"model", "input", "out"});
  arguments.add("", {{"model", "DIR", "Folder of the model"},
                     {"input", "FILE", "Texts: .txt (one a line), .jsonl, .csv or .tsv, also .gz"},
                     {"out", "FILE", "Vectors: .npy, .safetensors or .jsonl"}});
  arguments.add("", {"encode.column", "encode.dim", "encode.normalize"});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const fs::path out = arguments.path("out");
  encode::check_vectors_path(out);
  check_output(arguments, "out", {"input"});
  const auto engine = make_engine(arguments);
  { StagedFile writable(out); }  // a file that cannot be written is found now, not after hours
  const auto model = model::load_model(arguments.path("model"));
  encode::EncodeOptions options = encode::encode_options(arguments.configured());
  const int32_t dim = model->vector_dim(options.dim);
  const auto texts = read_texts(arguments, arguments.path("input"));
  encode::Encoder encoder(model, engine);
  std::vector<float> vectors;
  {
    Progress progress("texts", arguments.given("quiet"));
    options.progress = [&](size_t done, size_t total) { progress.update(done, total); };
    vectors = encoder.encode(texts, options);
  }
  encode::write_vectors(out, vectors, static_cast<int64_t>(texts.size()), dim);
  if (!arguments.given("quiet")) {
    std::cerr << cat("wrote ", texts.size(), " vectors of ", dim, " numbers to ", out, ", peak memory ",
                     static_cast<int64_t>(peak_megabytes()), " MB")
              << '\n';
  }
  return kOk;
}

}  // namespace hone::cli
