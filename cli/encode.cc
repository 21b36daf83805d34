// hone encode
#include <iostream>
#include <optional>

#include "command.h"
#include "encode/encoder.h"
#include "encode/prompts.h"
#include "encode/text_file.h"
#include "encode/vectors_file.h"
#include "progress.h"

namespace hone::cli {

namespace {

constexpr const char* kStandard = "-";  // input or output

// Standard output has neither a name, which gives the format, nor a way back to its first byte.
void check_out(const Arguments& arguments, bool to_output) {
  const std::string format = arguments.given("format") ? arguments.text("format") : "";
  if (!to_output) {
    if (!format.empty()) fail_usage("option --format is for --out -, a file is written as its name ends");
    encode::vectors_format(arguments.path("out"));
    return;
  }
  for (const char* option : {"resume", "overwrite"}) {
    if (arguments.given(option)) fail_usage("option --", option, " is for a file, found --out -");
  }
  if (format == "jsonl") return;
  if (format == "npy" || format == "safetensors") {
    fail_usage("format: \"", format,
               "\" found, jsonl expected: the number of rows stands in front of the vectors and is known "
               "last, and standard output has no way back; write a file instead");
  }
  fail_usage("format: \"", excerpt(format), "\" found, jsonl expected for --out -");
}

encode::OnPartial on_partial(const Arguments& arguments) {
  if (arguments.given("resume") && arguments.given("overwrite"))
    fail_usage("options --resume and --overwrite exclude each other");
  if (arguments.given("resume")) return encode::OnPartial::resume;
  return arguments.given("overwrite") ? encode::OnPartial::overwrite : encode::OnPartial::refuse;
}

// What vectors depend on besides texts.
model::Identity made_with(const model::SentenceModel& model, const compute::Engine& engine,
                          const encode::EncodeOptions& options, const Arguments& arguments) {
  const std::string prompt = options.prompt.value_or(model.prompt());
  return {{"model", model::model_identity(model)},
          {"normalize", arguments.given("normalize") ? "yes" : "no"},
          {"prompt", prompt.empty() ? "none" : prompt},
          {"device", engine.name()},
          {"precision", arguments.text("precision")}};
}

}  // namespace

int encode(int argc, char** argv) {
  Arguments arguments("encode",
                      "Turns texts into vectors, one row per text, in the order of the file.\n\n"
                      "Memory does not grow with the number of texts. A run that is killed leaves\n"
                      "what it has as OUT.partial, with OUT.partial.json, for --resume.",
                      {"model", "input", "out"});
  arguments.add(
      "", {{"model", "DIR", "Folder of the model"},
           {"input", "FILE", "Texts: .txt (one a line), .jsonl, .csv or .tsv, also .gz; -: standard input"},
           {"input-format", "NAME", "That of the input, where its name does not say: txt, csv.gz, ..."},
           {"out", "FILE", "Vectors: .npy, .safetensors or .jsonl; -: standard output"},
           {"format", "NAME", "Of standard output: jsonl"},
           {"resume", nullptr, "Go on with what a killed run left, if anything"},
           {"overwrite", nullptr, "Begin anew in spite of what a killed run left"}});
  arguments.add("", {"encode.column", "encode.role", "encode.prompt", "encode.dim", "encode.normalize"});
  add_device(arguments);
  if (!arguments.parse(argc, argv)) return kOk;
  const fs::path out = arguments.path("out"), input = arguments.path("input");
  const bool to_output = out == kStandard, quiet = arguments.given("quiet");
  check_out(arguments, to_output);
  if (!to_output) check_output(arguments, "out", {"input"});
  const encode::OnPartial existing = on_partial(arguments);
  if (input == kStandard && !arguments.given("input-format"))
    fail_usage("option --input-format is missing, which --input - needs: txt, jsonl, csv or tsv");
  const auto engine = make_engine(arguments);
  // A file that cannot be written is found now, not after hours.
  std::optional<encode::VectorsFile> file;
  if (!to_output) file.emplace(out, encode::vectors_format(out), existing);
  const auto model = load_model(arguments, arguments.path("model"));
  encode::EncodeOptions options = encode::encode_options(arguments.configured(), *model);
  const int32_t dim = model->vector_dim(options.dim);
  encode::VectorsOutput output(dim);
  encode::TextFile texts(input, read_text_options(arguments));
  texts.check();
  if (file) {
    file->begin(dim, made_with(*model, *engine, options, arguments));
    file->skip_texts(texts, texts.name());
  }
  const int64_t found = file ? file->kept() : 0;
  encode::Encoder encoder(model, engine);
  try {
    Progress progress("texts", quiet);
    if (found > 0) progress.line(cat("going on with ", found, " vectors"));
    options.progress = [&](size_t done, size_t total) {
      progress.update(static_cast<int64_t>(done), static_cast<int64_t>(total));
    };
    encoder.encode(texts, file ? static_cast<encode::VectorSink&>(*file) : output, options);
  } catch (const Error& error) {
    if (!file || file->kept() == 0) throw;
    fail(error.what(), "; ", file->kept(), " vectors are kept, go on with --resume");
  }
  if (!quiet) {
    const std::string said =
        encode::has_prompts(*model)
            ? cat(", prompts: ", encode::prompts_line({{"texts", options.prompt.value_or(model->prompt())}}))
            : "";
    std::cerr << cat("wrote ", file ? file->rows() : output.rows(), " vectors of ", dim, " numbers to ",
                     to_output ? fs::path("standard output") : out, said, ", peak memory ",
                     static_cast<int64_t>(peak_megabytes()), " MB")
              << '\n';
  }
  return kOk;
}

}  // namespace hone::cli
