/*
 * pairs.c: trains on (question, answer, wrong answer) rows that the program hands over itself, and asks for the verdict
 *
 *   ./pairs MODEL PAIRS TEST OUT [STEPS]
 *
 * PAIRS is read by this program, as rows may come from a database or a queue: each is handed over by
 * hone_dataset_add(). The loss is multiple negatives ranking (train.loss=mnr): the answers of the other rows of a
 * batch, and all wrong ones, are what a question's own answer must be nearer than. TEST is a file that hone reads, with
 * the same columns; the task "triplet" asks how often the answer is nearer than the wrong one. The verdict at the end
 * is about that: is the tuned model better than the one it came from? The tuned model is written to OUT.
 *
 * What the loss computes is looked up in hone's list of losses, from which a program may offer a choice, too.
 *
 * Progress is fetched by the thread that waits, so the program needs no callback.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

enum { COLUMNS = 3, LONGEST_LINE = 1 << 16 };
static const char *const columns[COLUMNS] = {"anchor", "positive", "negative"};

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "pairs: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

static void fail(const char *what, const char *why) {
  fprintf(stderr, "pairs: %s: %s\n", what, why);
  exit(1);
}

/* Cuts a line at its TABs; returns the number of its fields, at most COLUMNS + 1. */
static size_t split(char *line, hone_value *values) {
  size_t count = 0;
  line[strcspn(line, "\r\n")] = '\0';
  while (count <= COLUMNS) {
    char *tab = strchr(line, '\t');
    if (tab != NULL) *tab = '\0';
    if (count < COLUMNS) {
      values[count].text.data = line;
      values[count].text.size = strlen(line);
    }
    ++count;
    if (tab == NULL) break;
    line = tab + 1;
  }
  return count;
}

/* The rows of a file, without its line of names, as a dataset. What a row holds is copied. */
static hone_dataset *push_rows(hone_runtime *runtime, const char *file, const hone_config *options) {
  static char line[LONGEST_LINE];
  hone_error *error = NULL;
  hone_dataset *dataset = NULL;
  FILE *in = fopen(file, "r");
  if (in == NULL) fail(file, "cannot be opened");
  check(hone_dataset_create(runtime, columns, COLUMNS, options, &dataset, &error), &error);
  if (fgets(line, sizeof line, in) == NULL) fail(file, "is empty");
  while (fgets(line, sizeof line, in) != NULL) {
    hone_value values[COLUMNS];
    memset(values, 0, sizeof values);
    if (split(line, values) != COLUMNS) fail(file, "expected rows of anchor, positive and negative");
    check(hone_dataset_add(dataset, values, COLUMNS, &error), &error);
  }
  fclose(in);
  return dataset;
}

/* The number behind "name" in what follows "section" of a report; NaN where it is null. */
static double number(const char *report, const char *section, const char *name) {
  const char *at = strstr(report, section);
  char *end = NULL;
  double value;
  if (at != NULL) at = strstr(at, name);
  if (at != NULL) at = strchr(at, ':');
  if (at == NULL) return NAN;
  value = strtod(at + 1, &end);
  return end == at + 1 ? NAN : value;
}

/* The text behind "name" in what follows "section", neither of which holds a quote. */
static void print_text(const char *json, const char *section, const char *name) {
  const char *at = strstr(json, section);
  if (at != NULL) at = strstr(at, name);
  if (at != NULL) at = strchr(at + strlen(name), '"');
  if (at != NULL) printf("%.*s\n", (int)strcspn(at + 1, "\""), at + 1);
}

static void print_loss(void) {
  hone_error *error = NULL;
  hone_buffer *losses = NULL;
  check(hone_losses(&losses, &error), &error);
  printf("loss: mnr, ");
  print_text(hone_buffer_data(losses, NULL), "\"mnr\"", "\"formula\"");
  hone_buffer_release(losses);
}

static void print_verdict(const char *report) {
  const double before = number(report, "\"verdict\"", "\"before\""), after = number(report, "\"verdict\"", "\"after\"");
  const double low = number(report, "\"verdict\"", "\"low\""), high = number(report, "\"verdict\"", "\"high\"");
  const char *words = low > 0 ? "better" : high < 0 ? "WORSE" : "not clearly better";
  printf("verdict: %s, %.4f before, %.4f after, difference [%+.4f, %+.4f]\n", words, before, after, low, high);
}

/* How often the positive is nearer than the negative, by each similarity. */
static void print_scores(const char *name, const hone_model *model, const hone_dataset *test,
                         const hone_config *options) {
  hone_error *error = NULL;
  hone_buffer *scores = NULL;
  const char *json;
  check(hone_model_evaluate(model, test, options, &scores, &error), &error);
  json = hone_buffer_data(scores, NULL);
  printf("%s: %.0f triplets, accuracy %.4f (cosine), %.4f (euclidean)\n", name, number(json, "{", "\"triplets\""),
         number(json, "{", "\"cosine_accuracy\""), number(json, "{", "\"euclidean_accuracy\""));
  hone_buffer_release(scores);
}

int main(int argc, char **argv) {
  hone_error *error = NULL;
  hone_config *options = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL, *tuned = NULL;
  hone_dataset *train = NULL, *test = NULL;
  hone_trainer *trainer = NULL;
  hone_job *job = NULL;
  hone_buffer *report = NULL;
  hone_progress progress = {0};
  uint64_t seen = 0;
  const long steps = argc > 5 ? strtol(argv[5], NULL, 10) : 20;

  if (argc < 5 || argc > 6 || steps < 1) {
    fprintf(stderr, "usage: pairs MODEL PAIRS TEST OUT [STEPS]\n");
    return 1;
  }
  check(hone_config_create(&options, &error), &error);
  check(hone_config_set_str(options, "train.loss", "mnr", &error), &error);
  check(hone_config_set_str(options, "train.loss_options", "scale=20", &error), &error);
  check(hone_config_set_int(options, "train.batch_size", 20, &error), &error);
  check(hone_config_set_int(options, "train.steps", steps, &error), &error);
  check(hone_config_set_real(options, "train.lr", 2e-5, &error), &error);
  check(hone_config_set_str(options, "eval.task", "triplet", &error), &error);
  /* Once, after the last step: no step is picked by TEST, so that it is a fair judge of the model. */
  check(hone_config_set_int(options, "train.eval_steps", steps, &error), &error);
  check(hone_runtime_create(options, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);
  train = push_rows(runtime, argv[2], options);
  check(hone_dataset_read(runtime, argv[3], options, &test, &error), &error);
  check(hone_trainer_create(model, train, test, options, &trainer, &error), &error);
  print_loss();
  printf("%lld rows to train on\n", (long long)hone_dataset_size(train));

  check(hone_trainer_start(trainer, NULL, &job, &error), &error);
  do {
    progress.struct_size = sizeof progress;
    check(hone_job_next_event(job, -1, &progress, &error), &error);
    if (progress.steps_done > seen)
      fprintf(stderr, "step %llu of %llu  loss %.4f\n", (unsigned long long)progress.steps_done,
              (unsigned long long)progress.steps_total, progress.loss);
    seen = progress.steps_done; /* an evaluation is news, too */
  } while (progress.state == HONE_JOB_RUNNING);
  check(hone_job_report(job, &report, &error), &error);
  check(hone_job_result(job, &tuned, &error), &error);

  print_scores("base model", model, test, options);
  print_scores("tuned model", tuned, test, options);
  print_verdict(hone_buffer_data(report, NULL));
  check(hone_model_save(tuned, argv[4], options, &error), &error);

  hone_buffer_release(report);
  hone_job_release(job);
  hone_trainer_release(trainer);
  hone_model_release(tuned);
  hone_dataset_release(test);
  hone_dataset_release(train);
  hone_model_release(model);
  hone_runtime_release(runtime);
  hone_config_release(options);
  return 0;
}
