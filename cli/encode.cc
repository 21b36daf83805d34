// hone encode
#include <iostream>

#include "command.h"
#include "encode/encoder.h"
#include "encode/vectors_file.h"
#include "progress.h"

namespace hone::cli {

int encode(int argc, char** argv) {
  cxxopts::Options options =
      make_options("encode", "Turns texts into vectors, one row per text, in the order of the file.");
  options.add_options()("model", "Folder of the model", cxxopts::value<std::string>(), "DIR")(
      "input", ".txt (a text a line), .jsonl, .csv or .tsv, each also .gz", cxxopts::value<std::string>(),
      "FILE")("column", "Column that holds the texts (default: text)",
              cxxopts::value<std::string>()->default_value(""),
              "NAME")("out", ".npy, .safetensors or .jsonl", cxxopts::value<std::string>(), "FILE")(
      "normalize", "Scale vectors to length 1");
  cxxopts::ParseResult p;
  static constexpr const char* kRequired[] = {"model", "input", "out"};
  if (parse(options, argc, argv, kRequired, p)) return kOk;
  const std::string out = p["out"].as<std::string>();
  encode::check_vectors_path(out);
  const auto engine = make_engine(p);
  const auto model = model::load_model(p["model"].as<std::string>());
  const auto texts = read_texts(p["input"].as<std::string>(), p["column"].as<std::string>());
  encode::Encoder encoder(model, engine);
  encode::EncodeOptions encode_options;
  encode_options.normalize = p.count("normalize") != 0;
  std::vector<float> vectors;
  {
    Progress progress("texts", quiet(p));
    encode_options.progress = [&](size_t done, size_t total) {
      progress.update(static_cast<int64_t>(done), static_cast<int64_t>(total));
    };
    vectors = encoder.encode(texts, encode_options);
  }
  encode::write_vectors(out, vectors, static_cast<int64_t>(texts.size()), encoder.dim());
  if (!quiet(p)) {
    std::cerr << cat("wrote ", texts.size(), " vectors of ", encoder.dim(), " numbers to ", out,
                     ", peak memory ", static_cast<int64_t>(peak_megabytes()), " MB")
              << '\n';
  }
  return kOk;
}

}  // namespace hone::cli
