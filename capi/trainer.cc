// Trainers: making them, and the host's own loop.
#include <utility>

#include "dataset_fill.h"
#include "job.h"

using hone::cat;
using namespace hone::capi;  // NOLINT(google-build-using-namespace): not a header

namespace {

hone_trainer& idle(hone_trainer* trainer) {
  hone_trainer& t = checked(trainer, "trainer");
  if (t.busy->load()) throw StatusError(HONE_EBUSY, "trainer", "trainer: it has a running job");
  return t;
}

// A step that cannot be is the trainer's (all are done) or an option's.
template <class F>
decltype(auto) stepped(const F& f) {
  try {
    return f();
  } catch (const hone::config::OptionError&) {
    throw;
  } catch (const hone::UsageError& e) {
    throw StatusError(HONE_EINVAL, "trainer", cat("trainer: ", e.what()));
  }
}

void introduce(hone_trainer& t) {
  if (std::exchange(t.introduced, true)) return;
  const auto sink = t.model->runtime->sink();
  for (const std::string& line : t.trainer->introduction()) say(sink.get(), line);
}

void check_progress(const hone_progress* progress) {
  if (progress == nullptr) return;
  check_sized(progress, offsetof(hone_progress, state) + sizeof progress->state, "progress");
}

void tell(hone_trainer& t, const hone::train::StepReport& report, hone_progress* progress) {
  note_step(t.progress, report);
  t.progress.state = report.step == report.steps_total ? HONE_JOB_FINISHED : HONE_JOB_RUNNING;
  if (progress != nullptr) write_sized(progress, t.progress);
}

}  // namespace

extern "C" {

hone_status hone_trainer_create(hone_model* model, hone_dataset* dataset, hone_dataset* evaluation,
                                const hone_config* options, hone_trainer** out, hone_error** error) {
  return guarded(error, [&] {
    hone_model& m = checked(model, "model");
    hone_dataset& rows = checked(dataset, "dataset");
    if (evaluation != nullptr) checked(evaluation, "evaluation");
    const hone::config::Options& given = options_of(options);
    hone_trainer*& made = checked_out(out, "out");
    auto fresh = std::make_unique<hone_trainer>();
    fresh->model = Ref(m);
    fresh->options = given;
    const hone::train::TrainOptions train = hone::train::train_options(given);
    std::shared_ptr<const hone::model::SentenceModel> base = m.model;
    if (train.max_seq_length > 0) {
      try {
        base = base->with_max_seq_length(train.max_seq_length);
      } catch (const hone::Error& e) {
        throw hone::config::OptionError("train.max_seq_length", e.what());
      }
    }
    const hone::data::Table& table = rows.use("dataset");
    hone::train::MakeEvaluation eval;
    if (evaluation != nullptr) {
      // Made by the trainer, for the model as it will be trained.
      eval = [&](const hone::model::SentenceModel& start) {
        return make_evaluation(*evaluation, "evaluation", start, m.runtime->engine, given);
      };
    }
    fresh->trainer = about_data("dataset", [&] {
      return std::make_shared<hone::train::Trainer>(base, m.runtime->engine, hone::train::SharedRows(table),
                                                    eval, train);
    });
    fresh->progress = no_progress(fresh->trainer->steps_total());
    made = fresh.release();
  });
}

hone_status hone_trainer_step(hone_trainer* trainer, hone_progress* progress, hone_error** error) {
  return guarded(error, [&] {
    hone_trainer& t = idle(trainer);
    check_progress(progress);
    introduce(t);
    tell(t, stepped([&] { return t.trainer->step(); }), progress);
  });
}

hone_status hone_trainer_forward(hone_trainer* trainer, hone_batch* batch, hone_error** error) {
  return guarded(error, [&] {
    hone_trainer& t = idle(trainer);
    check_sized(batch, offsetof(hone_batch, indices) + sizeof batch->indices, "batch");
    introduce(t);
    const hone::train::HostBatch& host =
        stepped([&]() -> const hone::train::HostBatch& { return t.trainer->forward(); });
    write_sized(
        batch, hone_batch{0, static_cast<uint64_t>(host.step), static_cast<size_t>(host.rows),
                          static_cast<size_t>(host.roles), static_cast<size_t>(host.dim), host.vectors.data(),
                          host.labels.data(), host.indices.data(), static_cast<size_t>(host.label_width)});
  });
}

hone_status hone_trainer_backward(hone_trainer* trainer, const float* gradient, size_t floats, double loss,
                                  hone_progress* progress, hone_error** error) {
  return guarded(error, [&] {
    hone_trainer& t = idle(trainer);
    if (gradient == nullptr) fail_argument("gradient", "NULL", "the gradient of the vectors");
    check_progress(progress);
    const size_t expected = t.trainer->forwarded_floats();
    if (expected == 0) {
      throw StatusError(HONE_EINVAL, "trainer", "trainer: no forward before this backward, one expected");
    }
    if (floats != expected) fail_argument("floats", cat(floats), cat(expected));
    tell(t, t.trainer->backward({gradient, floats}, loss), progress);
  });
}

hone_status hone_trainer_model(hone_trainer* trainer, hone_model** out, hone_error** error) {
  return guarded(error, [&] {
    hone_trainer& t = idle(trainer);
    hone_model*& made = checked_out(out, "out");
    made = new hone_model(t.model->runtime, t.trainer->tuned());
  });
}

hone_trainer* hone_trainer_retain(hone_trainer* trainer) {
  return retain(trainer);
}
void hone_trainer_release(hone_trainer* trainer) {
  release(trainer);
}

}  // extern "C"
