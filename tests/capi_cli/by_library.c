/*
 * by_library job MODEL TRAIN DEV OUT     fine-tunes by a job, saves the tuned model
 * by_library steps MODEL TRAIN OUT       the same step by step, without an evaluation
 * by_library encode MODEL TEXT...        vectors as raw float32 on standard output
 * by_library compare MODEL OTHER DATA    their comparison as JSON
 * by_library nearest MODEL QUERY TEXT... index and score of the texts, best first
 * by_library losses                      the list of losses
 *
 * With the options that run_capi_cli.sh gives to the command, and threads as HONE_CHECK_THREADS says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

enum { kSteps = 6 };

static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "by_library: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  exit(1);
}

static hone_config *make_options(void) {
  const char *threads = getenv("HONE_CHECK_THREADS");
  hone_error *error = NULL;
  hone_config *options = NULL;
  check(hone_config_create(&options, &error), &error);
  check(hone_config_set_int(options, "runtime.threads", threads != NULL ? atoi(threads) : 0, &error), &error);
  check(hone_config_set_int(options, "train.steps", kSteps, &error), &error);
  check(hone_config_set_int(options, "train.batch_size", 8, &error), &error);
  check(hone_config_set_int(options, "train.eval_steps", 3, &error), &error);
  check(hone_config_set_real(options, "train.lr", 2e-5, &error), &error);
  check(hone_config_set_real(options, "train.warmup_ratio", 0.1, &error), &error);
  return options;
}

/* The tuned model. DEV is NULL for step by step. */
static hone_model *train(hone_runtime *runtime, hone_model *model, const hone_config *options, const char *train_file,
                         const char *dev_file) {
  hone_error *error = NULL;
  hone_dataset *pairs = NULL, *dev = NULL;
  hone_trainer *trainer = NULL;
  hone_job *job = NULL;
  hone_model *tuned = NULL;
  int step;
  check(hone_dataset_read(runtime, train_file, NULL, &pairs, &error), &error);
  if (dev_file != NULL) check(hone_dataset_read(runtime, dev_file, NULL, &dev, &error), &error);
  check(hone_trainer_create(model, pairs, dev, options, &trainer, &error), &error);
  if (dev_file != NULL) {
    check(hone_trainer_start(trainer, NULL, &job, &error), &error);
    check(hone_job_wait(job, -1, &error), &error);
    check(hone_job_result(job, &tuned, &error), &error);
  } else {
    for (step = 0; step < kSteps; ++step) check(hone_trainer_step(trainer, NULL, &error), &error);
    check(hone_trainer_model(trainer, &tuned, &error), &error);
  }
  hone_job_release(job);
  hone_trainer_release(trainer);
  hone_dataset_release(dev);
  hone_dataset_release(pairs);
  return tuned;
}

static void print_vectors(const hone_model *model, char **arguments, size_t count) {
  const size_t floats = count * (size_t)hone_model_dim(model);
  hone_str *texts = malloc((count + 1) * sizeof *texts);
  float *vectors = malloc((floats + 1) * sizeof *vectors);
  hone_error *error = NULL;
  size_t i;
  if (texts == NULL || vectors == NULL) exit(1);
  for (i = 0; i < count; ++i) {
    texts[i].data = arguments[i];
    texts[i].size = strlen(arguments[i]);
  }
  check(hone_model_encode(model, texts, count, NULL, vectors, floats, &error), &error);
  if (fwrite(vectors, sizeof *vectors, floats, stdout) != floats || fflush(stdout) != 0) exit(1);
  free(vectors);
  free(texts);
}

static void print_comparison(hone_runtime *runtime, const hone_model *model, const char *folder, const char *file) {
  hone_error *error = NULL;
  hone_model *other = NULL;
  hone_dataset *data = NULL;
  hone_buffer *json = NULL;
  check(hone_model_load(runtime, folder, &other, &error), &error);
  check(hone_dataset_read(runtime, file, NULL, &data, &error), &error);
  check(hone_model_compare(model, other, data, NULL, &json, &error), &error);
  puts(hone_buffer_data(json, NULL));
  hone_buffer_release(json);
  hone_dataset_release(data);
  hone_model_release(other);
}

static void print_nearest(const hone_model *model, const char *query, char **arguments, size_t count) {
  hone_str *texts = malloc((count + 1) * sizeof *texts), asked;
  int64_t *indices = malloc((count + 1) * sizeof *indices);
  float *scores = malloc((count + 1) * sizeof *scores);
  hone_error *error = NULL;
  size_t i;
  if (texts == NULL || indices == NULL || scores == NULL) exit(1);
  for (i = 0; i < count; ++i) {
    texts[i].data = arguments[i];
    texts[i].size = strlen(arguments[i]);
  }
  asked.data = query;
  asked.size = strlen(query);
  check(hone_model_nearest(model, texts, count, &asked, 1, count, NULL, indices, scores, count, &error), &error);
  for (i = 0; i < count && indices[i] >= 0; ++i) printf("%d %.6f\n", (int)indices[i], scores[i]);
  free(scores);
  free(indices);
  free(texts);
}

static int print_losses(void) {
  hone_error *error = NULL;
  hone_buffer *losses = NULL;
  check(hone_losses(&losses, &error), &error);
  puts(hone_buffer_data(losses, NULL));
  hone_buffer_release(losses);
  return 0;
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_config *options = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL, *tuned = NULL;

  if (argc == 2 && strcmp(argv[1], "losses") == 0) return print_losses();
  if (argc < 4) {
    fprintf(stderr, "by_library: arguments missing\n");
    return 1;
  }
  options = make_options();
  check(hone_runtime_create(options, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[2], &model, &error), &error);
  if (strcmp(argv[1], "job") == 0 && argc == 6) {
    tuned = train(runtime, model, options, argv[3], argv[4]);
    check(hone_model_save(tuned, argv[5], NULL, &error), &error);
  } else if (strcmp(argv[1], "steps") == 0 && argc == 5) {
    tuned = train(runtime, model, options, argv[3], NULL);
    check(hone_model_save(tuned, argv[4], NULL, &error), &error);
  } else if (strcmp(argv[1], "encode") == 0) {
    print_vectors(model, argv + 3, (size_t)argc - 3);
  } else if (strcmp(argv[1], "compare") == 0 && argc == 5) {
    print_comparison(runtime, model, argv[3], argv[4]);
  } else if (strcmp(argv[1], "nearest") == 0) {
    print_nearest(model, argv[3], argv + 4, (size_t)argc - 4);
  } else {
    fprintf(stderr, "by_library: no such use\n");
    return 1;
  }
  hone_model_release(tuned);
  hone_model_release(model);
  hone_runtime_release(runtime);
  hone_config_release(options);
  return 0;
}
