// How a run of a Trainer ends: the checkpoint, what a limit leaves to be done, the verdict, the model in OUT.
#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "train/trainer_run.h"

namespace hone::train {

void Trainer::save(Run& run, const fs::path& out) const {
  save_checkpoint(out / "checkpoint", *run.start, *run.encoder, *run.parameters, run.heads, run.state);
}

bool Trainer::patience_is_spent(const RunRecord& state) const {
  return options_.patience > 0 && state.since_best >= options_.patience && !state.evaluation_due &&
         state.step < frame_.steps_total;
}

// Of the run in OUT, where there is nothing left to do: the record of its end. A run that ended by a limit
// has its checkpoint still, and goes on from there unless what ended it still does.
std::optional<RunRecord> Trainer::finished_run(const fs::path& out,
                                               const std::optional<LoadedCheckpoint>& checkpoint) const {
  const fs::path file = out / "training.json";
  if (!checkpoint) return read_run_record(file, out, frame_);
  if (!patience_is_spent(checkpoint->state)) return std::nullopt;
  try {
    RunRecord record = read_run_record(file, out, frame_);
    if (record.step == checkpoint->state.step && !record.ended_early.empty()) return record;
  } catch (const Error&) {  // none, or of another run, which is about to be replaced
  }
  return std::nullopt;
}

// What an earlier part of the run evaluated is evaluated again. A record of an older hone may lack metrics.
bool Trainer::judge(Run& run, const TrainCallbacks& callbacks) const {
  if (!eval_ || !run.state.best) return true;
  const Progress progress = until_stopped(callbacks);
  const auto evaluated = [&](const std::shared_ptr<const model::SentenceModel>& model) {
    return eval_->run(*std::make_unique<encode::Encoder>(model, engine_), {.progress = progress});
  };
  try {
    progress(0, 0);
    if (!run.before) run.before = evaluated(model_);
    if (!run.best) run.best = evaluated(run.start->with_tensors(run.state.best_weights));
    const Verdict verdict{run.best->primary(), run.before->value(), run.best->value(),
                          eval_->difference(*run.before, *run.best)};
    const auto tick = [&] { progress(0, 0); };
    auto before = eval_->intervals(*run.before, tick), best = eval_->intervals(*run.best, tick);
    const auto complete = [](EvalReport& report, const eval::Result& result,
                             std::vector<eval::Interval> intervals) {
      report.intervals = std::move(intervals);
      if (report.metrics.size() < result.metrics.size()) report.metrics = result.metrics;
    };
    complete(*run.state.before, *run.before, std::move(before));
    complete(*run.state.best, *run.best, std::move(best));
    run.state.verdict = verdict;
  } catch (const Stopped&) {
    return false;
  }
  return true;
}

std::shared_ptr<const model::SentenceModel> Trainer::finish(Run& run, const fs::path* out) const {
  const bool kept_best = !run.state.best_weights.empty();
  const auto tuned =
      run.start->with_tensors(kept_best ? run.state.best_weights : run.encoder->read(*run.parameters));
  if (out == nullptr) return tuned;
  model::ModelCard card;
  card.base_model = model_->folder.string();
  card.data = data_.table().path.filename().string();
  for (const auto& part : data_.table().appended) card.data += cat(", ", part.path.filename());
  card.data += cat(", ", data_.rows(), " rows");
  if (held_out_)
    card.data += cat(" to train on and ", held_out_->rows, " held out for the task ", held_out_->task);
  const std::string chosen = loss_options_.text();
  card.loss = cat(loss_.name, chosen.empty() ? "" : cat(" (", chosen, ")"), ": ", loss_.formula);
  card.settings = options_.identity();
  if (encode::has_prompts(*model_))
    card.settings.emplace_back("prompts of the texts trained on", encode::prompts_line(data_.prompts()));
  if (options_.patience > 0) card.settings.emplace_back("patience", cat(options_.patience));
  if (options_.min_gain > 0) card.settings.emplace_back("min-gain", cat(options_.min_gain));
  if (eval_) card.settings.emplace_back("metric", options_.metric);
  if (eval_ && eval_->dim() > 0) card.settings.emplace_back("scored numbers of a vector", cat(eval_->dim()));
  if (loss_.labels == loss::Labels::similarity)
    card.settings.emplace_back("labels divided by", cat(label_scale()));
  if (run.state.before && run.state.best) {
    for (const auto& [name, value] : run.state.before->metrics)
      card.scores.push_back({cat(fs::path(eval_->source()).filename(), held_out_ ? " (held out)" : ""), name,
                             value, run.state.best->value(name)});
  }
  if (run.state.verdict) card.verdict = run.state.verdict->text();
  StagedFolder staged(*out);
  write_model_files(*tuned, staged.path(), card);
  RunRecord done = run.state;
  for (const auto& entry : fs::directory_iterator(staged.path()))
    done.files.push_back(entry.path().filename().string());
  done.files.emplace_back("training.json");
  std::sort(done.files.begin(), done.files.end());
  StagedFile record(staged.path() / "training.json");
  record.write(run_record_json(done));
  record.commit();
  keep_other_files(*out, staged.path());
  if (!run.state.ended_early.empty()) keep_checkpoint(*out, staged.path());
  staged.commit();
  return tuned;
}

}  // namespace hone::train
