/*
 * own_loop.c: the host owns the training loop: steps one by one, then steps with a loss of the host's own
 *
 *   ./own_loop MODEL TRAIN OUT [STEPS [OWN]]
 *
 * Of STEPS (20), the last OWN (10) have a loss of this program's: the mean of (cosine - label) squared, with its
 * gradient by the vectors written out below. It is what hone's own loss is, so the second half goes on as the first
 * did; put a loss that hone does not have in its place. hone does the rest of the step: forward, backward, clipping,
 * AdamW, rate.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <hone.h>

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "own_loop: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

static double dot(const float *a, const float *b, size_t n) {
  double sum = 0;
  size_t i;
  for (i = 0; i < n; ++i) sum += (double)a[i] * b[i];
  return sum;
}

/*
 * The loss of a batch, and its gradient by every number of the vectors. With c = u.v / (|u||v|):
 *   dc/du = v / (|u||v|) - c u / |u|^2, and the same for v with the roles exchanged.
 */
static double loss_and_gradient(const hone_batch *batch, float *gradient) {
  const size_t dim = batch->dim, role = batch->rows * batch->dim;
  double loss = 0;
  size_t row, i;
  for (row = 0; row < batch->rows; ++row) {
    const float *u = batch->embeddings + row * dim, *v = u + role;
    float *gradient_u = gradient + row * dim, *gradient_v = gradient_u + role;
    const double uu = dot(u, u, dim), vv = dot(v, v, dim), lengths = sqrt(uu * vv);
    const double c = dot(u, v, dim) / lengths;
    const double difference = c - batch->labels[row];
    const double scale = 2 * difference / (double)batch->rows;
    loss += difference * difference / (double)batch->rows;
    for (i = 0; i < dim; ++i) {
      gradient_u[i] = (float)(scale * (v[i] / lengths - c * u[i] / uu));
      gradient_v[i] = (float)(scale * (u[i] / lengths - c * v[i] / vv));
    }
  }
  return loss;
}

/* A step with the loss above. */
static void own_step(hone_trainer *trainer, hone_progress *progress) {
  hone_error *error = NULL;
  hone_batch batch = {0};
  size_t floats;
  float *gradient;
  double loss;

  batch.struct_size = sizeof batch;
  check(hone_trainer_forward(trainer, &batch, &error), &error);
  floats = batch.roles * batch.rows * batch.dim;
  gradient = malloc(floats * sizeof *gradient);
  if (gradient == NULL) {
    fprintf(stderr, "own_loop: no memory\n");
    exit(1);
  }
  loss = loss_and_gradient(&batch, gradient);
  check(hone_trainer_backward(trainer, gradient, floats, loss, progress, &error), &error);
  free(gradient);
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_config *options = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL, *tuned = NULL;
  hone_dataset *train = NULL;
  hone_trainer *trainer = NULL;
  const long steps = argc > 4 ? strtol(argv[4], NULL, 10) : 20;
  const long own = argc > 5 ? strtol(argv[5], NULL, 10) : steps / 2;
  long step;

  if (argc < 4 || argc > 6 || steps < 1 || own < 0 || own > steps) {
    fprintf(stderr, "usage: own_loop MODEL TRAIN OUT [STEPS [OWN]], OWN at most STEPS\n");
    return 1;
  }
  check(hone_config_create(&options, &error), &error);
  check(hone_config_set_int(options, "train.steps", steps, &error), &error);
  check(hone_config_set_int(options, "train.batch_size", 16, &error), &error);
  check(hone_config_set_real(options, "train.lr", 2e-5, &error), &error);
  check(hone_runtime_create(options, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);
  check(hone_dataset_read(runtime, argv[2], options, &train, &error), &error);
  check(hone_trainer_create(model, train, NULL, options, &trainer, &error), &error);

  for (step = 0; step < steps; ++step) {
    const int is_own = step >= steps - own;
    hone_progress progress = {0};
    progress.struct_size = sizeof progress;
    if (is_own) {
      own_step(trainer, &progress);
    } else {
      check(hone_trainer_step(trainer, &progress, &error), &error);
    }
    printf("step %llu  loss %.6f  rate %.3g%s\n", (unsigned long long)progress.steps_done, progress.loss,
           progress.learning_rate, is_own ? "  own" : "");
  }

  check(hone_trainer_model(trainer, &tuned, &error), &error);
  check(hone_model_save(tuned, argv[3], options, &error), &error);

  hone_model_release(tuned);
  hone_trainer_release(trainer);
  hone_dataset_release(train);
  hone_model_release(model);
  hone_runtime_release(runtime);
  hone_config_release(options);
  return 0;
}
