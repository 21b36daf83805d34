#include "config/option_table.h"

#include <algorithm>
#include <limits>

#include "base/spelling.h"

namespace hone::config {

namespace {

constexpr double kMost = std::numeric_limits<double>::max();
constexpr double kMostCount = 1e9;
constexpr double kMostInteger = 9.3e18;  // above all of int64_t

constexpr OptionInfo kTable[] = {
    {"runtime.threads", Type::integer, "0", "0 to 4096", "Threads to use; 0: one per processor allowed", "N",
     0, 4096},
    {"runtime.device", Type::text, "cpu", "cpu, cuda, cuda:N or torch-cpu",
     "cpu, cuda, cuda:N or torch-cpu; hone info lists them", "NAME"},
    {"runtime.precision", Type::text, "fp32", "fp32 or bf16", "Of matrix products: fp32, on cuda also bf16",
     "NAME", 0, 0, false, false, "fp32|bf16"},
    {"runtime.isa", Type::text, "best", "best, avx512 or avx2",
     "Instructions to use, decided once for a process: best, avx512 (no AMX) or avx2", "NAME", 0, 0, false,
     false, "best|avx512|avx2"},
    {"runtime.weights", Type::text, "mapped", "mapped or read",
     "How a model's file is held: mapped (it must stay as it is meanwhile) or read (a copy in memory)",
     "NAME", 0, 0, false, false, "mapped|read"},

    {"data.columns", Type::text, "", "role=name,role=name",
     "Other names of columns, as role=name,...; a name with a comma in quotes, role=\"a, b\"", "LIST"},

    {"encode.normalize", Type::boolean, "false", "true or false", "Scale vectors to length 1", nullptr},
    {"encode.column", Type::text, "", "the name of a column",
     "Column that holds the texts (default: text, or the only column)", "NAME"},
    {"encode.dim", Type::integer, "", "1 to the width of the model's vectors",
     "Use the first N numbers of each vector (default: as many as the model gives)", "N", 1, kMostCount},

    {"encode.role", Type::text, "none", "none, query or document",
     "Put the model's prompt for a query or a document before the texts; none: its default prompt", "NAME", 0,
     0, false, false, "none|query|document"},
    {"encode.prompt", Type::text, "", "the name of a prompt of the model, or none",
     "Put this prompt of the model before the texts; none: nothing (default: its default prompt)", "NAME"},

    {"search.prompts", Type::text, "roles", "roles, default or none",
     "Prompts put before the query and the corpus. roles: the model's own for each; default: its default "
     "prompt; "
     "none",
     "NAME", 0, 0, false, false, "roles|default|none"},

    {"eval.task", Type::text, "", "sts, binary, triplet, pairs, retrieval or mse",
     "What to score the model on (default: chosen by the data's columns)", "NAME", 0, 0, false, false,
     "sts|binary|triplet|pairs|retrieval|mse"},
    {"eval.similarity", Type::text, "model", "model, cosine, dot, euclidean or manhattan",
     "How two vectors are compared for the first score: cosine, dot, euclidean or manhattan; model: as the "
     "model says (for sts: cosine)",
     "NAME", 0, 0, false, false, "model|cosine|dot|euclidean|manhattan"},
    {"eval.margin", Type::real, "0", "0 or more", "How much nearer a positive must be than its negative", "X",
     0, kMost},
    {"eval.split", Type::text, "test", "the name of a split", "Which qrels file of a BEIR folder", "NAME"},

    {"eval.prompts", Type::text, "roles", "roles, default or none",
     "Prompts put before texts. roles: the model's own for queries and documents; default: its default "
     "prompt; "
     "none",
     "NAME", 0, 0, false, false, "roles|default|none"},

    {"save.overwrite", Type::boolean, "false", "true or false", "Replace a model that is there already",
     nullptr},

    {"train.loss", Type::text, "", "the name of a loss (hone losses lists them)",
     "Loss to train with; hone losses lists them (default: chosen by the columns)", "NAME"},
    {"train.loss_options", Type::text, "", "name=value,...", "Options of the loss, as scale=20", "LIST"},
    {"train.epochs", Type::real, "3", "a number above 0, at most 1000000", "Passes over the data", "X", 0,
     1e6, true},
    {"train.steps", Type::integer, "0", "0 to 1000000000", "Steps to train, instead of epochs; 0: by epochs",
     "N", 0, kMostCount},
    {"train.batch_size", Type::integer, "32", "1 to 65536", "Rows that a loss sees at once", "N", 1, 65536},
    {"train.accumulate", Type::integer, "1", "1 to 65536",
     "Batches whose gradients make one step; rows of different batches are not compared with each other", "N",
     1, 65536},
    {"train.memory", Type::text, "", "bytes, as 2G or 800M",
     "Limit on memory; with a GPU, on its memory. A larger batch is computed in pieces (default: 3/4 of what "
     "there is)",
     "SIZE"},
    {"train.sampler", Type::text, "random", "random or no-duplicates",
     "random; no-duplicates: no text twice in a batch, epochs of as many batches as the first", "NAME", 0, 0,
     false, false, "random|no-duplicates"},
    {"train.mask_similarity", Type::real, "", "a number above -1, at most 1",
     "Leave out negatives whose cosine with a row's texts, by the base model, is above this", "X", -1, 1,
     true},
    {"train.vector_cache", Type::text, "", "the name of a folder",
     "Folder that keeps the base model's vectors for later runs", "DIR"},
    {"train.lr", Type::real, "5e-5", "0 to below 10", "Highest learning rate", "X", 0, 10, false, true},
    {"train.warmup_ratio", Type::real, "0", "0 to 1", "Share of the steps in which the rate rises to lr", "X",
     0, 1},
    {"train.schedule", Type::text, "linear", "linear, constant or cosine",
     "How the rate falls after that: linear, cosine, or constant (it stays)", "NAME", 0, 0, false, false,
     "linear|constant|cosine"},
    {"train.weight_decay", Type::real, "0", "0 to below 1", "AdamW's decay, not of biases and norms", "X", 0,
     1, false, true},
    {"train.max_grad_norm", Type::real, "1", "0 (off) or more", "Clip gradients to this length; 0: off", "X",
     0, kMost},
    {"train.dropout", Type::real, "", "0 to below 1", "Probability of dropout (default: the model's own)",
     "X", 0, 1, false, true},
    {"train.freeze", Type::text, "", "a regular expression",
     "Do not train the tensors, and heads of the loss, whose name matches this regular expression", "REGEX"},
    {"train.rates", Type::text, "", "REGEX=RATE;...",
     "Other learning rates for the tensors, and heads of the loss, whose name matches a regular expression",
     "LIST"},
    {"train.label_scale", Type::real, "", "a number above 0",
     "Divide labels by this (default: read off the data)", "X", 0, kMost, true},
    {"train.max_seq_length", Type::integer, "", "1 to 1000000000",
     "Cut texts to this many tokens (default: the model's own limit)", "N", 1, kMostCount},
    {"train.seed", Type::integer, "42", "0 to 9223372036854775807", "Seed of row order and dropout", "N", 0,
     kMostInteger},
    {"train.no_shuffle", Type::boolean, "false", "true or false", "Take the rows in the order of the file",
     nullptr},
    {"train.prompts", Type::text, "none", "none, default or roles",
     "Prompts put before the texts trained on. none; default: the model's default prompt; roles: its own for "
     "queries "
     "(anchors) and documents",
     "NAME", 0, 0, false, false, "none|default|roles"},
    {"train.hold_out", Type::real, "0", "0 to below 1",
     "Keep this share of the rows, chosen by their anchors, to evaluate on; 0: none", "X", 0, 1, false, true},
    {"train.metric", Type::text, "", "a score of the evaluation",
     "Score that chooses the best step (default: the task's first)", "NAME"},
    {"train.eval_steps", Type::integer, "", "1 to 1000000000",
     "Evaluate every N steps (default: after each epoch)", "N", 1, kMostCount},
    {"train.eval_share", Type::real, "1", "above 0, at most 1",
     "Skip evaluations that would take more than this share of the time; never the last", "X", 0, 1, true},
    {"train.patience", Type::integer, "0", "0 to 1000000000",
     "End after N evaluations without a better score; 0: never; a larger one goes on (resume)", "N", 0,
     kMostCount},
    {"train.min_gain", Type::real, "0", "0 or more", "How much a score must rise to count as better", "X", 0,
     kMost},
    {"train.max_minutes", Type::real, "0", "0 (no end) or more",
     "End training after so many minutes of this call; resume goes on", "X", 0, kMost},
    {"train.checkpoint_minutes", Type::real, "0", "0 (never) or more",
     "Keep a checkpoint every X minutes, too", "X", 0, kMost},
    {"train.checkpoint_steps", Type::integer, "500", "0 to 1000000000",
     "Keep a checkpoint every N steps; 0: only when interrupted", "N", 0, kMostCount},
    {"train.out", Type::text, "", "the name of a folder",
     "Folder for the tuned model and, until then, checkpoints", "DIR"},
    {"train.existing", Type::text, "refuse", "refuse, resume or overwrite",
     "What to do where OUT holds a run already: refuse, resume or overwrite", "NAME", 0, 0, false, false,
     "refuse|resume|overwrite"},
};

}  // namespace

std::string OptionInfo::flag() const {
  std::string out(name());
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::span<const OptionInfo> option_table() {
  return kTable;
}

const OptionInfo* find_option(std::string_view key) {
  for (const OptionInfo& info : kTable) {
    if (key == info.key) return &info;
  }
  return nullptr;
}

std::string_view nearest_key(std::string_view key) {
  constexpr size_t kLongest = 64;  // of a key worth comparing: the work grows with its length
  key = key.substr(0, kLongest);
  // Whoever leaves out the group ("batch_size") means the key that ends so.
  auto cost = [&](const OptionInfo& info) {
    return std::min(spelling_distance(key, info.key), spelling_distance(key, info.name()) + 1);
  };
  return std::min_element(std::begin(kTable), std::end(kTable),
                          [&](const auto& a, const auto& b) { return cost(a) < cost(b); })
      ->key;
}

}  // namespace hone::config
