/*
 * arrow.c: Arrow's C streams in and out, built and read by hand: labelled pairs in, texts in, vectors out
 *
 *   ./arrow MODEL
 *
 * A program that uses an Arrow library gets these structs from it (in C++ by arrow::ExportRecordBatchReader, in Java by
 * Data.exportArrayStream); what is written out here is what stands behind them. Two rules matter. A struct is the
 * property of whoever holds it with its release set, and is given up by calling release. hone takes over a stream that
 * it is given, also where it fails, and clears its release: the caller's struct is then empty and needs no care.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hone.h>

/* Ends the program with one line where a call has failed. Takes the error's address, as the call does: its value, as an
 * argument beside the call, might be read before the call has set it. */
static void check(hone_status status, hone_error **error) {
  if (status == HONE_OK) return;
  fprintf(stderr, "arrow: %s\n", *error != NULL ? hone_error_message(*error) : hone_status_name(status));
  hone_error_release(*error);
  exit(1);
}

static void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes == 0 ? 1 : bytes);
  if (memory == NULL) {
    fprintf(stderr, "arrow: no memory\n");
    exit(1);
  }
  return memory;
}

/* ------------------------------------------------------------------------------------------------ schemas */

/* Parents release their children; names and formats here are literals. */
static void release_schema(struct ArrowSchema *schema) {
  int64_t i;
  for (i = 0; i < schema->n_children; ++i) {
    if (schema->children[i]->release != NULL) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

static void make_schema(struct ArrowSchema *schema, const char *format, const char *name, int64_t children) {
  int64_t i;
  memset(schema, 0, sizeof *schema);
  schema->format = format;
  schema->name = name;
  schema->n_children = children;
  if (children > 0) schema->children = allocate((size_t)children * sizeof *schema->children);
  for (i = 0; i < children; ++i) schema->children[i] = allocate(sizeof *schema->children[i]);
  schema->release = release_schema;
}

/* ------------------------------------------------------------------------------------------------ arrays */

static void release_array(struct ArrowArray *array) {
  int64_t i;
  for (i = 0; i < array->n_buffers; ++i) free((void *)array->buffers[i]);
  free(array->buffers);
  for (i = 0; i < array->n_children; ++i) {
    if (array->children[i]->release != NULL) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  array->release = NULL;
}

static void make_array(struct ArrowArray *array, int64_t rows, int64_t buffers, int64_t children) {
  int64_t i;
  memset(array, 0, sizeof *array);
  array->length = rows;
  array->n_buffers = buffers;
  array->buffers = allocate((size_t)buffers * sizeof *array->buffers);
  array->n_children = children;
  if (children > 0) array->children = allocate((size_t)children * sizeof *array->children);
  for (i = 0; i < children; ++i) array->children[i] = allocate(sizeof *array->children[i]);
  array->release = release_array;
}

/* utf8: no bitmap of nulls, rows + 1 offsets, the bytes of all texts. */
static void make_texts(struct ArrowArray *array, const char *const *texts, int64_t rows) {
  int32_t *offsets;
  char *bytes;
  int64_t i;
  make_array(array, rows, 3, 0);
  offsets = allocate((size_t)(rows + 1) * sizeof *offsets);
  for (i = 0; i < rows; ++i) offsets[i + 1] = offsets[i] + (int32_t)strlen(texts[i]);
  bytes = allocate((size_t)offsets[rows]);
  for (i = 0; i < rows; ++i) memcpy(bytes + offsets[i], texts[i], strlen(texts[i]));
  array->buffers[1] = offsets;
  array->buffers[2] = bytes;
}

/* float64: no bitmap of nulls, the numbers. */
static void make_numbers(struct ArrowArray *array, const double *numbers, int64_t rows) {
  double *copy;
  make_array(array, rows, 2, 0);
  copy = allocate((size_t)rows * sizeof *copy);
  memcpy(copy, numbers, (size_t)rows * sizeof *copy);
  array->buffers[1] = copy;
}

/* ------------------------------------------------------------------------------------------------ streams */

/* The rows of a stream, which gives them in batches. Where scores is NULL there is one column of texts. */
struct source {
  const char *const *sentence1;
  const char *const *sentence2;
  const double *scores;
  int64_t rows, next, batch;
};

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out) {
  const struct source *source = stream->private_data;
  if (source->scores == NULL) {
    make_schema(out, "+s", "", 1);
    make_schema(out->children[0], "u", "text", 0);
  } else {
    make_schema(out, "+s", "", 3);
    make_schema(out->children[0], "u", "sentence1", 0);
    make_schema(out->children[1], "u", "sentence2", 0);
    make_schema(out->children[2], "g", "score", 0);
  }
  return 0;
}

/* The end of a stream is an array that is released already. */
static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out) {
  struct source *source = stream->private_data;
  const int64_t at = source->next, left = source->rows - at;
  const int64_t rows = left < source->batch ? left : source->batch;
  memset(out, 0, sizeof *out);
  if (rows == 0) return 0;
  make_array(out, rows, 1, source->scores == NULL ? 1 : 3);
  make_texts(out->children[0], source->sentence1 + at, rows);
  if (source->scores != NULL) {
    make_texts(out->children[1], source->sentence2 + at, rows);
    make_numbers(out->children[2], source->scores + at, rows);
  }
  source->next += rows;
  return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream) {
  (void)stream;
  return NULL;
}

static void release_stream(struct ArrowArrayStream *stream) {
  free(stream->private_data);
  stream->release = NULL;
}

static void make_stream(struct ArrowArrayStream *stream, const char *const *sentence1, const char *const *sentence2,
                        const double *scores, int64_t rows) {
  struct source *source = allocate(sizeof *source);
  source->sentence1 = sentence1;
  source->sentence2 = sentence2;
  source->scores = scores;
  source->rows = rows;
  source->batch = 3;
  stream->get_schema = get_schema;
  stream->get_next = get_next;
  stream->get_last_error = get_last_error;
  stream->release = release_stream;
  stream->private_data = source;
}

/* ------------------------------------------------------------------------------------------------ reading vectors */

/* Ends the program where a call of a stream failed. The stream itself holds the message. */
static void check_stream(struct ArrowArrayStream *stream, int code) {
  const char *message;
  if (code == 0) return;
  message = stream->get_last_error(stream);
  fprintf(stderr, "arrow: %s\n", message != NULL ? message : strerror(code));
  exit(1);
}

/* Prints each vector's first numbers and its length, batch by batch. */
static void print_vectors(struct ArrowArrayStream *stream) {
  struct ArrowSchema schema;
  struct ArrowArray batch;
  int64_t row, i, dim;
  int number = 0;

  check_stream(stream, stream->get_schema(stream, &schema));
  /* "+w:384": a list of 384 numbers in every row; its only child, "f", holds the float32 of all rows in turn. */
  if (schema.n_children != 1 || strncmp(schema.children[0]->format, "+w:", 3) != 0 ||
      strcmp(schema.children[0]->children[0]->format, "f") != 0) {
    fprintf(stderr, "arrow: the stream of vectors is not one of FixedSizeList<float32>\n");
    exit(1);
  }
  dim = strtol(schema.children[0]->format + 3, NULL, 10);
  printf("column \"%s\", %lld numbers a row\n", schema.children[0]->name, (long long)dim);
  schema.release(&schema);

  for (;;) {
    const struct ArrowArray *list, *values;
    const float *numbers;
    check_stream(stream, stream->get_next(stream, &batch));
    if (batch.release == NULL) break;
    list = batch.children[0];
    values = list->children[0];
    numbers = values->buffers[1];
    ++number;
    for (row = 0; row < batch.length; ++row) {
      /* An array may be a window into a larger one: every level has an offset. */
      const float *vector = numbers + values->offset + (batch.offset + list->offset + row) * dim;
      double squares = 0;
      for (i = 0; i < dim; ++i) squares += (double)vector[i] * vector[i];
      printf("batch %d: %8.5f %8.5f ...  length %.5f\n", number, (double)vector[0], (double)vector[1], sqrt(squares));
    }
    batch.release(&batch);
  }
}

int main(int argc, char **argv) {
  static const char *const sentence1[] = {"A man plays the guitar.", "The library opens at nine.",
                                          "Rain is expected tomorrow.", "She bought a red bicycle.",
                                          "The train was late again."};
  static const char *const sentence2[] = {"Someone plays an instrument.", "The library is open from nine o'clock.",
                                          "The stock market fell.", "Her new bike is red.",
                                          "Cats sleep most of the day."};
  static const double scores[] = {3.4, 4.8, 0.2, 4.4, 0};
  const int64_t rows = (int64_t)(sizeof scores / sizeof *scores);
  hone_error *error = NULL;
  hone_runtime *runtime = NULL;
  hone_model *model = NULL;
  hone_dataset *dataset = NULL;
  hone_buffer *text = NULL;
  struct ArrowArrayStream in, out;

  if (argc != 2) {
    fprintf(stderr, "usage: arrow MODEL\n");
    return 1;
  }
  check(hone_runtime_create(NULL, &runtime, &error), &error);
  check(hone_model_load(runtime, argv[1], &model, &error), &error);

  make_stream(&in, sentence1, sentence2, scores, rows);
  check(hone_dataset_from_arrow(runtime, &in, NULL, &dataset, &error), &error);
  check(hone_dataset_info(dataset, 1, &text, &error), &error);
  printf("%s\n", hone_buffer_data(text, NULL));
  hone_buffer_release(text);
  check(hone_model_evaluate(model, dataset, NULL, &text, &error), &error);
  printf("%s\n", hone_buffer_data(text, NULL));
  hone_buffer_release(text);

  make_stream(&in, sentence1, NULL, NULL, rows);
  check(hone_model_encode_arrow(model, &in, NULL, &out, &error), &error);
  print_vectors(&out);
  out.release(&out);

  hone_dataset_release(dataset);
  hone_model_release(model);
  hone_runtime_release(runtime);
  return 0;
}
