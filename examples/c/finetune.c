/*
 * finetune.c: fine-tunes a model in the background, with progress, scores before and after, and a clean Ctrl-C
 *
 *   ./finetune MODEL TRAIN DEV OUT [OPTION=VALUE...]
 *   ./finetune all-MiniLM-L6-v2 train.tsv dev.tsv tuned train.epochs=1 train.lr=2e-5 train.warmup_ratio=0.1
 *
 * TRAIN and DEV hold labelled pairs (columns sentence1, sentence2, score). DEV is what the weights of the best step are
 * chosen by. The tuned model is written to OUT, which must not be there yet unless train.existing=overwrite. After
 * Ctrl-C the exit code is 130 and OUT holds a checkpoint, from which train.existing=resume goes on.
 *
 * Progress comes by a callback, on a thread of the job's; the main thread waits, and passes on what the signal handler
 * noted. A handler may only set a flag: no function of hone is fit for one.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

static volatile sig_atomic_t interrupted = 0;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "finetune: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "finetune: %s: %s\n", what, why);
  exit(1);
}

/* The type of an option by its name; 0 where there is none. The library knows its options, so the program need not. */
static int32_t type_of(const char *name) {
  size_t i, count = hone_option_count();
  for (i = 0; i < count; ++i) {
    hone_option option;
    option.struct_size = sizeof option;
    if (hone_option_describe(i, &option, NULL) == HONE_OK && strcmp(option.name, name) == 0) return option.type;
  }
  return 0;
}

/* Sets an option from "train.lr=2e-5". */
static void set_option(hone_config *config, char *argument) {
  hone_error *error = NULL;
  char *value = strchr(argument, '='), *end = NULL;
  if (value == NULL) fail(argument, "expected OPTION=VALUE");
  *value++ = '\0';
  end = value;
  switch (type_of(argument)) {
    case HONE_TYPE_INT: {
      const long long number = strtoll(value, &end, 10);
      if (end == value || *end != '\0') fail(argument, "expected a whole number");
      check(hone_config_set_int(config, argument, number, &error), &error);
      break;
    }
    case HONE_TYPE_REAL: {
      const double number = strtod(value, &end);
      if (end == value || *end != '\0') fail(argument, "expected a number");
      check(hone_config_set_real(config, argument, number, &error), &error);
      break;
    }
    case HONE_TYPE_BOOL: {
      const int32_t yes = strcmp(value, "true") == 0;
      if (!yes && strcmp(value, "false") != 0) fail(argument, "expected true or false");
      check(hone_config_set_bool(config, argument, yes, &error), &error);
      break;
    }
    default: /* a text; where there is no such option, the library says so and names the nearest */
      check(hone_config_set_str(config, argument, value, &error), &error);
  }
}

static int32_t on_progress(void *user_data, const hone_progress *progress) {
  FILE *to = user_data;
  fprintf(to, "step %llu of %llu", (unsigned long long)progress->steps_done, (unsigned long long)progress->steps_total);
  if (!isnan(progress->loss)) fprintf(to, "  loss %.4f", progress->loss);
  if (!isnan(progress->metric)) fprintf(to, "  score %.4f", progress->metric);
  fputc('\n', to);
  return 0;
}

/* The number behind "name" in what follows "section" of a report; NaN where it is null. */
static double score(const char *report, const char *section, const char *name) {
  const char *at = strstr(report, section);
  char *end = NULL;
  double value;
  if (at != NULL) at = strstr(at, name);
  if (at != NULL) at = strchr(at, ':');
  if (at == NULL) return NAN;
  value = strtod(at + 1, &end);
  return end == at + 1 ? NAN : value;
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_config *options = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL;
  hone_dataset *train = NULL, *dev = NULL;
  hone_trainer *trainer = NULL;
  hone_job *job = NULL;
  hone_buffer *report = NULL;
  hone_job_callbacks callbacks = {0};
  hone_status status;
  int i, code = 0;

  if (argc < 5) {
    fprintf(stderr, "usage: finetune MODEL TRAIN DEV OUT [OPTION=VALUE...]\n");
    return 1;
  }
  check(hone_config_create(&options, &error), &error);
  check(hone_config_set_str(options, "train.out", argv[4], &error), &error);
  for (i = 5; i < argc; ++i) set_option(options, argv[i]);
  check(hone_runtime_create(options, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);
  check(hone_dataset_read(runtime, argv[2], options, &train, &error), &error);
  check(hone_dataset_read(runtime, argv[3], options, &dev, &error), &error);
  check(hone_trainer_create(model, train, dev, options, &trainer, &error), &error);

  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  callbacks.struct_size = sizeof callbacks;
  callbacks.user_data = stderr;
  callbacks.on_progress = on_progress;
  check(hone_trainer_start(trainer, &callbacks, &job, &error), &error);

  /* No error is asked for: that time is over is expected here. */
  while ((status = hone_job_wait(job, 100, NULL)) == HONE_ETIMEDOUT) {
    if (interrupted) {
      signal(SIGINT, SIG_DFL); /* a second one ends the program in the ordinary way */
      signal(SIGTERM, SIG_DFL);
      hone_job_cancel(job);
    }
  }
  check(status, &error);

  status = hone_job_report(job, &report, &error);
  if (status == HONE_ECANCELLED) {
    hone_error_release(error);
    fprintf(stderr, "finetune: cancelled; a checkpoint is kept in %s, go on with train.existing=resume\n", argv[4]);
    code = 130;
  } else {
    const char *json;
    check(status, &error);
    json = hone_buffer_data(report, NULL);
    printf("spearman_cosine %.4f before, %.4f after\n", score(json, "\"before\"", "\"spearman_cosine\""),
           score(json, "\"after\"", "\"spearman_cosine\""));
  }

  hone_buffer_release(report);
  hone_job_release(job);
  hone_trainer_release(trainer);
  hone_dataset_release(dev);
  hone_dataset_release(train);
  hone_model_release(model);
  hone_runtime_release(runtime);
  hone_config_release(options);
  return code;
}
